#include "api/admin/admin_api.h"

#include "api/admin/conditions.h"
#include "api/admin/fields.h"
#include "api/admin/idempotency.h"
#include "api/admin/routes.h"
#include "api/error_response.h"
#include "auth/recheck.h"
#include "base/nearest.h"
#include "base/setting_text.h"
#include "http/chars.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>

namespace berth::api {

namespace {

constexpr std::size_t kTargetBytesMax = 300;
constexpr std::size_t kDescriptionBytesMax = 1000;
constexpr std::string_view kRepoCapture = "{repo}";
constexpr std::string_view kIfMatch = "If-Match";
constexpr std::string_view kIfNoneMatch = "If-None-Match";

std::vector<std::string_view> split(std::string_view text, char separator = '/') {
  std::vector<std::string_view> out;
  for (;;) {
    const std::size_t slash = text.find(separator);
    out.push_back(text.substr(0, slash));
    if (slash == std::string_view::npos) return out;
    text.remove_prefix(slash + 1);
  }
}

bool is_capture(std::string_view segment) { return segment.starts_with('{') && segment.ends_with('}'); }

/// A repository's name with real slashes takes all segments up to "-", behind which stands what is asked of it. Is
/// there one whose own name has a component "-"? The grammar has none: '-' only joins (G1).
std::optional<std::vector<std::string>> match(std::string_view pattern, const http::Path& path) {
  const auto wanted = split(pattern);
  std::vector<std::string> captures;
  std::size_t at = 1;  // path[0] is of the leading slash's left side: see match_admin
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (at >= path.size()) return std::nullopt;
    if (wanted[i] == kRepoCapture && !path[at].empty()) {
      std::string name(path[at++]);
      while (at < path.size() && path[at] != "-") name.append("/").append(path[at++]);
      captures.push_back(std::move(name));
    } else if (is_capture(wanted[i]) && !path[at].empty()) {
      captures.emplace_back(path[at++]);
    } else if (wanted[i] != path[at++]) {
      return std::nullopt;
    }
  }
  if (at != path.size()) return std::nullopt;
  return captures;
}

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
    if (route.method == http::Method::get) allowed += ", HEAD";
  }
  if (allowed.empty()) return fail(Errc::route_unknown, "there is nothing at this address");
  return fail(Error(Errc::method_unknown, "the method is not supported here").with_items({allowed}));
}

/// What may not be seen is not there (A10).
std::unexpected<Error> invisible() {
  return fail(Errc::account_unknown, "there is no such thing, or you may not see it");
}

/// A denial whose item is the scope that would do; empty: none would. Only these have one.
std::unexpected<Error> lacks_scope(const std::string& scope) {
  std::string why = scope.empty()
                        ? "no token that is narrowed may do this; it takes your password, or a token that is not"
                        : "the token is narrowed, and the scope " + scope + " is not among what it is for";
  return fail(Error(Errc::denied, std::move(why)).with_items({scope}));
}

bool lacks_a_scope(const Error& error) { return error.code == Errc::denied && !error.items.empty(); }

Result<void> check_right(AdminCall& call, const std::string& name, auth::Right right) {
  const auto repo = oci::RepoName::parse(name);
  if (!repo) return invisible();
  BERTH_TRY(const auth::RulingPtr ruling, call.deps.directory.ruling(call.identity.subject, *repo));
  const auth::Rights rights = call.identity.narrowing.apply(ruling->rights, name);
  call.rule = auth::to_text(ruling->cause_of(right));
  if (rights.has(right)) return {};
  if (!rights.has(auth::Right::read)) return invisible();
  if (ruling->rights.has(right)) return lacks_right(right, *repo);
  return fail(Errc::denied, "the right " + std::string(auth::to_string(right)) + " on " + name + " is missing");
}

/// Looked for among his own organisations, so that it takes a stranger's time whether there is one of that name or not.
Result<std::optional<meta::Role>> own_role(sql::Connection& db, const auth::Subject& self, std::string_view org) {
  BERTH_TRY(const auto own, meta::list_orgs_of(db, self.id));
  if (std::ranges::find(own, org, &meta::Namespace::name) == own.end()) return std::optional<meta::Role>();
  return auth::role_of_member(db, org, self.name);
}

/// Whoever is in an organisation sees it in his list: there it is told what he is, and what it takes.
Result<auth::Decision> decide(const AdminCall& call, auth::Act act, std::string_view ns) {
  BERTH_TRY(auto decision, call.deps.directory.decide(call.identity.asker(), act, ns));
  const auth::Identity& self = call.identity;
  const bool may_be_told = act == auth::Act::administer_namespace && decision.why == auth::Decision::Why::no_office &&
                           self.subject.id != 0 && !self.narrowing.is_narrow;
  if (!may_be_told) return decision;
  BERTH_TRY(const auto role, call.deps.store.peek([&](sql::Connection& db) { return own_role(db, self.subject, ns); }));
  if (!role) return decision;
  return fail(Errc::denied, "this takes an owner or an admin of " + std::string(ns) + ", or an administrator; " +
                                self.subject.name + " is a " + std::string(auth::to_word(*role)) + " of it");
}

Result<void> check_act_on(AdminCall& call, auth::Act act, std::string_view ns = {}) {
  BERTH_TRY(const auth::Decision decision, decide(call, act, ns));
  if (!decision.is_allowed()) return refuse(decision, act, ns);
  call.rule = auth::to_text(decision.cause);
  return {};
}

Result<void> check_need(AdminCall& call, AdminNeed need) {
  call.rule = need == AdminNeed::anybody ? "open to everybody" : "own account";
  if (need == AdminNeed::anybody) return {};
  if (call.identity.is_anonymous() && need != AdminNeed::repo_reader)
    return fail(Errc::unauthorized, "authentication required");
  switch (need) {
    case AdminNeed::anybody:
    case AdminNeed::account: return {};
    case AdminNeed::profile: return check_act_on(call, auth::Act::keep_profile);
    case AdminNeed::user: return check_act_on(call, auth::Act::keep_credentials);
    case AdminNeed::organizations:
      return check_act_on(
          call, check_act(call, auth::Act::read_registry) ? auth::Act::read_registry : auth::Act::keep_profile);
    case AdminNeed::registry_reader: return check_act_on(call, auth::Act::read_registry);
    case AdminNeed::administrator: return check_act_on(call, auth::Act::administer_registry);
    case AdminNeed::administrators_maker: return check_act_on(call, auth::Act::appoint_administrators);
    case AdminNeed::namespace_admin: return check_act_on(call, auth::Act::administer_namespace, call.captures.front());
    case AdminNeed::repo_reader: return check_right(call, call.captures.front(), auth::Right::read);
    case AdminNeed::repo_admin: return check_right(call, call.captures.front(), auth::Right::admin);
  }
  return fail(Errc::denied);
}

/// Those of a query are written small, those of the header are not.
std::vector<std::string_view> query_names(const AdminRoute& route) {
  std::vector<std::string_view> out;
  for (const std::string_view name : split(route.parameters, ' ')) {
    if (!name.empty() && name.front() >= 'a') out.push_back(name);
  }
  return out;
}

Result<void> check_parameters(const AdminCall& call, const AdminRoute& route) {
  const auto known = query_names(route);
  if (const auto stranger = call.query.first_beyond(known)) {
    const std::vector<std::string> words(known.begin(), known.end());
    return fail(Errc::parameter_invalid, "there is no parameter '" + std::string(*stranger) + "' here." +
                                             did_you_mean(nearest_of(words, *stranger)));
  }
  // A condition that nobody looks at would let through what its sender wanted stopped.
  const bool reads = route.method == http::Method::get;
  const bool changes = !reads && route.method != http::Method::post;
  const bool is_bound = !call.request.if_match.empty() && call.request.if_match != "*";
  if (!reads && is_bound && !route.takes(kIfMatch))
    return fail(Errc::precondition_failed, "it has no entity tag that If-Match could be compared with");
  if (changes && must_be_new(call) && !route.takes(kIfNoneMatch))
    return fail(Errc::precondition_failed, "it is there, or never will be: If-None-Match has no place here");
  return {};
}

/// To the page behind, with the parameters of this one.
std::string link_to(const AdminCall& call, const AdminRoute& route, std::string_view cursor) {
  std::string out = "</api/v1/" + call.request.path + "?";
  for (const std::string_view name : query_names(route)) {
    const auto value = call.query.single(name);
    if (name == "cursor" || !value || !*value) continue;
    out.append(name).append("=").append(http::percent_encode(**value)).append("&");
  }
  return out.append("cursor=").append(cursor).append(">; rel=\"next\"");
}

/// Whether the call is to be tried only. Errors: parameter_invalid.
Result<bool> wants_dry_run(const AdminCall& call) {
  BERTH_TRY(const auto word, call.query.single("dry_run"));
  if (!word || *word == "false") return false;
  if (*word == "true") return true;
  return fail(Errc::parameter_invalid, "dry_run is true or false");
}

AdminReply dry_run_reply(const AdminCall& call, const std::string& effects) {
  JsonObject out;
  out.boolean("dry_run", true).text("operation", call.operation).text("target", call.request.path);
  AdminReply reply;
  reply.body = out.raw("effects", effects).str();
  return reply;
}

void note_refusal(const AdminCall& call, const Error& why) {
  auto entry = audit_entry(call);
  entry.allowed = false;
  entry.rule = why.message;
  call.deps.audit.note(std::move(entry));
}

/// What a caller's own account is changed by, or looked at.
bool is_about_oneself(const AdminRoute& route) {
  const std::string_view pattern = route.pattern;
  return pattern == "user" || pattern.starts_with("user/") || pattern == "auth/short-lived" ||
         pattern == "robot/rotate";
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
    case 415: return "Not of a type that is read here";
    case 422: return "Not valid";
    case 429: return "Too many requests";
    case 503: return "Not available now";
    default: return "Internal error";
  }
}

/// draft-ietf-httpapi-ratelimit-headers: which limit was met, and when there is room again.
void tell_limit(const Error& error, AdminReply& reply) {
  reply.retry_after_s = error.number;
  if (error.items.size() < 3) return;
  const std::string name = "\"" + error.items[0] + "\"";
  reply.rate_limit = name + ";r=0;t=" + std::to_string(error.number);
  reply.rate_limit_policy = name + ";q=" + error.items[1] + ";w=" + error.items[2];
  if (error.items.size() > 3 && !error.items[3].empty()) reply.rate_limit_policy += ";qu=\"" + error.items[3] + "\"";
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

bool AdminRoute::takes(std::string_view name) const {
  const auto names = split(parameters, ' ');
  return std::ranges::find(names, name) != names.end();
}

AdminReply problem(const Error& error, std::string_view request_id, std::string_view path) {
  const int status = status_of(error);
  JsonObject out;
  const std::string code(lacks_a_scope(error) ? "insufficient_scope" : to_string(error.code));
  std::string type = "/help/errors/" + code;
  std::ranges::replace(type, '_', '-');
  out.text("type", type);
  out.text("title", title_of(status)).number("status", status);
  const std::string_view detail =
      status == 500 || error.message.empty() ? title_of(status) : std::string_view(error.message);
  out.text("detail", detail).text("instance", "/api/v1/" + std::string(path));
  out.text("code", code).text("request_id", request_id);
  const bool is_of_body = error.code == Errc::parameter_invalid || error.code == Errc::account_invalid;
  if (is_of_body && !error.items.empty()) {
    const std::string entry = JsonObject().text("pointer", error.items.front()).text("detail", detail).str();
    out.raw("errors", "[" + entry + "]");
  }
  if (lacks_a_scope(error)) out.text_or_null("scope", error.items.front());
  AdminReply reply;
  reply.status = status;
  reply.body = out.str();
  reply.content_type = "application/problem+json";
  reply.request_id = request_id;
  if (status == 405 && !error.items.empty()) reply.allow = error.items.front();
  if (status == 429) tell_limit(error, reply);
  return reply;
}

Result<AdminCall> AdminApi::admit(const auth::Identity& identity, const AdminRequest& request, const AdminRoute*& route,
                                  const std::string& request_id) {
  BERTH_TRY(auto matched, match_admin(request));
  BERTH_TRY(auto query, http::Query::parse(request.query));
  AdminCall call{deps_,     identity, request, std::move(query), std::move(matched.captures), matched.route->operation,
                 request_id};
  if (matched.route->pattern.starts_with("repos/{repo}")) call.target = call.captures[0];
  if (auto checked = check_need(call, matched.route->need); !checked) {
    if (!identity.is_anonymous()) note_refusal(call, checked.error());
    return fail(std::move(checked).error());
  }
  if (is_about_oneself(*matched.route)) BERTH_TRYV(check_has_account(call));
  BERTH_TRYV(check_parameters(call, *matched.route));
  BERTH_TRY(call.is_dry_run, wants_dry_run(call));
  BERTH_TRY(call.fields, wanted_fields(call));
  route = matched.route;
  return call;
}

/// Once, if it came with a key.
// borrows: both are of the awaiting frame
io::Task<Result<AdminReply>> AdminApi::answer(AdminCall& call, const AdminRoute& route) {
  BERTH_CO_TRY(call.key, call_key(call, route));
  if (!call.key) co_return co_await route.handler(call);
  const auto held = under_way_.begin(*call.key);
  if (!held) co_return fail(Errc::state_conflict, "the call before with that Idempotency-Key is still under way");
  BERTH_CO_TRY(const auto kept, deps_.store.peek([&](sql::Connection& db) {
    return meta::find_kept_call(db, *call.key, deps_.clock.now_ms());
  }));
  if (kept) co_return replay(*kept, *call.key);
  auto reply = co_await route.handler(call);
  if (!reply) co_return reply;
  // It is done, whether its answer can be kept for a replay or not.
  (void)co_await deps_.store.write([key = *call.key, answer = answer_to_keep(*reply)](
                                       sql::Connection& db) { return meta::keep_answer(db, key, answer); },
                                   {.touches = meta::Touches::nothing()});
  co_return reply;
}

// borrows: both are of the awaiting frame
io::Task<AdminReply> AdminApi::handle(const auth::Identity& identity, const AdminRequest& request,
                                      std::string request_id) {
  const AdminRoute* route = nullptr;
  auto call = admit(identity, request, route, request_id);
  if (!call) co_return problem(call.error(), request_id, request.path);
  auto reply = co_await answer(*call, *route);
  if (!reply && reply.error().code == Errc::denied) note_refusal(*call, reply.error());
  if (!reply && reply.error().code == Errc::rehearsed) co_return dry_run_reply(*call, reply.error().message);
  if (!reply) co_return problem(reply.error(), request_id, request.path);
  if (!reply->next.empty()) reply->link = link_to(*call, *route, reply->next);
  tell_shown(*reply);
  answer_if_unchanged(*call, *reply);
  trim_to(call->fields, *reply);
  co_return *std::move(reply);
}

Result<void> check_has_account(const AdminCall& call) {
  if (call.identity.subject.id != 0) return {};
  return fail(Errc::parameter_invalid,
              "this is done by an account, and who owns the data folder is none; say with --user as whom");
}

std::unexpected<Error> refuse(const auth::Decision& decision, auth::Act act, std::string_view ns) {
  using auth::Act;
  if (decision.why == auth::Decision::Why::of_a_job)
    return fail(Errc::denied,
                "a job that signed in with its ID token administers nothing: what it did would outlive it");
  if (decision.why == auth::Decision::Why::narrowed) return lacks_scope(auth::scope_for(act, ns));
  switch (act) {
    case Act::administer_namespace:
    case Act::know_members: return invisible();
    case Act::appoint_owners:
      return fail(Errc::denied, "only an owner of " + std::string(ns) + " makes owners, or changes one");
    case Act::keep_profile:
    case Act::keep_credentials: return fail(Errc::denied, "this is for people, with an account of their own");
    case Act::read_registry:
    case Act::administer_registry:
    case Act::appoint_administrators:
    case Act::see_every_repository: break;
  }
  return fail(Errc::denied, "this needs an administrator of the registry");
}

std::unexpected<Error> lacks_right(auth::Right right, const oci::RepoName& repo) {
  return lacks_scope("repo:" + std::string(auth::to_string(right)) + ":" + repo.str());
}

Result<void> check_act(const AdminCall& call, auth::Act act, std::string_view ns) {
  BERTH_TRY(const auth::Decision decision, decide(call, act, ns));
  if (decision.is_allowed()) return {};
  return refuse(decision, act, ns);
}

Result<bool> knows(const AdminCall& call, const std::string& name, std::string_view here) {
  BERTH_TRY(const auto elsewhere, call.deps.store.peek([&](sql::Connection& db) -> Result<std::optional<std::string>> {
    BERTH_TRY(const auto found, meta::find_principal(db, name));
    if (!found || !found->ns) return std::nullopt;
    BERTH_TRY(const auto its, meta::find_namespace(db, *found->ns));
    if (!its) return std::nullopt;
    BERTH_TRY(const auto ours, meta::find_namespace(db, here));
    if (!ours) return std::optional(its->name);
    BERTH_TRY(const std::int64_t grants, meta::count_grants(db, found->id, ours->id));
    return grants > 0 ? std::nullopt : std::optional(its->name);  // else it is in the list of grants already
  }));
  if (!elsewhere) return true;
  BERTH_TRY(const auto decision,
            call.deps.directory.decide(call.identity.asker(), auth::Act::know_members, *elsewhere));
  return decision.is_allowed();
}

meta::AuditEntry audit_entry(const AdminCall& call) {
  meta::AuditEntry entry = call.deps.audit.entry(call.identity, call.request.address, call.request_id);
  entry.action = call.operation;
  entry.target = (call.target.empty() ? call.request.path : call.target).substr(0, kTargetBytesMax);
  entry.rule = call.rule;
  entry.detail = joined_objects(entry.detail, call.detail);
  return entry;
}

ChangeFrame::ChangeFrame(const AdminCall& call)
    : caller_(call.identity),
      entry_(audit_entry(call)),
      key_(call.key),
      is_dry_run_(call.is_dry_run),
      effects_(call.effects) {}

Result<void> ChangeFrame::before(sql::Connection& db) {
  BERTH_TRYV(auth::check_still_stands(db, caller_, entry_.at_ms));
  if (!is_dry_run_ || !effects_) return {};
  BERTH_TRY(counted_, effects_(db));
  return {};
}

void ChangeFrame::note(const JsonObject& found) {
  entry_.detail = joined_objects(entry_.detail, found.str());
  counted_ = found;
}

Result<void> ChangeFrame::after(sql::Connection& db) {
  if (is_dry_run_) return fail(Errc::rehearsed, counted_.str());
  if (key_) BERTH_TRYV(meta::keep_call(db, *key_, entry_.at_ms));
  BERTH_TRYV(meta::append_audit(db, entry_));
  return {};
}

Result<JsonFields> body_of(const AdminCall& call) {
  std::string_view type = call.request.content_type;
  type = http::trim(type.substr(0, type.find(';')));
  const bool is_merge =
      call.request.method == http::Method::patch && http::iequals(type, "application/merge-patch+json");
  if (!type.empty() && !is_merge && !http::iequals(type, "application/json"))
    return fail(Errc::media_type_unknown, "the body must be application/json, and be said to be by Content-Type");
  // A creation may have nothing to say; a patch of nothing is a slip.
  if (call.request.method == http::Method::patch && call.request.body.empty())
    return fail(Errc::parameter_invalid, "the body is missing");
  return JsonFields::parse(call.request.body);
}

std::unexpected<Error> refuse_at(std::string_view pointer, std::string why) {
  return fail(Error(Errc::account_invalid, std::move(why)).with_items({std::string(pointer)}));
}

Result<std::optional<meta::Visibility>> visibility_of(JsonFields& fields) {
  BERTH_TRY(const auto word, fields.word("visibility"));
  if (!word) return std::optional<meta::Visibility>();
  const auto visibility = auth::parse_visibility(*word);
  if (!visibility) return refuse_at("/visibility", "visibility is private, internal or public");
  return visibility;
}

Result<void> check_description(std::string_view text) {
  if (text.size() <= kDescriptionBytesMax) return {};
  return fail(Errc::account_invalid, "a description has at most 1000 bytes");
}

Result<std::int64_t> id_of(std::string_view text) {
  std::int64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error == std::errc{} && end == text.data() + text.size() && id > 0) return id;
  return fail(Errc::account_unknown, "there is nothing of the number '" + std::string(text.substr(0, 40)) + "'");
}

AdminReply no_content() { return {.status = 204, .body = {}, .etag = {}, .location = {}}; }

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
  const auto life = parse_duration_ms(text);
  if (!life) return fail(Errc::account_invalid, life.error().message);
  const std::int64_t life_ms = *life;
  constexpr std::int64_t kMin = 60LL * 1000;
  constexpr std::int64_t kMax = 10LL * 365 * 24 * 60 * 60 * 1000;
  if (life_ms < kMin || life_ms > kMax)
    return fail(Errc::account_invalid, "a life of '" + std::string(text) + "' is not between a minute and ten years");
  return life_ms;
}

}  // namespace berth::api
