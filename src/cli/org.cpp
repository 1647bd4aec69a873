// berth org: organisations, their members and teams.

#include "base/json_text.h"
#include "cli/admin_verb.h"
#include "cli/commands.h"

namespace berth::cli {

namespace {

using http::Method;

struct OrgFlags {
  AdminFlags admin;
  std::string org;
  std::string user;
  std::string team;
  std::vector<std::string> groups;
  std::string role = "reader";
  std::string owner;
  bool adopt = false;
  bool no_group = false;
};
using FlagsPtr = std::shared_ptr<OrgFlags>;

std::string path_of(const OrgFlags& flags) { return "orgs/" + segment(flags.org); }
std::string team_path(const OrgFlags& flags) { return path_of(flags) + "/teams/" + segment(flags.team); }

Result<void> create(const OrgFlags& flags) {
  std::string body = "{\"name\":" + json_string(flags.org);
  if (!flags.owner.empty()) append_json_member(body, "owner", std::string_view(flags.owner));
  body += flags.adopt ? ",\"adopt_namespace\":true}" : "}";
  return call_and_say(flags.admin, Method::post, "orgs", body, "Created organisation " + flags.org);
}

Result<void> team_groups(const OrgFlags& flags) {
  const std::string team = flags.org + "/" + flags.team;
  if (flags.groups.empty() && !flags.no_group) {
    BERTH_TRY(auto client, AdminClient::open(flags.admin));
    BERTH_TRY(const auto found, client.call(Method::get, team_path(flags)));
    return print_rows(flags.admin, {{"TEAM", "name"}, {"GROUPS", "groups"}}, {found});
  }
  return call_and_say(flags.admin, Method::patch, team_path(flags), "{\"groups\":" + json_list(flags.groups) + "}",
                      flags.no_group ? "No group is " + team + " any more"
                                     : "Their members are in " + team + " from their next sign-in on");
}

void add_members(CLI::App& command, const FlagsPtr& flags, int& exit_code) {
  CLI::App* member = command.add_subcommand("member", "Who belongs to an organisation, and as what");
  member->require_subcommand(1);
  CLI::App* add =
      add_admin_verb(*member, "add", "Add somebody, or change a role", flags, exit_code, [](const OrgFlags& f) {
        return call_and_say(f.admin, Method::put, path_of(f) + "/members/" + segment(f.user),
                            "{\"role\":" + json_string(f.role) + "}",
                            f.user + " is " + f.role + " of " + f.org + " now");
      });
  add->alias("role");
  add->add_option("ORG", flags->org)->required();
  add->add_option("USER", flags->user)->required();
  add->add_option("--role,ROLE", flags->role, "reader, writer, admin or owner")
      ->check(CLI::IsMember({"reader", "writer", "admin", "owner"}))
      ->capture_default_str();
  CLI::App* rm =
      add_removing_verb(*member, "rm", "Take somebody out, of its teams too", flags, exit_code, [](const OrgFlags& f) {
        return call_and_say(f.admin, Method::delete_, path_of(f) + "/members/" + segment(f.user), {},
                            f.user + " is not in " + f.org + " any more");
      });
  rm->add_option("ORG", flags->org)->required();
  rm->add_option("USER", flags->user)->required();
  add_admin_verb(*member, "ls", "List the members", flags, exit_code,
                 [](const OrgFlags& f) {
                   return list_and_print(f.admin, path_of(f) + "/members", {{"USER", "user"}, {"ROLE", "role"}});
                 })
      ->add_option("ORG", flags->org)
      ->required();
}

void add_teams(CLI::App& command, const FlagsPtr& flags, int& exit_code) {
  CLI::App* team = command.add_subcommand("team", "Teams of an organisation: members who are given rights together");
  team->require_subcommand(1);
  CLI::App* create_team = add_admin_verb(*team, "create", "Create a team", flags, exit_code, [](const OrgFlags& f) {
    return call_and_say(f.admin, Method::post, path_of(f) + "/teams", "{\"name\":" + json_string(f.team) + "}",
                        "Created team " + f.org + "/" + f.team);
  });
  CLI::App* remove_team =
      add_deleting_verb(*team, "rm", "Remove a team with its grants", flags, exit_code, [](const OrgFlags& f) {
        const std::string name = "team " + f.org + "/" + f.team;
        return delete_and_say(f.admin, team_path(f), name, "Removed " + name);
      });
  CLI::App* add = add_admin_verb(*team, "add", "Put a member into a team", flags, exit_code, [](const OrgFlags& f) {
    return call_and_say(f.admin, Method::put, team_path(f) + "/members/" + segment(f.user), {},
                        f.user + " is in " + f.org + "/" + f.team + " now");
  });
  CLI::App* drop =
      add_removing_verb(*team, "drop", "Take a member out of a team", flags, exit_code, [](const OrgFlags& f) {
        return call_and_say(f.admin, Method::delete_, team_path(f) + "/members/" + segment(f.user), {},
                            f.user + " is not in " + f.org + "/" + f.team + " any more");
      });
  CLI::App* groups = add_admin_verb(*team, "groups", "Show or say which groups of the identity provider are the team",
                                    flags, exit_code, team_groups);
  CLI::App* members = add_admin_verb(
      *team, "members", "List who is in a team", flags, exit_code,
      [](const OrgFlags& f) { return list_and_print(f.admin, team_path(f) + "/members", {{"USER", "user"}}); });
  for (CLI::App* verb : {create_team, remove_team, add, drop, groups, members}) {
    verb->add_option("ORG", flags->org)->required();
    verb->add_option("TEAM", flags->team)->required();
  }
  groups->add_option("GROUP", flags->groups, "As the provider calls them, instead of those before; none: show them");
  groups->add_flag("--none", flags->no_group, "No group is the team any more")->excludes("GROUP");
  for (CLI::App* verb : {add, drop}) verb->add_option("USER", flags->user)->required();
  add_admin_verb(*team, "ls", "List the teams", flags, exit_code,
                 [](const OrgFlags& f) { return list_and_print(f.admin, path_of(f) + "/teams", {{"TEAM", "name"}}); })
      ->add_option("ORG", flags->org)
      ->required();
}

}  // namespace

void add_org(CLI::App& parent, int& exit_code) {
  CLI::App* command = parent.add_subcommand("org", "Organisations, their members and teams");
  command->require_subcommand(1);
  const auto flags = std::make_shared<OrgFlags>();
  CLI::App* creating = add_admin_verb(*command, "create", "Create an organisation", flags, exit_code, create);
  creating->add_option("ORG", flags->org, "Its name, which its repositories begin with")->required();
  creating->add_option("--owner", flags->owner, "The user who owns it (default: you)");
  creating->add_flag("--adopt-namespace", flags->adopt, "Take over the repositories in ORG/ that nobody owns");
  add_admin_verb(*command, "ls", "List organisations", flags, exit_code, [](const OrgFlags& f) {
    return list_and_print(f.admin, "orgs",
                          {{"NAME", "name"}, {"VISIBILITY", "visibility"}, {"", "kind"}, {"", "display_name"}});
  });
  add_deleting_verb(*command, "rm", "Remove an organisation without repositories", flags, exit_code,
                    [](const OrgFlags& f) {
                      const std::string name = "organisation " + f.org;
                      return delete_and_say(f.admin, path_of(f), name, "Removed " + name);
                    })
      ->add_option("ORG", flags->org)
      ->required();
  add_members(*command, flags, exit_code);
  add_teams(*command, flags, exit_code);
  add_teams(parent, flags, exit_code);  // without "org" in front, too
  command->footer(
      "Examples:\n"
      "  berth org create acme --owner ann\n"
      "  berth org member add acme bob --role writer\n"
      "  berth org team create acme devs && berth org team add acme devs bob");
}

}  // namespace berth::cli
