#include "api/admin/admin_api.h"

#include "api/admin/routes.h"
#include "api/error_response.h"
#include "base/base64.h"
#include "base/setting_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>

namespace berth::api {

namespace {

constexpr std::int64_t kPageDefault = 50;
constexpr std::int64_t kPageMax = 500;
constexpr std::size_t kTargetBytesMax = 300;
constexpr std::string_view kRepoCapture = "{repo}";

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> out;
  for (;;) {
    const std::size_t slash = text.find('/');
    out.push_back(text.substr(0, slash));
    if (slash == std::string_view::npos) return out;
    text.remove_prefix(slash + 1);
  }
}

bool is_capture(std::string_view segment) { return segment.starts_with('{') && segment.ends_with('}'); }

/// A repository's name with real slashes takes as many segments as are left by what follows: nothing, or "-".
std::optional<std::vector<std::string>> match(std::string_view pattern, const http::Path& path) {
  const auto wanted = split(pattern);
  std::vector<std::string> captures;
  std::size_t at = 1;  // path[0] is of the leading slash's left side: see match_admin
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (at >= path.size()) return std::nullopt;
    if (wanted[i] == kRepoCapture) {
      std::string name(path[at++]);
      const bool is_last = i + 1 == wanted.size();
      while (at < path.size() && (is_last || path[at] != wanted[i + 1])) name.append("/").append(path[at++]);
      captures.push_back(std::move(name));
    } else if (is_capture(wanted[i])) {
      captures.emplace_back(path[at++]);
    } else if (wanted[i] != path[at++]) {
      return std::nullopt;
    }
  }
  if (at != path.size()) return std::nullopt;
  return captures;
}

/// A repository whose own name has a component "-"? The grammar has none: '-' only joins (G1).
struct Matched {
  const AdminRoute* route = nullptr;
  std::vector<std::string> captures;
};

std::string_view word_of(http::Method method) {
  switch (method) {
    case http::Method::get: return "GET";
    case http::Method::head: return "HEAD";
    case http::Method::post: return "POST";
    case http::Method::put: return "PUT";
    case http::Method::patch: return "PATCH";
    case http::Method::delete_: return "DELETE";
    default: return "";
  }
}

Result<Matched> match_admin(const AdminRequest& request) {
  const std::string with_root = "/-/" + request.path;  // split_path wants a root; segment 0 is then "-"
  BERTH_TRY(const auto path, http::split_path(with_root));
  const http::Method method = request.method == http::Method::head ? http::Method::get : request.method;
  std::string allowed;
  for (const AdminRoute& route : admin_routes()) {
    auto captures = match(route.pattern, path);
    if (!captures) continue;
    if (route.method == method) return Matched{&route, *std::move(captures)};
    if (!allowed.empty()) allowed += ", ";
    allowed += word_of(route.method);
  }
  if (allowed.empty()) return fail(Errc::route_unknown, "there is nothing at this address");
  return fail(Error(Errc::method_unknown, "the method is not supported here").with_items({allowed}));
}

/// What may not be seen is not there (A10).
std::unexpected<Error> invisible() {
  return fail(Errc::account_unknown, "there is no such thing, or you may not see it");
}

Result<void> check_right(AdminCall& call, const std::string& name, auth::Right right) {
  const auto repo = oci::RepoName::parse(name);
  if (!repo) return invisible();
  BERTH_TRY(const auth::RulingPtr ruling, call.deps.directory.ruling(call.identity.subject, *repo));
  const auth::Rights rights = call.identity.narrowing.apply(ruling->rights, name);
  if (rights.has(right)) return {};
  if (!rights.has(auth::Right::read)) return invisible();
  return fail(Errc::denied, "the right " + std::string(auth::to_string(right)) + " on " + name + " is missing");
}

Result<void> check_namespace_admin(AdminCall& call, std::string_view ns) {
  BERTH_TRYV(check_not_a_job(call));
  if (call.identity.narrowing.is_narrow)
    return fail(Errc::denied, "a token that is narrowed to repositories cannot administer a namespace");
  const auto repo = oci::RepoName::parse(ns);
  if (!repo) return invisible();
  BERTH_TRY(const auth::RulingPtr ruling, call.deps.directory.ruling(call.identity.subject, *repo));
  // By what somebody is, never by a grant: one is on repositories, be it the one of the namespace's own name, and who
  // could make himself an owner by it would have all of them.
  switch (ruling->cause_of(auth::Right::admin).kind) {
    case auth::Cause::Kind::administrator:
    case auth::Cause::Kind::own_namespace:
    case auth::Cause::Kind::role: return {};
    case auth::Cause::Kind::nothing:
    case auth::Cause::Kind::granted:
    case auth::Cause::Kind::denied:
    case auth::Cause::Kind::visible:
    case auth::Cause::Kind::everybody: break;
  }
  return invisible();
}

Result<void> check_need(AdminCall& call, AdminNeed need) {
  const auth::Subject& subject = call.identity.subject;
  if (need == AdminNeed::anybody) return {};
  if (subject.kind == auth::Subject::Kind::anonymous && need != AdminNeed::repo_reader)
    return fail(Errc::unauthorized, "authentication required");
  const bool is_whole = !call.identity.narrowing.is_narrow;
  switch (need) {
    case AdminNeed::anybody:
    case AdminNeed::account: return {};
    case AdminNeed::user:
      if (subject.kind == auth::Subject::Kind::user && is_whole) return {};
      return fail(Errc::denied, "this needs a user's own password, or a token that is not narrowed to repositories");
    case AdminNeed::administrator:
      if (subject.is_admin && is_whole) return {};
      return fail(Errc::denied, "this needs an administrator of the registry");
    case AdminNeed::namespace_admin: return check_namespace_admin(call, call.captures.front());
    case AdminNeed::repo_reader: return check_right(call, call.captures.front(), auth::Right::read);
    case AdminNeed::repo_admin: return check_right(call, call.captures.front(), auth::Right::admin);
  }
  return fail(Errc::denied);
}

std::string_view title_of(int status) {
  switch (status) {
    case 400: return "The request is not right";
    case 401: return "Authentication required";
    case 403: return "Not allowed";
    case 404: return "Not found";
    case 405: return "Method not supported";
    case 409: return "Conflict";
    case 412: return "Changed meanwhile";
    case 413: return "Too large";
    case 422: return "Not valid";
    case 429: return "Too many requests";
    case 503: return "Not available now";
    default: return "Internal error";
  }
}

/// Statuses of this API; what /v2/ answers the same errors with is the distribution protocol's business.
int status_of(const Error& error) {
  switch (error.code) {
    case Errc::account_invalid: return 422;
    case Errc::referenced: return 409;
    default: return status_of_error(error);
  }
}

}  // namespace

AdminReply problem(const Error& error, std::string_view request_id) {
  const int status = status_of(error);
  JsonObject out;
  out.text("type", "/help/errors/" + std::string(to_string(error.code)));
  out.text("title", title_of(status)).number("status", status);
  out.text("detail", status == 500 || error.message.empty() ? title_of(status) : std::string_view(error.message));
  out.text("code", to_string(error.code)).text("request_id", request_id);
  AdminReply reply;
  reply.status = status;
  reply.body = out.str();
  reply.content_type = "application/problem+json";
  if (status == 405 && !error.items.empty()) reply.allow = error.items.front();
  if (status == 429) reply.retry_after_s = error.number;
  return reply;
}

Result<AdminCall> AdminApi::admit(const auth::Identity& identity, const AdminRequest& request, const AdminRoute*& route,
                                  const std::string& request_id) {
  BERTH_TRY(auto matched, match_admin(request));
  BERTH_TRY(auto query, http::Query::parse(request.query));
  AdminCall call{deps_,     identity, request, std::move(query), std::move(matched.captures), matched.route->operation,
                 request_id};
  if (auto checked = check_need(call, matched.route->need); !checked) {
    if (!identity.is_anonymous()) {
      auto entry = audit_entry(call);
      entry.allowed = false;
      entry.rule = checked.error().message;
      deps_.audit.note(std::move(entry));
    }
    return fail(std::move(checked).error());
  }
  route = matched.route;
  return call;
}

// borrows: both are of the awaiting frame
io::Task<AdminReply> AdminApi::handle(const auth::Identity& identity, const AdminRequest& request,
                                      std::string request_id) {
  const AdminRoute* route = nullptr;
  auto call = admit(identity, request, route, request_id);
  if (!call) co_return problem(call.error(), request_id);
  auto reply = co_await route->handler(*call);
  if (!reply) co_return problem(reply.error(), request_id);
  co_return *std::move(reply);
}

Result<void> check_not_a_job(const AdminCall& call) {
  if (call.identity.trust_rule == 0) return {};
  return fail(Errc::denied, "a job that signed in with its ID token cannot do what outlives it");
}

meta::AuditEntry audit_entry(const AdminCall& call) {
  meta::AuditEntry entry = call.deps.audit.entry(call.identity, call.request.address, call.request_id);
  entry.action = call.operation;
  entry.target = call.request.path.substr(0, kTargetBytesMax);
  entry.rule = call.identity.subject.is_admin ? "administrator" : "own account, or rights in the namespace";
  if (call.detail != "{}") entry.detail = call.detail;
  return entry;
}

AdminReply page_reply(const std::vector<std::string>& items, std::string_view next) {
  std::string list = "[";
  for (const std::string& item : items) {
    if (&item != &items.front()) list += ',';
    list += item;
  }
  JsonObject out;
  out.raw("items", list + "]");
  if (next.empty()) {
    out.raw("next", "null");
  } else {
    out.text("next", next);
  }
  AdminReply reply;
  reply.body = out.str();
  return reply;
}

Result<PageParameters> page_of(const AdminCall& call) {
  PageParameters out{.limit = kPageDefault, .after = {}};
  BERTH_TRY(const auto limit, call.query.single("limit"));
  if (limit) {
    BERTH_TRY(const std::int64_t wanted, parse_integer(*limit));
    if (wanted < 1) return fail(Errc::parameter_invalid, "limit must be at least 1");
    out.limit = std::min(wanted, kPageMax);
  }
  BERTH_TRY(const auto cursor, call.query.single("cursor"));
  if (cursor) {
    auto after = decode_base64url(*cursor);
    if (!after) return fail(Errc::parameter_invalid, "the cursor is not one of ours");
    out.after = *std::move(after);
  }
  return out;
}

std::string cursor_of(std::string_view last) { return encode_base64url(last); }

std::string etag_of(std::int64_t version) { return "\"v" + std::to_string(version) + "\""; }

Result<std::optional<std::int64_t>> wanted_version(const AdminCall& call) {
  std::string_view text = call.request.if_match;
  if (text.empty() || text == "*") return std::optional<std::int64_t>();
  std::int64_t version = 0;
  if (text.starts_with("\"v") && text.ends_with('"')) {
    text = text.substr(2, text.size() - 3);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
    if (error == std::errc{} && end == text.data() + text.size()) return std::optional(version);
  }
  return std::optional(std::int64_t{-1});  // a tag we never gave: matches nothing
}

Result<std::optional<meta::TokenRow>> secret_of(const AdminCall& call) {
  if (call.identity.via == 0) return std::optional<meta::TokenRow>();
  return call.deps.store.peek([&](sql::Connection& db) { return meta::find_token(db, call.identity.via); });
}

std::string time_json(std::optional<std::int64_t> at_ms) {
  if (!at_ms) return "null";
  const auto second = static_cast<std::time_t>(*at_ms / 1000);
  std::tm parts{};
  ::gmtime_r(&second, &parts);
  std::array<char, 64> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), "\"%Y-%m-%dT%H:%M:%SZ\"", &parts);
  return {text.data(), length};
}

Result<std::int64_t> parse_life_ms(std::string_view text) {
  BERTH_TRY(const std::int64_t life_ms, parse_duration_ms(text));
  constexpr std::int64_t kMin = 60LL * 1000;
  constexpr std::int64_t kMax = 10LL * 365 * 24 * 60 * 60 * 1000;
  if (life_ms < kMin || life_ms > kMax)
    return fail(Errc::parameter_invalid, "a life of '" + std::string(text) + "' is not between a minute and ten years");
  return life_ms;
}

}  // namespace berth::api
