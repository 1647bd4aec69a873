#include "api/admin/routes.h"

namespace berth::api {

namespace {

using http::Method;
using Need = AdminNeed;
constexpr std::string_view kPage = "limit cursor sort count fields";
constexpr std::string_view kOne = "If-None-Match fields";
constexpr std::string_view kPost = "Idempotency-Key";
constexpr std::string_view kChange = "If-Match";
constexpr std::string_view kChangeOrTry = "If-Match dry_run";  // of what may take away by it
constexpr std::string_view kRemove = "If-Match dry_run";
constexpr std::string_view kEnd = "dry_run";  // of what has no tag
constexpr std::string_view kPut = "If-Match If-None-Match";

constexpr AdminRoute kRoutes[] = {
    {Method::get, "openapi.json", Need::anybody, admin::get_document, "getDocument", "If-None-Match"},
    {Method::post, "setup", Need::anybody, admin::set_up, "setUp"},
    {Method::post, "signup", Need::anybody, admin::sign_up, "signUp"},
    {Method::get, "invites", Need::registry_reader, admin::list_invites, "listInvites", kPage},
    {Method::post, "invites", Need::administrator, admin::create_invite, "createInvite", kPost},
    {Method::delete_, "invites/{id}", Need::administrator, admin::revoke_invite, "revokeInvite", kEnd},
    {Method::get, "user", Need::account, admin::get_self, "getSelf", kOne},
    {Method::patch, "user", Need::profile, admin::change_self, "changeSelf", kChange},
    {Method::put, "user/password", Need::user, admin::change_own_password, "changeOwnPassword"},
    {Method::get, "user/tokens", Need::user, admin::list_tokens, "listTokens", kPage},
    {Method::post, "user/tokens", Need::user, admin::create_token, "createToken", kPost},
    {Method::get, "user/tokens/{id}", Need::user, admin::get_token, "getToken", kOne},
    {Method::delete_, "user/tokens/{id}", Need::user, admin::revoke_token, "revokeToken", kRemove},
    {Method::get, "user/sessions", Need::profile, admin::list_sessions, "listSessions", kPage},
    {Method::delete_, "user/sessions", Need::profile, admin::end_own_sessions, "endOwnSessions", kEnd},
    {Method::delete_, "user/sessions/{id}", Need::profile, admin::end_session, "endSession", kEnd},
    {Method::post, "auth/short-lived", Need::account, admin::create_short_lived, "createShortLivedPassword", kPost},
    {Method::post, "robot/rotate", Need::account, admin::rotate_self, "rotateOwnSecret", kPost},
    {Method::get, "users", Need::registry_reader, admin::list_users, "listUsers", kPage},
    {Method::post, "users", Need::administrator, admin::create_user, "createUser", kPost},
    {Method::get, "users/{user}", Need::registry_reader, admin::get_user, "getUser", kOne},
    {Method::patch, "users/{user}", Need::administrator, admin::change_user, "changeUser", kChangeOrTry},
    {Method::put, "users/{user}/password", Need::administrators_maker, admin::set_user_password, "setUserPassword"},
    {Method::delete_, "users/{user}", Need::administrator, admin::remove_user, "removeUser", kRemove},
    {Method::delete_, "users/{user}/sessions", Need::administrator, admin::end_user_sessions, "endUserSessions", kEnd},
    {Method::get, "orgs", Need::organizations, admin::list_orgs, "listOrganizations", kPage},
    {Method::post, "orgs", Need::administrator, admin::create_org, "createOrganization", kPost},
    {Method::delete_, "orgs/{org}", Need::namespace_admin, admin::remove_org, "removeOrganization", kRemove},
    {Method::get, "orgs/{org}/members", Need::namespace_admin, admin::list_members, "listMembers", kPage},
    {Method::put, "orgs/{org}/members/{user}", Need::namespace_admin, admin::put_member, "putMember", kPut},
    {Method::delete_, "orgs/{org}/members/{user}", Need::namespace_admin, admin::remove_member, "removeMember",
     kRemove},
    {Method::get, "orgs/{org}/teams", Need::namespace_admin, admin::list_teams, "listTeams", kPage},
    {Method::post, "orgs/{org}/teams", Need::namespace_admin, admin::create_team, "createTeam", kPost},
    {Method::get, "orgs/{org}/teams/{team}", Need::namespace_admin, admin::get_team, "getTeam", kOne},
    {Method::patch, "orgs/{org}/teams/{team}", Need::namespace_admin, admin::change_team, "changeTeam", kChange},
    {Method::delete_, "orgs/{org}/teams/{team}", Need::namespace_admin, admin::remove_team, "removeTeam", kRemove},
    {Method::get, "orgs/{org}/teams/{team}/members", Need::namespace_admin, admin::list_team_members, "listTeamMembers",
     kPage},
    {Method::put, "orgs/{org}/teams/{team}/members/{user}", Need::namespace_admin, admin::put_team_member,
     "putTeamMember", kPut},
    {Method::delete_, "orgs/{org}/teams/{team}/members/{user}", Need::namespace_admin, admin::remove_team_member,
     "removeTeamMember", kRemove},
    {Method::get, "namespaces/{ns}", Need::namespace_admin, admin::get_namespace, "getNamespace", kOne},
    {Method::patch, "namespaces/{ns}", Need::namespace_admin, admin::change_namespace, "changeNamespace", kChange},
    {Method::get, "namespaces/{ns}/robots", Need::namespace_admin, admin::list_robots, "listRobots", kPage},
    {Method::post, "namespaces/{ns}/robots", Need::namespace_admin, admin::create_robot, "createRobot", kPost},
    {Method::get, "namespaces/{ns}/robots/{robot}", Need::namespace_admin, admin::get_robot, "getRobot", kOne},
    {Method::patch, "namespaces/{ns}/robots/{robot}", Need::namespace_admin, admin::change_robot, "changeRobot",
     kChangeOrTry},
    {Method::delete_, "namespaces/{ns}/robots/{robot}", Need::namespace_admin, admin::remove_robot, "removeRobot",
     kRemove},
    {Method::post, "namespaces/{ns}/robots/{robot}/rotate", Need::namespace_admin, admin::rotate_robot,
     "rotateRobotSecret", kPost},
    {Method::get, "namespaces/{ns}/trust", Need::namespace_admin, admin::list_trust_rules, "listTrustRules", kPage},
    {Method::post, "namespaces/{ns}/trust", Need::namespace_admin, admin::create_trust_rule, "createTrustRule", kPost},
    {Method::get, "namespaces/{ns}/trust/{id}", Need::namespace_admin, admin::get_trust_rule, "getTrustRule", kOne},
    {Method::patch, "namespaces/{ns}/trust/{id}", Need::namespace_admin, admin::change_trust_rule, "changeTrustRule",
     kChangeOrTry},
    {Method::delete_, "namespaces/{ns}/trust/{id}", Need::namespace_admin, admin::remove_trust_rule, "removeTrustRule",
     kRemove},
    {Method::get, "namespaces/{ns}/grants", Need::namespace_admin, admin::list_grants, "listGrants", kPage},
    {Method::put, "namespaces/{ns}/grants", Need::namespace_admin, admin::put_grant, "putGrant", kPut},
    {Method::delete_, "namespaces/{ns}/grants/{id}", Need::namespace_admin, admin::remove_grant, "removeGrant",
     kRemove},
    {Method::get, "explain", Need::account, admin::explain, "explain", "repo namespace action subject"},
    {Method::get, "refusals/{request}", Need::account, admin::get_refusal, "getRefusal", "fields"},
    {Method::get, "audit", Need::registry_reader, admin::list_audit, "listAudit",
     "actor target action since limit cursor fields"},
    {Method::get, "audit/export", Need::registry_reader, admin::export_audit, "exportAudit", "after limit"},
    {Method::get, "audit/verify", Need::registry_reader, admin::verify_audit, "verifyAudit", "head"},
    {Method::get, "repos", Need::anybody, admin::list_repos, "listRepositories", "q limit cursor sort count fields"},
    {Method::get, "repos/{repo}", Need::repo_reader, admin::get_repo, "getRepository", kOne},
    {Method::patch, "repos/{repo}", Need::repo_admin, admin::change_repo, "changeRepository", kChange},
    {Method::post, "repos", Need::account, admin::create_repo, "createRepository", kPost},
    {Method::delete_, "repos/{repo}", Need::repo_admin, admin::remove_repo, "removeRepository", kRemove},
    {Method::get, "repos/{repo}/-/readme", Need::repo_reader, admin::get_readme, "getReadme", "If-None-Match"},
    {Method::put, "repos/{repo}/-/readme", Need::repo_admin, admin::put_readme, "putReadme", kPut},
    {Method::delete_, "repos/{repo}/-/readme", Need::repo_admin, admin::remove_readme, "removeReadme", kRemove},
    {Method::get, "repos/{repo}/-/usage", Need::repo_reader, admin::get_usage, "getRepositoryUsage", "fields"},
    {Method::post, "repos/{repo}/-/rename", Need::repo_admin, admin::rename_repo, "renameRepository", kPost},
    {Method::post, "repos/{repo}/-/transfer", Need::repo_admin, admin::transfer_repo, "transferRepository", kPost},
};

}  // namespace

std::span<const AdminRoute> admin_routes() { return kRoutes; }

}  // namespace berth::api
