// berth robot and berth token: secrets for machines, and for a person's scripts.

#include "base/json_text.h"
#include "cli/admin_verb.h"
#include "cli/commands.h"

#include <cstdio>

namespace berth::cli {

namespace {

using http::Method;

struct RobotFlags {
  AdminFlags admin;
  std::string name;
  std::string ns;
  std::string description;
  std::string expires;
  std::string overlap = "24h";
  std::vector<std::string> repos;
};

/// "acme" of "acme+ci", unless --namespace says it.
Result<std::string> namespace_of(const RobotFlags& flags) {
  if (!flags.ns.empty()) return flags.ns;
  const std::size_t plus = flags.name.find('+');
  if (plus != std::string::npos && plus > 0) return flags.name.substr(0, plus);
  return fail(Errc::parameter_invalid, "say with --namespace whose robot " + flags.name + " is");
}

Result<std::string> path_of(const RobotFlags& flags) {
  BERTH_TRY(const std::string ns, namespace_of(flags));
  return "namespaces/" + segment(ns) + "/robots";
}

/// "acme/web:pull,push" → {"repo":…,"actions":[…]}
Result<std::string> permission_json(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos)
    return fail(Errc::parameter_invalid, "'" + text + "' is written REPOSITORY:ACTIONS, as in acme/web-*:pull,push");
  std::vector<std::string> actions;
  std::string rest = text.substr(colon + 1);
  for (std::size_t comma = 0; comma != std::string::npos;
       rest = comma == std::string::npos ? "" : rest.substr(comma + 1)) {
    comma = rest.find(',');
    actions.push_back(rest.substr(0, comma));
  }
  return "{\"repo\":" + json_string(text.substr(0, colon)) + ",\"actions\":" + json_list(actions) + "}";
}

/// Of a secret that was just made, the members of its answer are known beforehand: check_format() keeps a slip in a
/// template from losing it.
Result<void> print_secret(const AdminFlags& flags, const std::string& sentence, const json::Value& answer) {
  if (flags.format != "table") return print_object(flags, answer);
  std::printf("%s\nSecret (shown once): %s\n", sentence.c_str(), shown(answer, "secret").c_str());
  return {};
}

Result<void> create(const RobotFlags& flags) {
  BERTH_TRY(const std::string path, path_of(flags));
  std::string body = "{\"name\":" + json_string(flags.name) + ",\"permissions\":[";
  for (const std::string& repo : flags.repos) {
    BERTH_TRY(const std::string part, permission_json(repo));
    if (&repo != &flags.repos.front()) body += ',';
    body += part;
  }
  body += ']';
  if (!flags.expires.empty()) append_json_member(body, "expires_in", std::string_view(flags.expires));
  append_json_member(body, "description", std::string_view(flags.description));
  BERTH_TRYV(check_format(flags.admin, {"name", "secret", "expires_at"}));
  BERTH_TRY(auto client, AdminClient::open(flags.admin));
  BERTH_TRY(const auto made, client.call(Method::post, path, body + "}"));
  return print_secret(flags.admin, "Created robot " + flags.name, made);
}

/// A robot may change its own secret, though it administers nothing.
Result<bool> is_signed_in_as(AdminClient& client, const std::string& robot) {
  if (client.is_offline()) return false;
  BERTH_TRY(const auto self, client.call(Method::get, "user"));
  return self.text("kind") == "robot" && self.text("name") == robot;
}

Result<void> rotate(const RobotFlags& flags) {
  BERTH_TRYV(check_format(flags.admin, {"name", "secret", "previous_secret_ends_at"}));
  BERTH_TRY(auto client, AdminClient::open(flags.admin));
  std::string path = "robot/rotate";
  BERTH_TRY(const bool is_self, is_signed_in_as(client, flags.name));
  if (!is_self) {
    BERTH_TRY(const std::string robots, path_of(flags));
    path = robots + "/" + segment(flags.name) + "/rotate";
  }
  BERTH_TRY(const auto made, client.call(Method::post, path, "{\"overlap\":" + json_string(flags.overlap) + "}"));
  return print_secret(flags.admin, "The secret before ends at " + shown(made, "previous_secret_ends_at"), made);
}

Result<void> change(const RobotFlags& flags, const std::string& body, const std::string& sentence) {
  BERTH_TRY(const std::string path, path_of(flags));
  return call_and_say(flags.admin, Method::patch, path + "/" + segment(flags.name), body, sentence);
}

Result<void> extend(const RobotFlags& flags) {
  const bool is_forever = flags.expires == "never";
  return change(flags, "{\"expires_in\":" + (is_forever ? "null" : json_string(flags.expires)) + "}",
                is_forever ? "Robot " + flags.name + " does not end by itself any more"
                           : "Robot " + flags.name + " ends in " + flags.expires);
}

Result<void> remove(const RobotFlags& flags) {
  BERTH_TRY(const std::string path, path_of(flags));
  return delete_and_say(flags.admin, path + "/" + segment(flags.name), "robot " + flags.name,
                        "Removed robot " + flags.name);
}

struct TokenFlags {
  AdminFlags admin;
  std::string name = "cli";
  std::string id;
  std::string expires;
  std::vector<std::string> scopes;
};

Result<void> create_token(const TokenFlags& flags) {
  std::string body = "{\"name\":" + json_string(flags.name);
  if (!flags.expires.empty()) append_json_member(body, "expires_in", std::string_view(flags.expires));
  if (!flags.scopes.empty()) body += ",\"scopes\":" + json_list(flags.scopes);
  BERTH_TRYV(check_format(flags.admin, {"id", "name", "secret", "scopes", "created_at", "expires_at", "last_used_at",
                                        "last_used_from", "revoked_at"}));
  BERTH_TRY(auto client, AdminClient::open(flags.admin));
  BERTH_TRY(const auto made, client.call(Method::post, "user/tokens", body + "}"));
  const std::string end = shown(made, "expires_at");
  return print_secret(flags.admin,
                      "Created token " + shown(made, "id") + " (" + flags.name + "), which ends " +
                          (end.empty() ? "when it is revoked" : "at " + end),
                      made);
}

}  // namespace

void add_robot(CLI::App& parent, int& exit_code) {
  CLI::App* command = parent.add_subcommand("robot", "Accounts for machines");
  command->require_subcommand(1);
  const auto flags = std::make_shared<RobotFlags>();
  CLI::App* creating =
      add_admin_verb(*command, "create", "Create a robot; its secret is printed once", flags, exit_code, create);
  creating->add_option("--repo", flags->repos,
                       "What it may do: REPOSITORY:ACTIONS, as acme/web-*:pull,push; again for more");
  creating->add_option("--expires", flags->expires, "When it ends by itself: 90d, 12h (default: never)")
      ->check(is_not_empty());
  creating->add_option("--description", flags->description, "What it is for");
  CLI::App* rotating =
      add_admin_verb(*command, "rotate", "Give it a new secret; the old one goes on for a while. A robot may itself",
                     flags, exit_code, rotate);
  rotating->add_option("--overlap", flags->overlap, "For how long: 24h; 0s ends it at once")->capture_default_str();
  CLI::App* extending =
      add_admin_verb(*command, "extend", "Say anew when it ends, its secrets with it", flags, exit_code, extend);
  extending->add_option("--expires", flags->expires, "From now on: 90d, 12h; or never")->required();
  CLI::App* disabling = add_removing_verb(
      *command, "disable", "Refuse it from now on, whatever it holds", flags, exit_code,
      [](const RobotFlags& f) { return change(f, R"({"disabled":true})", "Disabled robot " + f.name); });
  CLI::App* enabling = add_admin_verb(*command, "enable", "Let it in again", flags, exit_code, [](const RobotFlags& f) {
    return change(f, R"({"disabled":false})", "Enabled robot " + f.name);
  });
  CLI::App* removing = add_deleting_verb(*command, "rm", "Remove a robot", flags, exit_code, remove);
  for (CLI::App* verb : {creating, rotating, extending, disabling, enabling, removing}) {
    verb->add_option("NAME", flags->name, "NAMESPACE+NAME, or a plain name with --namespace")->required();
    verb->add_option("--namespace", flags->ns, "Whose it is, for a plain name");
  }
  add_admin_verb(*command, "ls", "List the robots of a namespace", flags, exit_code,
                 [](const RobotFlags& f) {
                   return list_and_print(f.admin, "namespaces/" + segment(f.ns) + "/robots",
                                         {{"NAME", "name"},
                                          {"SECRETS", "live_secrets"},
                                          {"DISABLED", "disabled"},
                                          {"EXPIRES", "expires_at"},
                                          {"LAST USED", "last_used_at"},
                                          {"FROM", "last_used_from"},
                                          {"DESCRIPTION", "description"},
                                          {"", "created_at"}});
                 })
      ->add_option("NAMESPACE", flags->ns)
      ->required();
  add_trust(*command, exit_code);
  command->footer(
      "Examples:\n"
      "  berth robot create acme+ci --repo 'acme/*:pull,push' --expires 90d --server reg.example.com\n"
      "  berth robot extend acme+ci --expires 90d\n"
      "  BERTH_TOKEN_FILE=secret berth robot rotate acme+ci --format '{{.Secret}}'      # the robot itself");
}

void add_token(CLI::App& parent, int& exit_code) {
  CLI::App* command = parent.add_subcommand("token", "Your access tokens, for scripts and clients");
  command->require_subcommand(1);
  const auto flags = std::make_shared<TokenFlags>();
  CLI::App* creating =
      add_admin_verb(*command, "create", "Make a token; it is printed once", flags, exit_code, create_token);
  creating->add_option("--name", flags->name, "What it is for")->capture_default_str();
  creating->add_option(
      "--scope", flags->scopes,
      "Only this: REPOSITORY:RIGHTS, as acme/web:read,write, or org:admin:NAMESPACE, user, admin:read, "
      "admin:write; again for more");
  creating
      ->add_option("--expires", flags->expires,
                   "When it ends: 90d, 12h (default: never, or with the login that makes it)")
      ->check(is_not_empty());
  add_admin_verb(*command, "ls", "List your tokens", flags, exit_code, [](const TokenFlags& f) {
    return list_and_print(f.admin, "user/tokens",
                          {{"ID", "id"},
                           {"NAME", "name"},
                           {"EXPIRES", "expires_at"},
                           {"LAST USED", "last_used_at"},
                           {"FROM", "last_used_from"},
                           {"REVOKED", "revoked_at"},
                           {"SCOPES", "scopes"},
                           {"", "created_at"}});
  });
  add_removing_verb(*command, "revoke", "End a token at once", flags, exit_code,
                    [](const TokenFlags& f) -> Result<void> {
                      BERTH_TRYV(check_path(f.id));
                      if (f.id.find_first_not_of("0123456789") != std::string::npos)
                        return fail(Errc::parameter_invalid, "'" + f.id + "' is no number; berth token ls shows them");
                      return call_and_say(f.admin, Method::delete_, "user/tokens/" + segment(f.id), {},
                                          "Revoked token " + f.id);
                    })
      ->add_option("ID", flags->id)
      ->required();
  command->footer(
      "A scope never gives more than you may. repo:RIGHTS:REPOSITORY is REPOSITORY:RIGHTS; org:admin:acme administers "
      "the\n"
      "namespace acme, user keeps your profile and sessions, admin:read looks at what administrators do, admin:write "
      "does\n"
      "it. No scope makes tokens, changes a password or makes administrators.\n"
      "What is made after berth login ends with that login, 90 days from it; the page /settings/tokens makes tokens\n"
      "that live longer.\n\n"
      "Examples:\n"
      "  berth token create --name laptop --scope 'acme/**:read,write' --expires 30d\n"
      "  berth token create --name watch --scope admin:read");
}

}  // namespace berth::cli
