#pragma once
// The handlers of the administration API, a file a noun.

#include "api/admin/admin_api.h"
#include "api/admin/conditions.h"

namespace berth::api::admin {

using Done = io::Task<Result<AdminReply>>;

Done get_document(AdminCall& call);

Done get_self(AdminCall& call);
Done change_self(AdminCall& call);
Done change_own_password(AdminCall& call);
Done set_up(AdminCall& call);
Done list_users(AdminCall& call);
Done create_user(AdminCall& call);
Done get_user(AdminCall& call);
Done change_user(AdminCall& call);
Done set_user_password(AdminCall& call);
Done remove_user(AdminCall& call);

Done list_orgs(AdminCall& call);
Done create_org(AdminCall& call);
Done get_namespace(AdminCall& call);
Done change_namespace(AdminCall& call);
Done remove_org(AdminCall& call);
Done list_members(AdminCall& call);
Done put_member(AdminCall& call);
Done remove_member(AdminCall& call);

Done list_teams(AdminCall& call);
Done create_team(AdminCall& call);
Done get_team(AdminCall& call);
Done change_team(AdminCall& call);
Done remove_team(AdminCall& call);
Done list_team_members(AdminCall& call);
Done put_team_member(AdminCall& call);
Done remove_team_member(AdminCall& call);

Done list_robots(AdminCall& call);
Done create_robot(AdminCall& call);
Done get_robot(AdminCall& call);
Done change_robot(AdminCall& call);
Done remove_robot(AdminCall& call);
Done rotate_robot(AdminCall& call);
Done rotate_self(AdminCall& call);

Done list_tokens(AdminCall& call);
Done create_token(AdminCall& call);
Done get_token(AdminCall& call);
Done revoke_token(AdminCall& call);
Done create_short_lived(AdminCall& call);

Done sign_up(AdminCall& call);
Done list_invites(AdminCall& call);
Done create_invite(AdminCall& call);
Done revoke_invite(AdminCall& call);

Done list_sessions(AdminCall& call);
Done end_session(AdminCall& call);
Done end_own_sessions(AdminCall& call);
Done end_user_sessions(AdminCall& call);

Done list_trust_rules(AdminCall& call);
Done create_trust_rule(AdminCall& call);
Done get_trust_rule(AdminCall& call);
Done change_trust_rule(AdminCall& call);
Done remove_trust_rule(AdminCall& call);

Done list_grants(AdminCall& call);
Done put_grant(AdminCall& call);
Done remove_grant(AdminCall& call);

Done explain(AdminCall& call);
Done get_refusal(AdminCall& call);

Done list_repos(AdminCall& call);
Done create_repo(AdminCall& call);
Done get_repo(AdminCall& call);
Done change_repo(AdminCall& call);
Done remove_repo(AdminCall& call);
Done get_readme(AdminCall& call);
Done put_readme(AdminCall& call);
Done remove_readme(AdminCall& call);
Done get_usage(AdminCall& call);
Done rename_repo(AdminCall& call);
Done transfer_repo(AdminCall& call);

Done list_audit(AdminCall& call);
Done export_audit(AdminCall& call);
Done verify_audit(AdminCall& call);

}  // namespace berth::api::admin
