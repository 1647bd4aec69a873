// Any text as the address of a directory, as a name that somebody types, as a filter, as an entry's number and as a
// DN: what goes into a filter stays one value of it, and what is accepted has one reading.
#include "auth/ldap_text.h"

#include "auth/ldap_dn.h"
#include "base/assert.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

using namespace berth;

void check_url(std::string_view text) {
  const auto server = auth::parse_ldap_url(text);
  if (!server) return;
  const auto again = auth::parse_ldap_url(server->url());
  BERTH_ASSERT(again && again->url() == server->url() && again->uses_tls == server->uses_tls, "print undoes parse");
  BERTH_ASSERT(server->url().find_first_of(" ,/@?\r\n", 8) == std::string::npos, "one address to libldap");
}

void check_value(std::string_view text) {
  const std::string escaped = auth::escape_ldap_value(text);
  BERTH_ASSERT(escaped.find_first_of("*()") == std::string::npos, "a value ends nothing");
  BERTH_ASSERT(std::ranges::all_of(escaped, [](char c) { return c >= ' ' && c < '\x7f'; }), "text");
  const std::string filled = auth::fill_ldap_filter("(&(a={name})(b={name}))", "name", text);
  BERTH_ASSERT(filled == "(&(a=" + escaped + ")(b=" + escaped + "))", "in its places and nowhere else");
  BERTH_ASSERT(auth::check_ldap_filter("(x={name}" + escaped + ")", "name").has_value(), "still one filter");
}

void check_id(std::string_view text) {
  for (const std::string_view attribute : {"entryUUID", "objectGUID"}) {
    const std::string printed = auth::ldap_id_text(attribute, text);
    BERTH_ASSERT(auth::ldap_id_value(attribute, printed) == text, "leads back");
    (void)auth::ldap_id_value(attribute, text);
  }
}

void check_dn(const std::string& text) {
  (void)auth::first_value_of_dn(text, "cn");
  BERTH_ASSERT(!auth::is_dn(text) || auth::is_below_dn(text, text), "below itself");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_url(text);
  check_value(text);
  check_id(text);
  check_dn(std::string(text));
  (void)auth::check_ldap_filter(text, "name");
  return 0;
}
