#include "auth/external_tokens.h"

#include <algorithm>

namespace berth::auth {

namespace {

constexpr std::size_t kSubjectBytesMax = 256;  // it is kept with uploads and the record
constexpr std::int64_t kLatestS = 1LL << 40;   // a token without an end in sight: sums stay far from overflow

/// It gets into log lines and answers.
bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) >= ' ' && c != '\x7f'; });
}

std::unexpected<Error> invalid(std::string why) {
  return fail(Errc::unauthorized, std::string(kTokenInvalid), std::move(why));
}

/// nullopt for what is no resource of ours.
std::optional<Scope> scope_of(const Access& access) {
  const bool is_whole = std::ranges::find(access.actions, "*") != access.actions.end();
  Scope out;
  if (access.type == "repository" && oci::RepoName::parse(access.name)) {
    out.name = access.name;
    out.actions = is_whole ? Actions::all() : Actions::parse_words(access.actions);
    return out;
  }
  if (access.type != "registry" || access.name != "catalog" || !is_whole) return std::nullopt;
  out.type = Scope::Type::catalog;
  out.actions = Actions::pull;
  return out;
}

}  // namespace

std::vector<Scope> external_scopes(const std::vector<Access>& access) {
  std::vector<Scope> out;
  for (const Access& entry : access) {
    auto scope = scope_of(entry);
    if (!scope) continue;
    const auto same = std::ranges::find_if(
        out, [&](const Scope& other) { return other.type == scope->type && other.name == scope->name; });
    if (same == out.end()) {
      out.push_back(*std::move(scope));
    } else {
      same->actions = same->actions | scope->actions;
    }
  }
  return out;
}

void ExternalTokens::replace(Keys keys) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t next = generation_.load(std::memory_order_relaxed) + 1;
  keys_ = std::make_shared<const KeySet>(KeySet{std::move(keys), next});
  generation_.store(next, std::memory_order_release);
}

Result<Identity> ExternalTokens::check(std::string_view token, std::int64_t now_ms, std::int64_t grace_s) const {
  const auto keys = this->keys();
  const TokenExpectations expected{.issuer = expected_.issuer,
                                   .audience = expected_.service,
                                   .now_ms = now_ms,
                                   .leeway_s = expected_.leeway_s,
                                   .grace_s = grace_s};
  BERTH_TRY(Claims claims, verify_token(token, keys->keys, expected));
  if (claims.subject.size() > kSubjectBytesMax || !is_printable(claims.subject))
    return invalid("sub is longer than 256 bytes, or has control characters");
  Identity out;
  out.credential = Credential::token;
  out.is_external = true;
  out.key_generation = keys->generation;
  out.access = external_scopes(claims.access);
  out.valid_until_ms = (std::min(claims.expires, kLatestS) + expected.leeway_s + grace_s) * 1000;
  if (claims.subject.empty()) return out;
  out.subject.kind = Subject::Kind::user;
  out.subject.name = std::move(claims.subject);
  return out;
}

}  // namespace berth::auth
