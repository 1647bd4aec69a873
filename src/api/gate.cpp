#include "api/gate.h"

#include "api/caller_limits.h"
#include "api/certificate_access.h"
#include "api/challenge.h"
#include "http/chars.h"
#include "http/target.h"

namespace berth::api {

namespace {

using auth::Actions;
using auth::Right;

constexpr std::int64_t kGraceMs = 24LL * 60 * 60 * 1000;  // an upload begun in time may end in time (A11)

/// D2. An upload session can be cancelled all the same (A13).
Result<void> check_deletes(const Services& services, Endpoint endpoint, http::Method method) {
  const bool deletes_content = method == http::Method::delete_ && endpoint != Endpoint::upload_session;
  if (!deletes_content || services.deletes == Deletes::on) return {};
  return fail(Error(Errc::method_unknown, "deleting is switched off on this registry")
                  .with_items({std::string(allowed_methods(endpoint, Deletes::off))}));
}

/// What callers may do while nobody has an account.
Result<void> admit_without_accounts(const Services& services, Endpoint endpoint, const http::Request& request) {
  const Anonymous anonymous = services.anonymous;
  // Reading a session is part of pushing (A13).
  const bool reads = is_read(request.method) && endpoint != Endpoint::upload_session;
  if (anonymous == Anonymous::write) return check_deletes(services, endpoint, request.method);
  if (anonymous == Anonymous::read && reads) return {};
  return fail(Errc::unauthorized, anonymous == Anonymous::read
                                      ? "authentication required: this registry is read-only for anonymous callers"
                                      : "authentication required");
}

bool is_token(const auth::Identity& identity) { return identity.credential == auth::Credential::token; }

std::unexpected<Error> unauthorized(std::string message, std::string challenge) {
  return fail(Error(Errc::unauthorized, std::move(message)).with_items({std::move(challenge)}));
}

/// The other repository that a mount is asked from; empty if there is none.
std::string mount_source(const Route& route, const http::Request& request) {
  if (route.endpoint != Endpoint::upload_start) return {};
  const auto query = http::Query::parse(request.query);
  if (!query || !query->has("mount")) return {};
  const auto from = query->single("from");
  const bool is_another = from && *from && **from != route.name && oci::RepoName::parse(**from).has_value();
  return is_another ? **from : std::string();
}

/// "repository:team/app:pull,push", and the source of a mount (A13). Empty for what is no repository's name: nothing
/// unchecked gets into a header (S23).
std::string scopes_of(const Route& route, const Need& need, const http::Request& request) {
  if (!repo_of(route)) return {};
  const std::string source = mount_source(route, request);
  return "repository:" + route.name + ":" + need.actions.to_text() +
         (source.empty() ? std::string() : " repository:" + source + ":pull");
}

std::string_view verb_of(Right right) {
  switch (right) {
    case Right::read: return "pull from";
    case Right::write:
    case Right::overwrite: return "push to";
    case Right::remove: return "delete from";
    case Right::admin: return "administer";
  }
  return "";
}

/// Of what the need takes the first that is not there: a token brings a push with a pull (A13).
Right missing_of(const Need& need, bool is_by_token, auth::Rights held) {
  const bool lacks_pull = is_by_token && need.actions.has(Actions::pull) && !held.has(Right::read);
  return lacks_pull ? Right::read : need.right;
}

/// What is missing, and who can help. The same words whether the repository exists or not (A10). held: what the account
/// may there, whatever the credential leaves of it.
std::string refusal(const auth::Identity& identity, const Route& route, const Need& need, auth::Rights held) {
  const std::string act = std::string(verb_of(need.right)) + " " + route.name;
  const std::string& name = identity.subject.name;
  if (identity.is_anonymous()) return "authentication required to " + act;
  if (identity.is_external)
    return "the token of " + name + " does not allow to " + act + "; that is for the token server to decide";
  const auth::Rights covered = identity.narrowing.apply(auth::Rights::all(), route.name);
  if (!covered.has(missing_of(need, is_token(identity), covered)))
    return "the token of " + name + " is narrowed, and does not allow to " + act + "; use another one";
  const Right missing = missing_of(need, is_token(identity), held);
  if (is_token(identity) && held.has(missing))
    return "the token of " + name + " was not made to " + act + "; ask the token service for one that is";
  return name + " may not " + act + ": the right " + std::string(auth::to_string(missing)) + " is missing, which " +
         auth::who_can_grant(route.name.substr(0, route.name.find('/'))) + " can grant";
}

/// A10, the row "authenticated, action not granted".
std::unexpected<Error> refuse(const Context& context, const http::Exchange& exchange, const Need& need,
                              auth::Rights held = {}) {
  const auth::Identity& identity = *context.identity;
  const std::string scopes = scopes_of(context.route, need, exchange.request());
  if (is_token(identity)) {
    return unauthorized(refusal(identity, context.route, need, held),
                        challenge(context.services, exchange, scopes, "insufficient_scope"));
  }
  if (identity.is_anonymous()) {
    return unauthorized(refusal(identity, context.route, need, held),
                        challenge(context.services, exchange, scopes, ""));
  }
  if (need.right == Right::read) {
    const bool is_narrowed = !identity.narrowing.apply(auth::Rights::all(), context.route.name).has(Right::read);
    return fail(Errc::name_unknown, "no such repository, or " + std::string(is_narrowed ? "the token of " : "") +
                                        identity.subject.name + " may not see it");
  }
  return fail(Errc::denied, refusal(identity, context.route, need, held));
}

/// What somebody may do, as far as the credential he came with lets him.
Result<auth::Rights> rights_on(const Services& services, const auth::Identity& identity, const oci::RepoName& repo) {
  if (identity.is_external) return identity.rights_by_access(repo.str());
  BERTH_TRY(const auth::RulingPtr ruling, services.auth.directory.ruling(identity.subject, repo));
  return identity.narrowing.apply(ruling->rights, repo.str());
}

/// The scope of the challenge to a request that has no identity yet.
std::string wanted_scopes(const Context& context, const http::Request& request) {
  if (context.route.endpoint == Endpoint::catalog) return "registry:catalog:*";
  const auto need = need_of(context.route.endpoint, request.method);
  return need ? scopes_of(context.route, *need, request) : std::string();
}

/// By what another server's token says, and nothing else.
Result<void> authorise_external(Context& context, const http::Exchange& exchange, const Need& need) {
  const auth::Identity& identity = *context.identity;
  context.rights = identity.rights_by_access(context.route.name);
  if (need.right != Right::read) context.rule = "access of the token";
  if (!identity.actions_on(context.route.name).includes(need.actions)) return refuse(context, exchange, need);
  // A14: clients ask the token server for a mount's source once they are told to. One it denied is listed without
  // actions; then the mount becomes an upload.
  const std::string source = mount_source(context.route, exchange.request());
  if (source.empty() || identity.lists(source)) return {};
  return unauthorized(
      "the token of " + identity.subject.name + " does not allow to mount from " + source +
          "; that is for the token server to decide",
      challenge(context.services, exchange, scopes_of(context.route, need, exchange.request()), "insufficient_scope"));
}

Result<void> authorise(Context& context, const http::Exchange& exchange) {
  const auth::Identity& identity = *context.identity;
  const Endpoint endpoint = context.route.endpoint;
  if (endpoint == Endpoint::base || endpoint == Endpoint::catalog) {
    const bool is_catalog = endpoint == Endpoint::catalog;
    const std::string_view scopes = is_catalog ? "registry:catalog:*" : "";
    if (is_token(identity) && is_catalog && !identity.may_list_catalog()) {
      return unauthorized("the token was not made for the catalog",
                          challenge(context.services, exchange, scopes, "insufficient_scope"));
    }
    if (!identity.is_anonymous() || is_token(identity)) return {};
    return unauthorized("authentication required", challenge(context.services, exchange, scopes, ""));  // A1
  }
  const auto need = need_of(endpoint, exchange.request().method);
  if (!need) return {};
  const auto repo = repo_of(context.route);
  if (!repo && identity.is_anonymous()) return refuse(context, exchange, *need);
  BERTH_TRYV(repo);
  if (identity.is_external) return authorise_external(context, exchange, *need);
  BERTH_TRY(const auth::RulingPtr ruling, context.services.auth.directory.ruling(identity.subject, *repo));
  context.rights = identity.narrowing.apply(ruling->rights, repo->str());
  if (need->right != Right::read) context.rule = auth::to_text(ruling->cause_of(need->right));
  const bool is_covered = !is_token(identity) || identity.actions_on(repo->str()).includes(need->actions);
  if (!is_covered || !context.rights.has(need->right)) return refuse(context, exchange, *need, ruling->rights);
  return {};
}

/// Who asks. An invalid credential is an answer of its own, also where none was needed (A10).
/// began_in_time: the request did, and a token that has merely expired since is good.
io::Task<Result<auth::IdentityPtr>> identify(Context& context, http::Exchange& exchange, bool began_in_time) {
  const http::Request& request = exchange.request();
  auth::Authenticator& authenticator = context.services.auth.authenticator;
  std::string authorization = request.joined("Authorization");
  if (authorization.empty()) co_return identify_by_certificate(context.services, exchange, context.address);
  if (auto known = authenticator.find_cached(authorization)) co_return known;
  auto found = co_await authenticator.authenticate(authorization, context.address);
  if (found || found.error().code != Errc::unauthorized) co_return found;
  // A push of hours does not die of a token of minutes: whoever began the session may end it.
  if (began_in_time || context.route.endpoint == Endpoint::upload_session) {
    if (auto began = authenticator.find_expired(authorization, kGraceMs)) co_return began;
  }
  BERTH_CO_TRYV(take_request(context, nullptr));  // who proves nothing pays by his address
  const std::string_view error = auth::parse_bearer(authorization) ? "invalid_token" : "";  // A4
  co_return unauthorized(found.error().message,
                         challenge(context.services, exchange, wanted_scopes(context, request), error));
}

void note_refused_request(const Context& context, const http::Exchange& exchange, const Error& why) {
  const auto need = need_of(context.route.endpoint, exchange.request().method);
  if (need) note_refusal(context, need->actions.to_text(), context.route.name, why);
}

// Not inlined, nor is the next: what they need would lie in the coroutine's frame all the while (tests/guard counts
// it).
[[gnu::noinline]] Result<void> admit_nobody(Context& context, const http::Request& request) {
  BERTH_TRYV(take_request(context, nullptr));
  return admit_without_accounts(context.services, context.route.endpoint, request);
}

/// Once it is known who asks.
[[gnu::noinline]] Result<void> admit_somebody(Context& context, const http::Exchange& exchange) {
  BERTH_TRYV(take_request(context, context.identity.get()));
  if (auto allowed = authorise(context, exchange); !allowed) {
    note_refused_request(context, exchange, allowed.error());
    return allowed;
  }
  return check_deletes(context.services, context.route.endpoint, exchange.request().method);
}

/// Empty if there is none; nullopt if there are several, which are no credential (S23).
std::optional<std::string_view> only_authorization(const http::Request& request) {
  std::optional<std::string_view> found;
  for (const http::HeaderField& field : request.fields) {
    if (!http::iequals(field.name, "Authorization")) continue;
    if (found) return std::nullopt;
    found = field.value;
  }
  return found.value_or(std::string_view());
}

}  // namespace

void note_refusal(const Context& context, std::string action, std::string target, const Error& why) {
  if (!context.identity || context.identity->is_anonymous()) return;
  auth::AuditLog& log = context.services.auth.audit;
  auto entry = log.entry(*context.identity, context.address, context.request_id);
  entry.allowed = false;
  entry.action = std::move(action);
  entry.target = std::move(target);
  entry.rule = why.message;
  log.note(std::move(entry));
}

std::optional<Need> need_of(Endpoint endpoint, http::Method method) {
  const Need pull{Right::read, Actions::pull};
  const Need push{Right::write, Actions(Actions::pull) | Actions::push};
  const Need remove{Right::remove, Actions::remove};
  switch (endpoint) {
    case Endpoint::blob:
    case Endpoint::manifest:
      if (method == http::Method::put) return push;
      return method == http::Method::delete_ ? remove : pull;
    case Endpoint::upload_start:
    case Endpoint::upload_session: return push;  // whatever the method: cancelling, too (A13)
    case Endpoint::tags:
    case Endpoint::referrers:
    case Endpoint::repo_extensions: return pull;
    case Endpoint::base:
    case Endpoint::catalog:
    case Endpoint::extensions:
    case Endpoint::health:
    case Endpoint::ready:
    case Endpoint::metrics:
    case Endpoint::token:
    case Endpoint::jwks:
    case Endpoint::device_code:
    case Endpoint::setup:
    case Endpoint::page:
    case Endpoint::admin: break;
  }
  return std::nullopt;
}

std::optional<Result<void>> admit_at_once(Context& context, const http::Exchange& exchange) {
  const http::Request& request = exchange.request();
  const Endpoint endpoint = context.route.endpoint;
  if (!is_allowed(endpoint, request.method)) {
    return fail(Error(Errc::method_unknown, "the method is not supported here")
                    .with_items({std::string(allowed_methods(endpoint))}));
  }
  const bool is_of_accounts = endpoint == Endpoint::token || endpoint == Endpoint::jwks ||
                              endpoint == Endpoint::device_code || endpoint == Endpoint::page;
  if (is_of_accounts && context.services.auth.mode == AuthMode::external)
    return fail(Errc::route_unknown, "this registry makes no tokens; they come from the server its challenge names");
  if (!is_protocol(endpoint)) return Result<void>{};  // tells nothing of what is stored
  if (!context.services.auth.directory.has_accounts()) return admit_nobody(context, request);
  return std::nullopt;
}

io::Task<Result<void>> admit(Context& context, http::Exchange& exchange) {
  BERTH_CO_TRY(context.identity, co_await identify(context, exchange, false));
  co_return admit_somebody(context, exchange);
}

io::Task<Result<void>> admit_again(Context& context, http::Exchange& exchange) {
  if (!context.identity) co_return Result<void>{};  // there were no accounts
  BERTH_CO_TRY(context.identity, co_await identify(context, exchange, true));
  auto allowed = authorise(context, exchange);
  if (!allowed) note_refused_request(context, exchange, allowed.error());
  co_return allowed;
}

io::Task<Result<std::size_t>> RecheckedBody::read(std::span<std::byte> out) {
  BERTH_CO_TRY(const std::size_t got, co_await exchange_.read(out));
  if (got == 0) BERTH_CO_TRYV(co_await admit_again(context_, exchange_));
  co_return got;
}

AtHand may_read_at_hand(const Services& services, const http::Exchange& exchange, std::string_view repo) {
  const http::Request& request = exchange.request();
  auth::Directory& directory = services.auth.directory;
  if (!directory.has_accounts())
    return {admit_without_accounts(services, Endpoint::manifest, request).has_value(), nullptr};
  const auto authorization = only_authorization(request);
  const bool is_by_certificate = authorization && authorization->empty() && exchange.client_certificate() != nullptr;
  auto identity = is_by_certificate ? certificate_at_hand(services, exchange)
                  : authorization   ? services.auth.authenticator.find_cached(*authorization)
                                    : nullptr;
  if (!identity) return {};
  if (is_token(*identity) && !identity->actions_on(repo).has(Actions::pull)) return {};
  if (identity->is_external) return {identity->rights_by_access(repo).has(Right::read), identity};
  const auth::RulingPtr ruling = directory.find_ruling(identity->subject, repo);
  if (!ruling || !identity->narrowing.apply(ruling->rights, repo).has(Right::read)) return {};
  return {true, std::move(identity)};
}

Result<bool> may_read(const Context& context, const oci::RepoName& repo) {
  BERTH_TRY(const auth::Rights rights, rights_on(context.services, *context.identity, repo));
  return rights.has(Right::read);
}

registry::NameFilter visible_to(const Context& context) {
  const bool sees_all = !context.identity || context.identity->is_external ||
                        auth::decide(context.identity->asker(), auth::Act::see_every_repository).is_allowed();
  if (sees_all) return {};
  return [&services = context.services, identity = context.identity](const oci::RepoName& repo) -> Result<bool> {
    BERTH_TRY(const auth::Rights rights, rights_on(services, *identity, repo));
    return rights.has(Right::read);
  };
}

Result<oci::RepoName> repo_of(const Route& route) { return oci::RepoName::parse(route.name); }

Result<oci::RepoName> repo_to_write(const Context& context, std::string_view host) {
  BERTH_TRY(auto name, repo_of(context.route));
  const std::size_t bytes_max = context.services.limits.repo_name_bytes_max;
  if (!host.empty() && host.size() + 1 + name.str().size() > bytes_max) {
    return fail(Errc::name_invalid, "registry host and repository name together are longer than " +
                                        std::to_string(bytes_max) + " characters");
  }
  return name;
}

}  // namespace berth::api
