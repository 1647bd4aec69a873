// berth trust: which jobs of a CI platform are which robot.

#include "base/json_text.h"
#include "cli/admin_verb.h"
#include "cli/commands.h"

#include <algorithm>

namespace berth::cli {

namespace {

using http::Method;

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

Result<void> change_rule(const TrustFlags& flags, const char* body, const std::string& sentence) {
  return call_and_say(flags.admin, Method::patch, trust_path(flags) + "/" + segment(flags.id), body, sentence);
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
    const std::string name = claim.substr(0, equals + 1);
    const auto is_it = [&](const std::string& other) { return other.starts_with(name); };
    if (std::ranges::count_if(flags.claims, is_it) > 1)
      return fail(Errc::parameter_invalid, "the claim " + name.substr(0, equals) +
                                               " is there twice; a rule wants one pattern of each, so make two rules");
    if (&claim != &flags.claims.front()) body += ',';
    body.append(json_string(claim.substr(0, equals))).append(":").append(json_string(claim.substr(equals + 1)));
  }
  BERTH_TRY(auto client, AdminClient::open(flags.admin));
  BERTH_TRY(const auto made, client.call(Method::post, trust_path(flags), body + "}}"));
  return say(flags.admin,
             "Jobs of " + flags.issuer + " that match are " + flags.robot + " now, by rule " + shown(made, "id"), made);
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
                                          {"DISABLED", "disabled"},
                                          {"ISSUER TRUSTED", "issuer_trusted"},
                                          {"LAST USED", "last_used_at"},
                                          {"", "created_at"}});
                 })
      ->add_option("NAMESPACE", flags->ns)
      ->required();
  CLI::App* removing = add_removing_verb(*command, "rm", "Remove a rule", flags, exit_code, [](const TrustFlags& f) {
    return call_and_say(f.admin, Method::delete_, trust_path(f) + "/" + segment(f.id), {}, "Removed rule " + f.id);
  });
  CLI::App* disabling = add_removing_verb(
      *command, "disable", "Let nobody in by a rule for now, nor those who are in by it", flags, exit_code,
      [](const TrustFlags& f) { return change_rule(f, R"({"disabled":true})", "Disabled rule " + f.id); });
  CLI::App* enabling = add_admin_verb(
      *command, "enable", "Let the rule count again", flags, exit_code,
      [](const TrustFlags& f) { return change_rule(f, R"({"disabled":false})", "Enabled rule " + f.id); });
  for (CLI::App* verb : {removing, disabling, enabling}) {
    verb->add_option("NAMESPACE", flags->ns)->required();
    verb->add_option("ID", flags->id, "As `berth trust ls` shows it")->required();
  }
  command->footer(
      "Example:\n"
      "  berth trust add acme+ci --issuer https://token.actions.githubusercontent.com \\\n"
      "    --audience registry.example.com --claim repository=acme/web --claim ref=refs/heads/main");
}

}  // namespace berth::cli
