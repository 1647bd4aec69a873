#include "auth/token_scope.h"

#include <algorithm>

namespace berth::auth {

namespace {

constexpr std::string_view kRepo = "repo:";
constexpr std::string_view kOrgAdmin = "org:admin:";
constexpr std::string_view kAdmin = "admin";  // a repository of that name needs the longer spelling
constexpr std::string_view kAdminRead = "admin:read";
constexpr std::string_view kAdminWrite = "admin:write";
constexpr std::string_view kUser = "user";
constexpr std::size_t kShownBytesMax = 300;

std::unexpected<Error> refuse(std::string_view text, std::string_view why) {
  return fail(Errc::account_invalid, "'" + std::string(text.substr(0, kShownBytesMax)) + "' " + std::string(why));
}

/// Rights and pattern, where the one ends and the other begins.
Result<void> add_part(Narrowing& narrowing, std::string_view text, std::string_view rights_text,
                      std::string_view pattern_text) {
  const auto rights = parse_rights(rights_text);
  if (!rights) {
    return refuse(
        text,
        "is not a scope; they are REPOSITORY:RIGHTS, as in acme/web:read,write, or org:admin:NAMESPACE, user, "
        "admin:read, admin:write");
  }
  BERTH_TRY(auto pattern, RepoPattern::parse(pattern_text, RepoPattern::FirstComponent::any));
  narrowing.parts.push_back({std::move(pattern), *rights});
  return {};
}

}  // namespace

bool is_namespace_name(std::string_view text) {
  return text.find('/') == std::string_view::npos && oci::RepoName::parse(text).has_value();
}

Result<void> add_scope(Narrowing& narrowing, std::string_view text) {
  narrowing.is_narrow = true;
  if (text == kUser) {
    narrowing.profile = true;
    return {};
  }
  if (text == kAdminRead || text == kAdminWrite) {
    const auto wanted = text == kAdminRead ? Narrowing::Registry::read : Narrowing::Registry::write;
    narrowing.registry = std::max(narrowing.registry, wanted);
    return {};
  }
  if (text.starts_with(kOrgAdmin)) {
    const std::string_view ns = text.substr(kOrgAdmin.size());
    if (!is_namespace_name(ns)) return refuse(text, "names no namespace; it is written org:admin:acme");
    if (std::ranges::find(narrowing.namespaces, ns) == narrowing.namespaces.end())
      narrowing.namespaces.emplace_back(ns);
    return {};
  }
  const std::size_t first = text.find(':');
  const std::size_t last = text.rfind(':');
  if (text.starts_with(kRepo) && first != last)
    return add_part(narrowing, text, text.substr(first + 1, last - first - 1), text.substr(last + 1));
  if (last == std::string_view::npos) return add_part(narrowing, text, "", "");
  if (text.substr(0, last) == kAdmin)
    return refuse(text,
                  "is admin:read or admin:write, of the registry; a repository admin is written repo:RIGHTS:admin");
  return add_part(narrowing, text, text.substr(last + 1), text.substr(0, last));
}

std::vector<std::string> scopes_of(const Narrowing& narrowing) {
  std::vector<std::string> out;
  for (const Narrowing::Part& part : narrowing.parts) {
    const std::string rights = to_text(part.rights);
    const bool is_admin = part.pattern.str() == kAdmin;
    out.push_back(is_admin ? std::string(kRepo) + rights + ":" + part.pattern.str()
                           : part.pattern.str() + ":" + rights);
  }
  for (const std::string& ns : narrowing.namespaces) out.push_back(std::string(kOrgAdmin) + ns);
  if (narrowing.profile) out.emplace_back(kUser);
  if (narrowing.registry == Narrowing::Registry::read) out.emplace_back(kAdminRead);
  if (narrowing.registry == Narrowing::Registry::write) out.emplace_back(kAdminWrite);
  return out;
}

}  // namespace berth::auth
