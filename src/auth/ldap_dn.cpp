#include "auth/ldap_dn.h"

#include "auth/ldap_text.h"

#include <ldap.h>

#include <memory>

namespace berth::auth {

namespace {

struct Free {
  void operator()(LDAPRDN* dn) const { ldap_dnfree(dn); }
};
using Dn = std::unique_ptr<LDAPRDN, Free>;

/// Components, the leaf first, up to a null. libldap has nullptr for "", too.
std::optional<Dn> parse(const std::string& text) {
  LDAPDN out = nullptr;
  if (text.find('\0') != std::string::npos) return std::nullopt;
  if (ldap_str2dn(text.c_str(), &out, LDAP_DN_FORMAT_LDAPV3) != LDAP_SUCCESS) return std::nullopt;
  return Dn(out);
}

std::size_t size_of(const Dn& dn) {
  std::size_t size = 0;
  while (dn && dn.get()[size] != nullptr) ++size;
  return size;
}

std::string_view text_of(const berval& value) { return {value.bv_val, value.bv_len}; }

bool is_same(LDAPRDN a, LDAPRDN b) {
  for (; *a != nullptr && *b != nullptr; ++a, ++b) {
    if (!is_same_attribute(text_of((*a)->la_attr), text_of((*b)->la_attr))) return false;
    if (!is_same_attribute(text_of((*a)->la_value), text_of((*b)->la_value))) return false;
  }
  return *a == nullptr && *b == nullptr;
}

}  // namespace

std::optional<std::string> first_value_of_dn(const std::string& dn, std::string_view attribute) {
  const auto parsed = parse(dn);
  if (!parsed || size_of(*parsed) == 0) return std::nullopt;
  for (LDAPRDN part = parsed->get()[0]; *part != nullptr; ++part) {
    if (((*part)->la_flags & LDAP_AVA_BINARY) == 0 && is_same_attribute(text_of((*part)->la_attr), attribute))
      return std::string(text_of((*part)->la_value));
  }
  return std::nullopt;
}

bool is_below_dn(const std::string& dn, const std::string& base) {
  const auto below = parse(dn);
  const auto above = parse(base);
  if (!below || !above || size_of(*below) < size_of(*above)) return false;
  const std::size_t depth = size_of(*below) - size_of(*above);
  for (std::size_t i = 0; i < size_of(*above); ++i) {
    if (!is_same(below->get()[depth + i], above->get()[i])) return false;
  }
  return true;
}

bool is_dn(const std::string& text) { return parse(text).has_value(); }

}  // namespace berth::auth
