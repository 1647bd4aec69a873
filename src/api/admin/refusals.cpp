// What a request was refused for, by the name it was answered with (X-Request-Id): the words that its caller was told,
// for the caller himself and for whoever can do something about it.

#include "api/admin/routes.h"
#include "meta/namespaces.h"

#include <array>

namespace berth::api::admin {

namespace {

constexpr std::int64_t kSameNameMax = 20;  // that are looked through where a proxy gave several requests one name

/// What the gate calls what was wanted of a repository, and what explain does.
struct Wanted {
  std::string_view recorded;
  std::string_view action;
};
constexpr auto kWanted =
    std::to_array<Wanted>({{"pull", "pull"}, {"pull,push", "push"}, {"delete", "delete"}, {"manifest.push", "push"}});

/// The question to explain whose answer shows how things are by now.
struct Question {
  oci::RepoName repo;
  std::string object;  // the repository, or the tag in it
  std::string_view action;
};
/// What it takes on the repository that an operation of this API is about; empty: it is about none.
std::string_view action_of(std::string_view operation) {
  if (operation == "createRepository") return "push";
  for (const AdminRoute& route : admin_routes()) {
    if (route.operation != operation) continue;
    return route.need == AdminNeed::repo_reader ? "pull" : route.need == AdminNeed::repo_admin ? "admin" : "";
  }
  return {};
}

/// nullopt: what was refused was no right on a repository.
std::optional<Question> question_of(const meta::AuditEntry& entry) {
  if (const std::string_view action = action_of(entry.action); !action.empty()) {
    auto repo = oci::RepoName::parse(entry.target);
    return repo ? std::optional(Question{*std::move(repo), entry.target, action}) : std::nullopt;
  }
  for (const Wanted& wanted : kWanted) {
    if (wanted.recorded != entry.action) continue;
    std::string object = entry.target.substr(0, entry.target.find('@'));
    auto repo = oci::RepoName::parse(std::string_view(object).substr(0, object.find(':')));
    if (!repo) return std::nullopt;
    return Question{*std::move(repo), std::move(object), wanted.action};
  }
  return std::nullopt;
}

Result<bool> reads_record(const AdminCall& call) {
  BERTH_TRY(const auto office, call.deps.directory.decide(call.identity.asker(), auth::Act::read_registry));
  return office.is_allowed();
}

/// The secret that the request came with; 0: none.
meta::TokenId via_of(const meta::AuditEntry& entry) {
  const auto detail = json::parse(entry.detail);
  const json::Value* via = detail ? detail->find("via") : nullptr;
  return via != nullptr && via->is(json::Value::Kind::integer) ? via->integer() : 0;
}

/// Whoever owns a namespace now has nothing to do with what happened when it was another's.
Result<bool> is_of_owners_time(const AdminCall& call, const meta::AuditEntry& entry, const oci::RepoName& repo) {
  BERTH_TRY(const auto since,
            call.deps.store.peek([&](sql::Connection& db) { return meta::owned_since(db, repo.first_component()); }));
  return !since || entry.at_ms >= *since;
}

/// Who was refused, and who administers the repository. A token that is narrowed: of what it was refused itself, and of
/// what it is for.
Result<bool> is_concerned(const AdminCall& call, const meta::AuditEntry& entry) {
  const auth::Identity& self = call.identity;
  const bool is_self = self.subject.id != 0 && entry.actor_id == self.subject.id;
  const auto question = question_of(entry);
  if (self.narrowing.is_narrow) {
    if (is_self && self.via != 0 && via_of(entry) == self.via) return true;  // it was told that before
    const auto right = question ? auth::parse_right(question->action) : std::nullopt;
    return is_self && right && self.narrowing.apply(auth::Rights::all(), question->repo.str()).has(*right);
  }
  if (is_self) return true;
  if (!question) return false;
  BERTH_TRY(const auto own, call.deps.directory.ruling(self.subject, question->repo));
  if (!own->rights.has(auth::Right::admin)) return false;
  return is_of_owners_time(call, entry, question->repo);
}

AdminReply reply_of(const meta::AuditEntry& entry, bool with_address) {
  JsonObject out;
  out.text("request_id", entry.request).raw("at", time_json(entry.at_ms)).text_or_null("actor", entry.actor);
  out.text("action", entry.action).text("target", entry.target).text("because", entry.rule);
  out.text_or_null("ip", with_address ? entry.peer : "");
  const auto question = question_of(entry);
  out.raw("question",
          question ? JsonObject().text("repo", question->object).text("action", question->action).str() : "null");
  AdminReply reply;
  reply.body = out.str();
  return reply;
}

}  // namespace

Done get_refusal(AdminCall& call) {
  const std::string& request = call.captures[0];
  BERTH_CO_TRY(const bool sees_all, reads_record(call));
  BERTH_CO_TRY(const auto found, co_await call.deps.store.read([&](sql::Connection& db) {
    return meta::find_refusals(db, request, kSameNameMax);
  }));
  for (const meta::AuditEntry& entry : found) {
    BERTH_CO_TRY(const bool concerned, is_concerned(call, entry));
    if (sees_all || concerned) co_return reply_of(entry, sees_all);
  }
  co_return fail(Errc::account_unknown,
                 "no refusal to a request of that name is on record that you may see; what callers without an account "
                 "are refused is not recorded, nor everything in a flood");
}

}  // namespace berth::api::admin
