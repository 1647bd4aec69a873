// Who may call which operation of the administration API: every route of admin_routes() with every kind of caller. What
// each needs is said here once more, apart from the table the server has; so are the requests, which are such that
// whoever is let in changes nothing: a body that is refused, an object that may not go, or one that comes back.
#include "api/admin/admin_api.h"
#include "server/authorization_world.h"

#include <algorithm>

namespace berth::test {
namespace {

using api::AdminNeed;
using api::AdminRoute;
using http::Method;

struct OperationRow {
  const char* operation;
  AdminNeed need;
  const char* path;
  const char* body;
  int answer;             // to whoever is let in
  int robots_answer = 0;  // to a robot that is, if that differs
  void (*prepare)(TestAccounts&) = nullptr;
};

void make_team(TestAccounts& accounts) { (void)accounts.add_team("acme/devs", {}); }
void fill_team(TestAccounts& accounts) {
  make_team(accounts);
  (void)accounts.join_team("acme/devs", "reader");
}
void make_repo(TestAccounts& accounts) { (void)accounts.add_repo("acme/gone"); }
void make_robot(TestAccounts& accounts) { (void)accounts.add_robot("acme+gone"); }

constexpr OperationRow kOperations[] = {
    {"getDocument", AdminNeed::anybody, "openapi.json", "", 200},
    {"setUp", AdminNeed::anybody, "setup", "{}", 400},
    {"signUp", AdminNeed::anybody, "signup", "{}", 400},
    {"listInvites", AdminNeed::registry_reader, "invites", "", 200},
    {"createInvite", AdminNeed::administrator, "invites", R"({"x":1})", 400},
    {"revokeInvite", AdminNeed::administrator, "invites/999999", "", 404},
    {"getSelf", AdminNeed::account, "user", "", 200},
    {"changeSelf", AdminNeed::profile, "user", R"({"x":1})", 400},
    {"changeOwnPassword", AdminNeed::user, "user/password", "{}", 400},
    {"listTokens", AdminNeed::user, "user/tokens", "", 200},
    {"createToken", AdminNeed::user, "user/tokens", "{}", 400},
    {"getToken", AdminNeed::user, "user/tokens/999999", "", 404},
    {"revokeToken", AdminNeed::user, "user/tokens/999999", "", 404},
    {"listSessions", AdminNeed::profile, "user/sessions", "", 200},
    {"endOwnSessions", AdminNeed::profile, "user/sessions", "", 204},
    {"endSession", AdminNeed::profile, "user/sessions/999999", "", 404},
    {"createShortLivedPassword", AdminNeed::account, "auth/short-lived", R"({"x":1})", 400},
    {"rotateOwnSecret", AdminNeed::account, "robot/rotate", R"({"x":1})", 403, 400},
    {"listUsers", AdminNeed::registry_reader, "users", "", 200},
    {"createUser", AdminNeed::administrator, "users", "{}", 400},
    {"getUser", AdminNeed::registry_reader, "users/reader", "", 200},
    {"changeUser", AdminNeed::administrator, "users/reader", R"({"x":1})", 400},
    {"setUserPassword", AdminNeed::administrators_maker, "users/reader/password", "{}", 400},
    {"removeUser", AdminNeed::administrator, "users/owner", "", 409},  // the last owner of acme
    {"endUserSessions", AdminNeed::administrator, "users/reader/sessions", "", 204},
    {"listOrganizations", AdminNeed::organizations, "orgs", "", 200},
    {"createOrganization", AdminNeed::administrator, "orgs", "{}", 400},
    {"removeOrganization", AdminNeed::namespace_admin, "orgs/acme", "", 409},  // has repositories
    {"listMembers", AdminNeed::namespace_admin, "orgs/acme/members", "", 200},
    {"putMember", AdminNeed::namespace_admin, "orgs/acme/members/reader", R"({"role":"x"})", 422},
    {"removeMember", AdminNeed::namespace_admin, "orgs/acme/members/owner", "", 409},  // the last owner
    {"listTeams", AdminNeed::namespace_admin, "orgs/acme/teams", "", 200},
    {"createTeam", AdminNeed::namespace_admin, "orgs/acme/teams", "{}", 400},
    {"getTeam", AdminNeed::namespace_admin, "orgs/acme/teams/devs", "", 200, 0, make_team},
    {"changeTeam", AdminNeed::namespace_admin, "orgs/acme/teams/devs", R"({"x":1})", 400, 0, make_team},
    {"removeTeam", AdminNeed::namespace_admin, "orgs/acme/teams/devs", "", 204, 0, make_team},
    {"listTeamMembers", AdminNeed::namespace_admin, "orgs/acme/teams/devs/members", "", 200, 0, make_team},
    {"putTeamMember", AdminNeed::namespace_admin, "orgs/acme/teams/devs/members/reader", "", 200, 0, fill_team},
    {"removeTeamMember", AdminNeed::namespace_admin, "orgs/acme/teams/devs/members/reader", "", 204, 0, fill_team},
    {"getNamespace", AdminNeed::namespace_admin, "namespaces/acme", "", 200},
    {"changeNamespace", AdminNeed::namespace_admin, "namespaces/acme", R"({"x":1})", 400},
    {"listRobots", AdminNeed::namespace_admin, "namespaces/acme/robots", "", 200},
    {"createRobot", AdminNeed::namespace_admin, "namespaces/acme/robots", "{}", 400},
    {"getRobot", AdminNeed::namespace_admin, "namespaces/acme/robots/acme+ro", "", 200},
    {"changeRobot", AdminNeed::namespace_admin, "namespaces/acme/robots/acme+ro", R"({"x":1})", 400},
    {"removeRobot", AdminNeed::namespace_admin, "namespaces/acme/robots/acme+gone", "", 204, 0, make_robot},
    {"rotateRobotSecret", AdminNeed::namespace_admin, "namespaces/acme/robots/acme+ro/rotate", R"({"x":1})", 400},
    {"listTrustRules", AdminNeed::namespace_admin, "namespaces/acme/trust", "", 200},
    {"createTrustRule", AdminNeed::namespace_admin, "namespaces/acme/trust", "{}", 400},
    {"getTrustRule", AdminNeed::namespace_admin, "namespaces/acme/trust/999999", "", 404},
    {"changeTrustRule", AdminNeed::namespace_admin, "namespaces/acme/trust/999999", "{}", 404},
    {"removeTrustRule", AdminNeed::namespace_admin, "namespaces/acme/trust/999999", "", 404},
    {"listGrants", AdminNeed::namespace_admin, "namespaces/acme/grants", "", 200},
    {"putGrant", AdminNeed::namespace_admin, "namespaces/acme/grants", "{}", 400},
    {"removeGrant", AdminNeed::namespace_admin, "namespaces/acme/grants/999999", "", 404},
    {"explain", AdminNeed::account, "explain?repo=acme/private&action=pull", "", 200},
    {"getRefusal", AdminNeed::account, "refusals/none-1", "", 404},
    {"listAudit", AdminNeed::registry_reader, "audit", "", 200},
    {"exportAudit", AdminNeed::registry_reader, "audit/export", "", 200},
    {"verifyAudit", AdminNeed::registry_reader, "audit/verify", "", 200},
    {"listRepositories", AdminNeed::anybody, "repos", "", 200},
    {"createRepository", AdminNeed::account, "repos", "{}", 400},
    {"getRepository", AdminNeed::repo_reader, "repos/acme/private", "", 200},
    {"changeRepository", AdminNeed::repo_admin, "repos/acme/private", R"({"x":1})", 400},
    {"removeRepository", AdminNeed::repo_admin, "repos/acme/gone", "", 204, 0, make_repo},
    {"getReadme", AdminNeed::repo_reader, "repos/acme/private/-/readme", "", 404},
    {"putReadme", AdminNeed::repo_admin, "repos/acme/private/-/readme", "\xff", 422},
    {"removeReadme", AdminNeed::repo_admin, "repos/acme/private/-/readme", "", 404},
    {"getRepositoryUsage", AdminNeed::repo_reader, "repos/acme/private/-/usage", "", 200},
    {"renameRepository", AdminNeed::repo_admin, "repos/acme/private/-/rename", "{}", 400},
    {"transferRepository", AdminNeed::repo_admin, "repos/acme/private/-/transfer", "{}", 400},
};

/// What a caller gets who is not let in; 0: he is.
int refusal(Caller caller, AdminNeed need) {
  if (caller == Caller::disabled) return 401;
  const bool is_nobody = caller == Caller::anonymous;
  const bool is_robot = caller == Caller::reading_robot || caller == Caller::pushing_robot;
  const bool is_in_charge = caller == Caller::owner || caller == Caller::admin;
  const bool reads = !is_nobody && caller != Caller::stranger;
  switch (need) {
    case AdminNeed::anybody: return 0;
    case AdminNeed::account: return is_nobody ? 401 : 0;
    case AdminNeed::profile:
    case AdminNeed::organizations:
    case AdminNeed::user: return is_nobody ? 401 : is_robot || caller == Caller::narrowed ? 403 : 0;
    case AdminNeed::registry_reader:
    case AdminNeed::administrators_maker:
    case AdminNeed::administrator: return is_nobody ? 401 : caller == Caller::admin ? 0 : 403;
    case AdminNeed::namespace_admin:
      if (is_nobody) return 401;
      if (caller == Caller::narrowed) return 403;
      if (is_in_charge) return 0;
      return caller == Caller::reader || caller == Caller::writer ? 403 : 404;  // who is in it sees it
    case AdminNeed::repo_reader: return reads ? 0 : 404;
    case AdminNeed::repo_admin:
      if (is_nobody) return 401;
      if (is_in_charge) return 0;
      return reads ? 403 : 404;
  }
  return -1;
}

std::string word_of(Method method) {
  switch (method) {
    case Method::get: return "GET";
    case Method::post: return "POST";
    case Method::put: return "PUT";
    case Method::patch: return "PATCH";
    case Method::delete_: return "DELETE";
    default: return "?";
  }
}

const OperationRow* row_of(const AdminRoute& route) {
  const auto row =
      std::ranges::find_if(kOperations, [&](const OperationRow& r) { return route.operation == r.operation; });
  return row == std::end(kOperations) ? nullptr : row;
}

constexpr const char* kInvisible = R"("detail":"there is no such thing, or you may not see it")";

class AdminMatrix : public AuthorizationWorld {
 protected:
  void SetUp() override {
    AuthorizationWorld::SetUp();
    client.ask("POST", std::string("/v2/acme/private/blobs/uploads/?digest=") + sha256_of("x"), "x",
               as(basic(Caller::owner)));
    // The first time, which makes the tokens, while everybody may.
    for (const Caller caller : kCallers) (void)bearer(caller);
    must(accounts.set_disabled("disabled", true));
  }

  WireResponse call(const AdminRoute& route, const OperationRow& row, const std::string& authorization) {
    return client.ask(word_of(route.method), std::string("/api/v1/") + row.path, row.body, as(authorization));
  }

  void check(const AdminRoute& route, const OperationRow& row, Caller caller, const std::string& authorization) {
    const std::string cell = concat(to_string(caller), " ", route.operation, " ", authorization.substr(0, 6));
    if (row.prepare != nullptr) row.prepare(accounts);
    const WireResponse response = call(route, row, authorization);
    const bool is_robot = caller == Caller::reading_robot || caller == Caller::pushing_robot;
    const int refused = refusal(caller, row.need);
    const int let_in = is_robot && row.robots_answer != 0 ? row.robots_answer : row.answer;
    EXPECT_EQ(response.status, refused != 0 ? refused : let_in) << cell;
    // There are also other reasons for 404.
    EXPECT_EQ(response.body.contains(kInvisible), refused == 404) << cell;
  }
};

TEST_F(AdminMatrix, EveryCallerEveryRoute) {  // S10, S12, A16
  for (const AdminRoute& route : api::admin_routes()) {
    const OperationRow* row = row_of(route);
    ASSERT_NE(row, nullptr) << route.operation << " has no row in this test";
    for (const Caller caller : kCallers) {
      check(route, *row, caller, basic(caller));
      check(route, *row, caller, bearer(caller));
    }
  }
}

TEST_F(AdminMatrix, TokensOfTheRegistryAreForTheRegistry) {  // A16
  for (const Caller caller : {Caller::anonymous, Caller::owner, Caller::admin, Caller::pushing_robot}) {
    const WireResponse answer = client.ask("GET", "/token?scope=repository:acme/private:pull", {}, as(basic(caller)));
    std::map<std::string, std::string> captured;
    ASSERT_EQ(match_json(R"({"token":"{{*token}}"})", answer.body, captured), "");
    const std::string in_basic = "Basic " + base64("token:" + captured["token"]);
    for (const AdminRoute& route : api::admin_routes()) {
      EXPECT_EQ(call(route, *row_of(route), "Bearer " + captured["token"]).status, 401) << route.operation;
      EXPECT_EQ(call(route, *row_of(route), in_basic).status, 401) << route.operation;
    }
  }
}

/// Which needs a token of the administrator, who may everything, fulfils by which scopes.
struct ScopeRow {
  const char* scopes;
  std::vector<AdminNeed> opens;
};

TEST_F(AdminMatrix, AScopeOpensWhatItNamesAndNothingElse) {  // A16
  using enum AdminNeed;
  const ScopeRow rows[] = {
      {"[]", {}},
      {R"(["**:all"])", {repo_reader, repo_admin}},
      {R"(["repo:all:acme/**"])", {repo_reader, repo_admin}},
      {R"(["acme/*:read"])", {repo_reader}},
      {R"(["org:admin:acme"])", {namespace_admin}},
      {R"(["org:admin:acm","org:admin:admin"])", {}},
      {R"(["user"])", {profile, organizations}},
      {R"(["admin:read"])", {registry_reader, organizations}},
      {R"(["admin:write"])", {registry_reader, organizations, administrator}},
      {R"(["user","admin:write","org:admin:acme","**:all"])",
       {profile, organizations, registry_reader, administrator, namespace_admin, repo_reader, repo_admin}},
  };
  for (const ScopeRow& scope : rows) {
    const std::string secret = make_secret("admin", concat(R"({"name":"narrow","scopes":)", scope.scopes, "}"));
    for (const AdminRoute& route : api::admin_routes()) {
      const OperationRow* row = row_of(route);
      const bool is_for_all = row->need == anybody || row->need == account;
      const bool is_open = is_for_all || std::ranges::find(scope.opens, row->need) != scope.opens.end();
      const bool sees_repo = std::ranges::find(scope.opens, repo_reader) != scope.opens.end();
      const bool is_of_repo = row->need == repo_reader || row->need == repo_admin;
      if (row->prepare != nullptr) row->prepare(accounts);
      const WireResponse response = call(route, *row, "Bearer " + secret);
      const int refused = is_of_repo && !sees_repo ? 404 : 403;
      EXPECT_EQ(response.status, is_open ? row->answer : refused) << scope.scopes << " " << route.operation;
      const bool says_so = response.body.contains(R"("code":"insufficient_scope")");
      EXPECT_EQ(says_so, !is_open && refused == 403) << scope.scopes << " " << route.operation;
    }
  }
}

TEST_F(AdminMatrix, AScopeGivesNobodyMoreThanHeHas) {  // A16
  constexpr const char* kAll = R"({"name":"all","scopes":["user","admin:write","org:admin:acme","**:all"]})";
  for (const Caller caller : {Caller::stranger, Caller::reader, Caller::writer, Caller::owner}) {
    const std::string secret = make_secret(to_string(caller), kAll);
    for (const AdminRoute& route : api::admin_routes()) {
      const OperationRow* row = row_of(route);
      if (row->prepare != nullptr) row->prepare(accounts);
      const WireResponse response = call(route, *row, "Bearer " + secret);
      int refused = row->need == AdminNeed::user ? 403 : refusal(caller, row->need);
      // A token that is narrowed is not told what its owner is.
      if (row->need == AdminNeed::namespace_admin && refused == 403) refused = 404;
      EXPECT_EQ(response.status, refused != 0 ? refused : row->answer) << to_string(caller) << " " << route.operation;
    }
  }
}

TEST_F(AdminMatrix, TheTableHasNoRowTooMany) {
  EXPECT_EQ(std::size(kOperations), api::admin_routes().size());
  for (const AdminRoute& route : api::admin_routes()) {
    const OperationRow* row = row_of(route);
    ASSERT_NE(row, nullptr) << route.operation << " has no row in this test";
    EXPECT_EQ(row->need, route.need) << route.operation;
  }
}

}  // namespace
}  // namespace berth::test
