#include "auth/certificate_rule.h"

#include "auth/accounts.h"

#include <algorithm>

namespace berth::auth {

namespace {

struct Kind {
  std::string_view prefix;
  char boundary;  // what a star does not take
};
constexpr Kind kKinds[] = {{"uri:", '/'}, {"dns:", '.'}, {"email:", '@'}};

std::unexpected<Error> refuse(std::string_view text, std::string_view why) {
  return fail(Errc::parameter_invalid, "the rule '" + std::string(text) + "' " + std::string(why) +
                                           "; one is written uri:spiffe://acme.example/ci/*=acme+ci, with dns: and "
                                           "email: for other names");
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

/// As certificates' names are given: hosts in lower case.
std::string normal(std::string_view pattern) {
  if (pattern.starts_with("dns:")) return lower(pattern);
  const std::size_t at = pattern.starts_with("email:") ? pattern.rfind('@') : std::string_view::npos;
  if (at == std::string_view::npos) return std::string(pattern);
  return std::string(pattern.substr(0, at)) + lower(pattern.substr(at));
}

}  // namespace

Result<CertificateRule> CertificateRule::parse(std::string_view text) {
  const std::size_t equals = text.rfind('=');  // URIs may hold one, accounts do not
  if (equals == std::string_view::npos) return refuse(text, "names no account");
  const std::string_view pattern = text.substr(0, equals);
  const auto kind = std::ranges::find_if(kKinds, [&](const Kind& known) { return pattern.starts_with(known.prefix); });
  if (kind == std::end(kKinds) || pattern.size() == kind->prefix.size()) return refuse(text, "names no kind of name");
  if (!std::ranges::all_of(pattern, [](char c) { return c > ' ' && c < '\x7f'; }))
    return refuse(text, "has characters that no name has");
  if (std::ranges::count(pattern, '*') > 1) return refuse(text, "has more than one star");
  CertificateRule out;
  const std::string whole = normal(pattern);
  const std::size_t star = whole.find('*');
  out.has_star_ = star != std::string::npos;
  out.before_ = whole.substr(0, star);
  if (out.has_star_) out.after_ = whole.substr(star + 1);
  out.boundary_ = kind->boundary;
  out.account_ = text.substr(equals + 1);
  if (out.account_ == "*") {
    if (!out.has_star_) return refuse(text, "takes the account from a star that is not there");
    return out;
  }
  if (const auto checked = check_robot_name(out.account_); !checked)
    return refuse(text, "names no account: " + checked.error().message);
  return out;
}

std::optional<std::string> CertificateRule::account_of(std::string_view name) const {
  if (!has_star_) return name == before_ ? std::optional(account_) : std::nullopt;
  if (name.size() <= before_.size() + after_.size() || !name.starts_with(before_) || !name.ends_with(after_))
    return std::nullopt;
  const std::string_view taken = name.substr(before_.size(), name.size() - before_.size() - after_.size());
  if (taken.find(boundary_) != std::string_view::npos) return std::nullopt;
  if (account_ != "*") return account_;
  return std::string(check_account_name(taken) ? taken : std::string_view());
}

Result<std::vector<CertificateRule>> parse_certificate_rules(std::span<const std::string> texts) {
  std::vector<CertificateRule> out;
  for (const std::string& text : texts) {
    BERTH_TRY(auto rule, CertificateRule::parse(text));
    out.push_back(std::move(rule));
  }
  return out;
}

std::optional<CertificateMatch> match_certificate(std::span<const CertificateRule> rules,
                                                  std::span<const std::string> names) {
  for (const CertificateRule& rule : rules) {
    for (const std::string& name : names) {
      if (auto account = rule.account_of(name)) return CertificateMatch{name, *std::move(account)};
    }
  }
  return std::nullopt;
}

}  // namespace berth::auth
