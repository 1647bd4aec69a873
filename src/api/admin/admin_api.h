#pragma once
// /api/v1: administration (web.md §8 of the design, docs/api.md for its users). One table of routes, each with what it
// takes to call it; handlers know no HTTP beyond status, body and entity tag. The commands that work on a stopped
// server's folder call the same handlers in their own process, so that there is one implementation of each operation.

#include "api/admin/calls_under_way.h"
#include "api/admin/json_object.h"
#include "api/routes.h"
#include "auth/accounts.h"
#include "auth/audit_log.h"
#include "auth/authenticator.h"
#include "auth/directory.h"
#include "auth/identity.h"
#include "auth/setup_token.h"
#include "auth/sign_in_limiter.h"
#include "auth/trusted_issuers.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/random.h"
#include "http/message.h"
#include "http/target.h"
#include "io/blocking_pool.h"
#include "io/task.h"
#include "meta/store.h"

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace berth::api {

/// Whether people make their own accounts.
enum class SignUp : std::uint8_t { off, open, invite };

struct AdminDeps {
  meta::Store& store;
  auth::Directory& directory;
  auth::AuditLog& audit;
  auth::SetupToken& setup;
  io::BlockingPool& passwords;
  const Clock& clock;
  Random& random;
  auth::SignInLimiter& limiter;  // of passwords that are asked for here, and of sign-ups
  SignUp sign_up = SignUp::off;
  meta::Visibility visibility = meta::Visibility::closed;  // of new namespaces
  std::int64_t job_life_ms = auth::kJobLifeMs;
  Deletes deletes = Deletes::on;
  auth::TrustedIssuers issuers = {};  // of trust rules
};

struct AdminRequest {
  http::Method method = http::Method::get;
  std::string path;   // behind /api/v1/, undecoded: "users/ann"
  std::string query;  // undecoded
  std::string body;
  std::string content_type;  // of the body; empty: not said, which is taken for JSON
  std::string if_match;
  std::string if_none_match;
  std::optional<std::string> idempotency_key;
  std::string address;  // of the client, for the record
};

struct AdminReply {
  int status = 200;
  std::string body;  // JSON; empty for none
  std::string etag;
  std::string location;
  std::string next;  // of a page: the cursor of the one behind it
  std::string link;  // to that one
  std::string content_type = "application/json";
  std::string cache_control = "no-store";
  std::string allow;                // of a 405
  std::uint64_t retry_after_s = 0;  // of a 429
  std::string rate_limit;           // likewise, as the header fields of that name
  std::string rate_limit_policy;
  std::string request_id;  // of a problem
  bool is_replay = false;  // of a call that was done before

  bool succeeded() const { return status < 300; }
};

/// What a caller must be, before the handler looks at the object.
enum class AdminNeed : std::uint8_t {
  anybody,               // no account: the set-up, and what tells nothing
  account,               // a signed-in user or robot
  profile,               // a person; a token for its profile
  user,                  // a person, by a credential that is not narrowed
  organizations,         // a person, or who reads the registry
  registry_reader,       // an administrator of the registry; a token for reading
  administrator,         // of the registry
  administrators_maker,  // likewise, by a credential that is not narrowed
  namespace_admin,       // of the namespace that the first capture names
  repo_reader,           // the right to read the repository of the first capture
  repo_admin,            // the right to administer it
};

struct AdminCall {
  AdminDeps& deps;
  const auth::Identity& identity;
  const AdminRequest& request;
  http::Query query;
  std::vector<std::string> captures;  // of the route's pattern, decoded
  std::string_view operation;
  std::string request_id;
  std::string detail = "{}";              // for the audit log, a JSON object; no secrets
  std::string rule = {};                  // likewise: by what the caller may
  std::string target = {};                // likewise, if it is not the path: the repository that it is about
  std::optional<meta::CallKey> key = {};  // if it must not be done twice
  std::vector<std::string> fields = {};   // of the answer, if not all are wanted
  bool is_dry_run = false;
  /// Of a dry run: what would go, counted before it does. It may find nothing: that is told by the change itself.
  std::function<Result<JsonObject>(sql::Connection&)> effects = {};

  meta::Stamp stamp() const {
    const bool is_known = identity.subject.id != 0;
    return {deps.clock.now_ms(), is_known ? std::optional(identity.subject.id) : std::nullopt};
  }
};

using AdminHandler = io::Task<Result<AdminReply>> (*)(AdminCall&);  // borrows: the call is of AdminApi::handle

struct AdminRoute {
  http::Method method;
  std::string_view pattern;  // "orgs/{org}/members/{user}"; {repo} takes any number of segments
  AdminNeed need;
  AdminHandler handler;
  std::string_view operation;  // the operationId of the OpenAPI document
  /// What it takes beside path and body, as the document names it, with spaces between: "limit cursor" of the query,
  /// "If-Match" of the header. Anything else in a query is refused, and so is a condition nobody would look at.
  std::string_view parameters = {};

  bool takes(std::string_view name) const;
};
/// All of them: for the dispatcher, and for the tests that hold each to its need and its document.
std::span<const AdminRoute> admin_routes();

class AdminApi {
 public:
  explicit AdminApi(AdminDeps deps) : deps_(std::move(deps)) {}
  SignUp sign_up() const { return deps_.sign_up; }
  /// Never fails: what goes wrong is a problem document (RFC 9457). request_id: shown in it.
  // borrows: identity and request outlive the awaiting frame
  io::Task<AdminReply> handle(const auth::Identity& identity, const AdminRequest& request, std::string request_id);

 private:
  // borrows: both are of AdminApi::handle
  io::Task<Result<AdminReply>> answer(AdminCall& call, const AdminRoute& route);
  Result<AdminCall> admit(const auth::Identity& identity, const AdminRequest& request, const AdminRoute*& route,
                          const std::string& request_id);

  AdminDeps deps_;
  CallsUnderWay under_way_;
};

/// RFC 9457. `path` is what was asked for, behind /api/v1/.
AdminReply problem(const Error& error, std::string_view request_id, std::string_view path);

// ---- for handlers

/// The members of the body. Errors: media_type_unknown, parameter_invalid.
Result<JsonFields> body_of(const AdminCall& call);
/// Says which member of the body is at fault: "/email".
template <class T>
Result<T> at(std::string_view pointer, Result<T> result) {
  if (!result) result.error().items = {std::string(pointer)};
  return result;
}
/// account_invalid for the value of that member.
std::unexpected<Error> refuse_at(std::string_view pointer, std::string why);
/// Of a namespace or a repository: "visibility", if it is given.
Result<std::optional<meta::Visibility>> visibility_of(JsonFields& fields);
/// Of a repository or a robot: at most 1000 bytes.
Result<void> check_description(std::string_view text);
/// A number that stands for something in a path. Errors: account_unknown.
Result<std::int64_t> id_of(std::string_view text);
AdminReply no_content();

/// {"items":[…],"next":"…"}: `next` is where the next page begins, empty at the end; `total` if it was asked for.
AdminReply page_reply(const std::vector<std::string>& items, std::string_view next, std::string_view total_json = {});
/// What a list is to tell of how many there are: nothing, all up to 10000, or at least how many up to 1000.
enum class Count : std::uint8_t { none, exact, estimate };
inline constexpr std::int64_t kExactMax = 10'000;
inline constexpr std::int64_t kEstimateMax = 1'000;
/// What a list is sorted by: the only thing, which is unique, and so what its cursor holds.
enum class SortKey : std::uint8_t { name, number };
struct PageParameters {
  std::int64_t limit = 50;
  meta::Order order = meta::Order::up;
  Count count = Count::none;
  std::string after;  // a name, or a number's text; empty: it begins at its end

  /// Where it begins, exclusive, as the lists of meta take it.
  std::string name_after() const;
  /// Errors: parameter_invalid.
  Result<std::int64_t> number_after() const;
};
/// limit (1 to 500, clamped), cursor, sort and count, as far as the route takes them. Errors: parameter_invalid.
Result<PageParameters> page_of(const AdminCall& call, SortKey key);
/// The cursor behind `last`, good for the order of that page alone.
std::string cursor_of(const PageParameters& page, std::string_view last);
inline std::string cursor_of(const PageParameters& page, std::int64_t last) {
  return cursor_of(page, std::string_view(std::to_string(last)));
}

/// "2026-11-23T10:00:00Z", or null.
std::string time_json(std::optional<std::int64_t> at_ms);
/// "90d", "12h", "30m". Errors: account_invalid.
Result<std::int64_t> parse_life_ms(std::string_view text);

/// The row of the secret that the caller came with; nullopt: it was a password. Errors: those of the database.
Result<std::optional<meta::TokenRow>> secret_of(const AdminCall& call);
/// For what is made in the name of an account: whoever works on a stopped server's folder may have none.
/// Errors: parameter_invalid.
Result<void> check_has_account(const AdminCall& call);
/// Whether who administers the namespace `here` may know of that account, be there one or not: a robot or team of
/// another namespace, where he is no member, only if it was given something here.
Result<bool> knows(const AdminCall& call, const std::string& name, std::string_view here);
/// What a token that is narrowed would need for that right on the repository: denied, with the scope.
std::unexpected<Error> lacks_right(auth::Right right, const oci::RepoName& repo);
/// What decide() said against something; ns: what it is on. account_unknown where it may not be seen, else denied, with
/// the scope that is missing where another secret would do.
std::unexpected<Error> refuse(const auth::Decision& decision, auth::Act act, std::string_view ns = {});
/// Whether the caller may do what the route's need does not tell; ns: what it is on. Errors: likewise.
Result<void> check_act(const AdminCall& call, auth::Act act, std::string_view ns = {});

/// What the call did, for the audit log.
meta::AuditEntry audit_entry(const AdminCall& call);

/// What belongs to a change whatever it is, for the inside of its transaction.
class ChangeFrame {
 public:
  explicit ChangeFrame(const AdminCall& call);
  /// Errors: unauthorized, if the caller is not who he was any more.
  Result<void> before(sql::Connection& db);
  /// For what is only known inside: goes into its entry beside the call's detail.
  void note(const JsonObject& found);
  /// Writes its entry of the audit log, and the key it came with. Errors: those of keep_call(); rehearsed, of a dry
  /// run: thus it runs as far as the real one, and nothing of it stays.
  Result<void> after(sql::Connection& db);

 private:
  auth::Identity caller_;
  meta::AuditEntry entry_;
  std::optional<meta::CallKey> key_;
  bool is_dry_run_;
  std::function<Result<JsonObject>(sql::Connection&)> effects_;
  JsonObject counted_;
};

/// What the call's write touches if it is no dry run, of which nothing stays.
inline meta::Touches touched_by(const AdminCall& call, meta::Touches touches) {
  return call.is_dry_run ? meta::Touches::nothing() : touches;
}

/// Runs `fn(Connection&) -> Result<T>` as one durable write with all that belongs to it.
template <class F>
auto change(AdminCall& call, meta::Touches touches, F fn) {
  return call.deps.store.write(
      [fn = std::move(fn), frame = ChangeFrame(call)](sql::Connection& db) mutable {
        using R = decltype(fn(db));
        if (auto begun = frame.before(db); !begun) return R(fail(std::move(begun).error()));
        R done = fn(db);
        if (!done) return done;
        if (auto ended = frame.after(db); !ended) return R(fail(std::move(ended).error()));
        return done;
      },
      {.touches = touched_by(call, touches)});
}
/// The same for what changes accounts.
template <class F>
auto change_accounts(AdminCall& call, F fn) {
  return change(call, meta::Touches::accounts(), std::move(fn));
}

}  // namespace berth::api
