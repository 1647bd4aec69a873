// berth repo, berth grant, berth explain: who sees and does what with a repository, and why.

#include "base/json_text.h"
#include "cli/admin_verb.h"
#include "cli/commands.h"
#include "http/target.h"

#include <cstdio>
#include <optional>

namespace berth::cli {

namespace {

using http::Method;

struct RepoFlags {
  AdminFlags admin;
  std::string repo;
  std::string subject;
  std::string action;
  std::string visibility;
  std::optional<std::string> description;  // "" takes it away
  std::string search;
  std::string allow;
  std::string deny;
  std::string id;
  std::string ns;
};

const std::vector<Column> kColumns = {
    {"NAME", "name"},           {"VISIBILITY", "visibility"},   {"TAGS", "tags"},  {"SIZE", "size"},
    {"YOU MAY", "permissions"}, {"DESCRIPTION", "description"}, {"", "manifests"}, {"", "created_at"}};

Result<void> show(const RepoFlags& flags) {
  BERTH_TRY(auto client, AdminClient::open(flags.admin));
  BERTH_TRY(const auto repo, client.call(Method::get, "repos/" + flags.repo));
  return print_rows(flags.admin, kColumns, {repo});
}

Result<void> list(const RepoFlags& flags) {
  BERTH_TRY(auto client, AdminClient::open(flags.admin));
  const std::string query = flags.search.empty() ? "" : "q=" + http::percent_encode(flags.search);
  BERTH_TRY(const auto repos, client.list("repos", query));
  return print_rows(flags.admin, kColumns, repos);
}

Result<void> set(const RepoFlags& flags) {
  const bool is_namespace = flags.repo.find('/') == std::string::npos;
  if (is_namespace && flags.description) {
    return fail(Errc::parameter_invalid, flags.repo +
                                             " is a namespace, which has a visibility for its new repositories and no "
                                             "description; a repository is written NAMESPACE/NAME");
  }
  if (flags.visibility.empty() && !flags.description)
    return fail(Errc::parameter_invalid, "say what to change, with --visibility or --description");
  std::string body = "{";
  if (!flags.visibility.empty()) body += "\"visibility\":" + json_string(flags.visibility);
  if (flags.description)
    body.append(body.size() > 1 ? "," : "").append("\"description\":").append(json_string(*flags.description));
  return call_and_say(flags.admin, Method::patch, (is_namespace ? "namespaces/" : "repos/") + flags.repo, body + "}",
                      "Changed " + flags.repo);
}

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    out.push_back(text.substr(at, comma - at));
    at = comma + 1;
  }
  return out;
}

Result<void> put_grant(const RepoFlags& flags) {
  std::string body = "{\"subject\":" + json_string(flags.subject);
  append_json_member(body, "repo", std::string_view(flags.repo));
  body += ",\"allow\":" + json_list(words_of(flags.allow)) + ",\"deny\":" + json_list(words_of(flags.deny)) + "}";
  const std::string ns = flags.repo.substr(0, flags.repo.find('/'));
  return call_and_say(flags.admin, Method::put, "namespaces/" + segment(ns) + "/grants", body,
                      flags.subject + " on " + flags.repo + (flags.allow.empty() ? "" : ": " + flags.allow) +
                          (flags.deny.empty() ? "" : "; never: " + flags.deny));
}

Result<void> explain(const RepoFlags& flags) {
  BERTH_TRYV(check_format(flags.admin, {"subject", "repo", "tag", "right", "allowed", "because", "changeable_by"}));
  BERTH_TRY(auto client, AdminClient::open(flags.admin));
  BERTH_TRY(const auto answer, client.call(Method::get, "explain", {},
                                           "subject=" + http::percent_encode(flags.subject) +
                                               "&action=" + http::percent_encode(flags.action) +
                                               "&repo=" + http::percent_encode(flags.repo)));
  BERTH_TRYV(say(flags.admin,
                 shown(answer, "subject") + (shown(answer, "allowed") == "yes" ? " may " : " may not ") + flags.action +
                     " " + flags.repo + ": " + shown(answer, "because") + "\nThis can be changed by " +
                     shown(answer, "changeable_by") + ".",
                 answer));
  if (client.is_offline() && shown(answer, "allowed") != "yes") {
    std::fprintf(
        stderr,
        "berth: server.anonymous was not looked at, which may leave this open to everybody; a running registry "
        "knows it\n");
  }
  return {};
}

}  // namespace

void add_repo(CLI::App& parent, int& exit_code) {
  CLI::App* command = parent.add_subcommand("repo", "Repositories and who sees them");
  command->require_subcommand(1);
  const auto flags = std::make_shared<RepoFlags>();
  add_admin_verb(*command, "ls", "List the repositories you may see", flags, exit_code, list)
      ->add_option("SEARCH", flags->search, "Only those whose names contain it");
  add_admin_verb(*command, "show", "Show a repository", flags, exit_code, show)
      ->add_option("REPO", flags->repo)
      ->required();
  CLI::App* setting = add_admin_verb(*command, "set", "Change a repository, or what new ones of a namespace get", flags,
                                     exit_code, set);
  setting->add_option("REPO", flags->repo, "acme/web, or acme for the namespace")->required();
  setting->add_option("--visibility", flags->visibility, "public: everybody reads; internal: every user; private")
      ->check(CLI::IsMember({"public", "internal", "private"}));
  // Not a plain option: an empty text is one, too.
  setting->add_option_function<std::string>(
      "--description", [flags](const std::string& text) { flags->description = text; },
      "A line about it; '' takes it away");
}

void add_grant(CLI::App& parent, int& exit_code) {
  CLI::App* command = parent.add_subcommand("grant", "Rights on repositories");
  command->require_subcommand(1);
  const auto flags = std::make_shared<RepoFlags>();
  CLI::App* adding = add_admin_verb(*command, "add", "Give rights, or deny them", flags, exit_code, put_grant);
  adding->add_option("SUBJECT", flags->subject, "A user, a robot, or a team as acme/devs")->required();
  adding->add_option("REPO", flags->repo, "acme/web, acme/web-*, acme/**")->required();
  adding->add_option("--allow,RIGHTS", flags->allow, "read, write, overwrite, delete, admin; with commas");
  adding->add_option("--deny", flags->deny, "Of these; beats what is allowed as specifically");
  add_admin_verb(*command, "ls", "List the grants of a namespace", flags, exit_code,
                 [](const RepoFlags& f) {
                   return list_and_print(
                       f.admin, "namespaces/" + segment(f.ns) + "/grants",
                       {{"ID", "id"}, {"SUBJECT", "subject"}, {"REPO", "repo"}, {"ALLOW", "allow"}, {"DENY", "deny"}});
                 })
      ->add_option("NAMESPACE", flags->ns)
      ->required();
  CLI::App* removing = add_removing_verb(*command, "rm", "Take a grant back", flags, exit_code, [](const RepoFlags& f) {
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

  CLI::App* why =
      add_admin_verb(parent, "explain", "Why somebody may, or may not, do something", flags, exit_code, explain);
  why->add_option("SUBJECT", flags->subject, "A user, a robot, or anonymous")->required();
  why->add_option("ACTION", flags->action, "pull, push, overwrite, delete, admin")->required();
  why->add_option("REPO", flags->repo, "A repository, or a tag in it: acme/web, acme/web:1.0")->required();
}

}  // namespace berth::cli
