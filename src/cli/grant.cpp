// berth grant: rights on repositories.

#include "base/json_text.h"
#include "cli/admin_verb.h"
#include "cli/commands.h"

namespace berth::cli {

namespace {

using http::Method;

struct GrantFlags {
  AdminFlags admin;
  std::string subject;
  std::string repo;
  std::string allow;
  std::string deny;
  std::string ns;
  std::string id;
};

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    out.push_back(text.substr(at, comma - at));
    at = comma + 1;
  }
  return out;
}

Result<void> put_grant(const GrantFlags& flags) {
  std::string body = "{\"subject\":" + json_string(flags.subject);
  append_json_member(body, "repo", std::string_view(flags.repo));
  body += ",\"allow\":" + json_list(words_of(flags.allow)) + ",\"deny\":" + json_list(words_of(flags.deny)) + "}";
  const std::string ns = flags.repo.substr(0, flags.repo.find('/'));
  if (ns.empty() || ns.find('*') != std::string::npos)
    return fail(Errc::parameter_invalid, "a grant is on repositories of one namespace, as acme/web or acme/**");
  return call_and_say(flags.admin, Method::put, "namespaces/" + segment(ns) + "/grants", body,
                      flags.subject + " on " + flags.repo + (flags.allow.empty() ? "" : ": " + flags.allow) +
                          (flags.deny.empty() ? "" : "; never: " + flags.deny));
}

}  // namespace

void add_grant(CLI::App& parent, int& exit_code) {
  CLI::App* command = parent.add_subcommand("grant", "Rights on repositories");
  command->require_subcommand(1);
  const auto flags = std::make_shared<GrantFlags>();
  CLI::App* adding = add_admin_verb(*command, "add", "Give rights, or deny them", flags, exit_code, put_grant);
  adding->add_option("SUBJECT", flags->subject, "A user, a robot, or a team as acme/devs")->required();
  adding->add_option("REPO", flags->repo, "acme/web, acme/web-*, acme/**")->required();
  adding->add_option("--allow,RIGHTS", flags->allow, "read, write, overwrite, delete, admin; with commas");
  adding->add_option("--deny", flags->deny, "Of these; beats what is allowed as specifically");
  add_admin_verb(*command, "ls", "List the grants of a namespace", flags, exit_code,
                 [](const GrantFlags& f) {
                   return list_and_print(
                       f.admin, "namespaces/" + segment(f.ns) + "/grants",
                       {{"ID", "id"}, {"SUBJECT", "subject"}, {"REPO", "repo"}, {"ALLOW", "allow"}, {"DENY", "deny"}});
                 })
      ->add_option("NAMESPACE", flags->ns)
      ->required();
  CLI::App* removing =
      add_removing_verb(*command, "rm", "Take a grant back", flags, exit_code, [](const GrantFlags& f) {
        return call_and_say(f.admin, Method::delete_, "namespaces/" + segment(f.ns) + "/grants/" + segment(f.id), {},
                            "Removed grant " + f.id);
      });
  removing->add_option("NAMESPACE", flags->ns)->required();
  removing->add_option("ID", flags->id)->required();
  command->footer(
      "Examples:\n"
      "  berth grant add bob acme/web-* read,write\n"
      "  berth grant add acme/devs 'acme/**' read,write,overwrite\n"
      "  berth grant add bob acme/secret --deny read");
}

}  // namespace berth::cli
