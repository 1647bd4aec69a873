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
  if (plus != std::string::npos) return flags.name.substr(0, plus);
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

void print_secret(const AdminFlags& flags, const std::string& sentence, const json::Value& answer) {
  if (flags.format == "json") {
    print_json(answer);
    return;
  }
  std::printf("%s\nSecret (shown once): %s\n", sentence.c_str(), shown(answer, "secret").c_str());
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
  BERTH_TRY(auto client, AdminClient::open(flags.admin));
  BERTH_TRY(const auto made, client.call(Method::post, path, body + "}"));
  print_secret(flags.admin, "Created robot " + flags.name, made);
  return {};
}

Result<void> rotate(const RobotFlags& flags) {
  BERTH_TRY(const std::string path, path_of(flags));
  BERTH_TRY(auto client, AdminClient::open(flags.admin));
  BERTH_TRY(const auto made, client.call(Method::post, path + "/" + segment(flags.name) + "/rotate",
                                         "{\"overlap\":" + json_string(flags.overlap) + "}"));
  print_secret(flags.admin, "The secret before ends at " + shown(made, "previous_secret_ends_at"), made);
  return {};
}

Result<void> remove(const RobotFlags& flags) {
  BERTH_TRY(const std::string path, path_of(flags));
  return call_and_say(flags.admin, Method::delete_, path + "/" + segment(flags.name), {},
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
  BERTH_TRY(auto client, AdminClient::open(flags.admin));
  BERTH_TRY(const auto made, client.call(Method::post, "user/tokens", body + "}"));
  print_secret(flags.admin, "Created token " + shown(made, "id") + " (" + flags.name + ")", made);
  return {};
}

struct TrustFlags {
  AdminFlags admin;
  std::string ns;
  std::string robot;
  std::string issuer;
  std::string audience;
  std::string id;
  std::vector<std::string> claims;
};

std::string trust_path(const TrustFlags& flags) {
  const std::string ns = flags.ns.empty() ? flags.robot.substr(0, flags.robot.find('+')) : flags.ns;
  return "namespaces/" + segment(ns) + "/trust";
}

Result<void> add_rule(const TrustFlags& flags) {
  std::string body = "{\"robot\":" + json_string(flags.robot);
  append_json_member(body, "issuer", std::string_view(flags.issuer));
  append_json_member(body, "audience", std::string_view(flags.audience));
  body += ",\"claims\":{";
  for (const std::string& claim : flags.claims) {
    const std::size_t equals = claim.find('=');
    if (equals == std::string::npos)
      return fail(Errc::parameter_invalid, "'" + claim + "' is written CLAIM=PATTERN, as in repository=acme/web");
    if (&claim != &flags.claims.front()) body += ',';
    body.append(json_string(claim.substr(0, equals))).append(":").append(json_string(claim.substr(equals + 1)));
  }
  return call_and_say(flags.admin, Method::post, trust_path(flags), body + "}}",
                      "Jobs of " + flags.issuer + " that match are " + flags.robot + " now");
}

}  // namespace

void add_trust(CLI::App& parent, int& exit_code) {
  CLI::App* command = parent.add_subcommand("trust", "CI jobs that sign in by their ID token, without a stored secret");
  command->require_subcommand(1);
  const auto flags = std::make_shared<TrustFlags>();
  CLI::App* adding = add_admin_verb(*command, "add", "Let jobs be a robot", flags, exit_code, add_rule);
  adding->add_option("ROBOT", flags->robot, "The robot, acme+ci")->required();
  adding->add_option("--issuer", flags->issuer, "The platform, as its tokens say in iss")->required();
  adding->add_option("--audience", flags->audience, "Whom the tokens are for, as the job asks for them")->required();
  adding->add_option("--claim", flags->claims, "CLAIM=PATTERN that must hold, with * for anything; again for more")
      ->required();
  adding->add_option("--namespace", flags->ns, "Whose the robot is, for a plain name");
  add_admin_verb(*command, "ls", "List the rules of a namespace", flags, exit_code,
                 [](const TrustFlags& f) {
                   return list_and_print(f.admin, trust_path(f),
                                         {{"ID", "id"},
                                          {"ROBOT", "robot"},
                                          {"ISSUER", "issuer"},
                                          {"AUDIENCE", "audience"},
                                          {"CLAIMS", "claims"},
                                          {"LAST USED", "last_used_at"}});
                 })
      ->add_option("NAMESPACE", flags->ns)
      ->required();
  CLI::App* removing = add_admin_verb(*command, "rm", "Remove a rule", flags, exit_code, [](const TrustFlags& f) {
    return call_and_say(f.admin, Method::delete_, trust_path(f) + "/" + segment(f.id), {}, "Removed rule " + f.id);
  });
  removing->add_option("NAMESPACE", flags->ns)->required();
  removing->add_option("ID", flags->id)->required();
  command->footer(
      "Example:\n"
      "  berth trust add acme+ci --issuer https://token.actions.githubusercontent.com \\\n"
      "    --audience registry.example.com --claim repository=acme/web --claim ref=refs/heads/main");
}

void add_robot(CLI::App& parent, int& exit_code) {
  CLI::App* command = parent.add_subcommand("robot", "Accounts for machines");
  command->require_subcommand(1);
  const auto flags = std::make_shared<RobotFlags>();
  CLI::App* creating =
      add_admin_verb(*command, "create", "Create a robot; its secret is printed once", flags, exit_code, create);
  creating->add_option("--repo", flags->repos,
                       "What it may do: REPOSITORY:ACTIONS, as acme/web-*:pull,push; again for more");
  creating->add_option("--expires", flags->expires, "When it ends by itself: 90d, 12h");
  creating->add_option("--description", flags->description, "What it is for");
  CLI::App* rotating = add_admin_verb(*command, "rotate", "Give it a new secret; the old one goes on for a while",
                                      flags, exit_code, rotate);
  rotating->add_option("--overlap", flags->overlap, "For how long: 24h; 0s ends it at once")->capture_default_str();
  CLI::App* removing = add_admin_verb(*command, "rm", "Remove a robot", flags, exit_code, remove);
  for (CLI::App* verb : {creating, rotating, removing}) {
    verb->add_option("NAME", flags->name, "NAMESPACE+NAME, or a plain name with --namespace")->required();
    verb->add_option("--namespace", flags->ns, "Whose it is, for a plain name");
  }
  add_admin_verb(*command, "ls", "List the robots of a namespace", flags, exit_code,
                 [](const RobotFlags& f) {
                   return list_and_print(f.admin, "namespaces/" + segment(f.ns) + "/robots",
                                         {{"NAME", "name"},
                                          {"SECRETS", "live_secrets"},
                                          {"EXPIRES", "expires_at"},
                                          {"LAST USED", "last_used_at"},
                                          {"FROM", "last_used_from"},
                                          {"DESCRIPTION", "description"}});
                 })
      ->add_option("NAMESPACE", flags->ns)
      ->required();
  command->footer(
      "Example:\n  berth robot create acme+ci --repo 'acme/*:pull,push' --expires 90d --server reg.example.com");
}

void add_token(CLI::App& parent, int& exit_code) {
  CLI::App* command = parent.add_subcommand("token", "Your access tokens, for scripts and clients");
  command->require_subcommand(1);
  const auto flags = std::make_shared<TokenFlags>();
  CLI::App* creating =
      add_admin_verb(*command, "create", "Make a token; it is printed once", flags, exit_code, create_token);
  creating->add_option("--name", flags->name, "What it is for")->capture_default_str();
  creating->add_option("--scope", flags->scopes,
                       "Only this: REPOSITORY:RIGHTS, as acme/web:read,write; again for more");
  creating->add_option("--expires", flags->expires, "When it ends: 90d, 12h (default: never)");
  add_admin_verb(*command, "ls", "List your tokens", flags, exit_code, [](const TokenFlags& f) {
    return list_and_print(f.admin, "user/tokens",
                          {{"ID", "id"},
                           {"NAME", "name"},
                           {"EXPIRES", "expires_at"},
                           {"LAST USED", "last_used_at"},
                           {"FROM", "last_used_from"},
                           {"REVOKED", "revoked_at"},
                           {"SCOPES", "scopes"}});
  });
  add_admin_verb(*command, "revoke", "End a token at once", flags, exit_code,
                 [](const TokenFlags& f) {
                   return call_and_say(f.admin, Method::delete_, "user/tokens/" + segment(f.id), {},
                                       "Revoked token " + f.id);
                 })
      ->add_option("ID", flags->id)
      ->required();
}

}  // namespace berth::cli
