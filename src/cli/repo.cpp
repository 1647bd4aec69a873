// berth repo: repositories, and who sees them.

#include "base/human_text.h"
#include "base/json_text.h"
#include "cli/admin_verb.h"
#include "cli/commands.h"
#include "cli/password_input.h"
#include "http/target.h"
#include "oci/repo_name.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <optional>

namespace berth::cli {

namespace {

using http::Method;

struct RepoFlags {
  AdminFlags admin;
  std::string repo;
  std::string to;
  std::string confirm;
  std::string readme;  // a file, or - for standard input
  bool shows_readme = false;
  bool is_namespace = false;  // where the name could be either
  bool is_repository = false;
  std::string visibility;
  std::optional<std::string> description;  // "" takes it away
  std::string search;
};

const std::vector<Column> kColumns = {
    {"NAME", "name"},           {"VISIBILITY", "visibility"},   {"TAGS", "tags"},  {"SIZE", "size"},
    {"YOU MAY", "permissions"}, {"DESCRIPTION", "description"}, {"", "manifests"}, {"", "created_at"}};

/// Of what was typed: anything but a repository's name would be another address. To be asked before a server is.
/// below: "/-/readme", or nothing.
Result<std::string> path_of(const std::string& repo, std::string_view below = {}) {
  BERTH_TRY(const auto name, oci::RepoName::parse(repo));
  return "repos/" + name.str() + std::string(below);
}

Result<void> show(const RepoFlags& flags) {
  BERTH_TRY(const std::string path, path_of(flags.repo, flags.shows_readme ? "/-/readme" : ""));
  BERTH_TRY(auto client, AdminClient::open(flags.admin));
  if (flags.shows_readme) {
    BERTH_TRY(std::string text, client.call_text(Method::get, path));
    if (isatty(STDOUT_FILENO) == 1) text = printable_lines(text);  // a file gets what is there, byte for byte
    std::fwrite(text.data(), 1, text.size(), stdout);
    return {};
  }
  BERTH_TRY(const auto repo, client.call(Method::get, path));
  return print_rows(flags.admin, kColumns, {repo});
}

Result<void> list(const RepoFlags& flags) {
  BERTH_TRY(auto client, AdminClient::open(flags.admin));
  const std::string query = flags.search.empty() ? "" : "q=" + http::percent_encode(flags.search);
  BERTH_TRY(const auto repos, client.list("repos", query));
  return print_rows(flags.admin, kColumns, repos);
}

Result<std::string> read_file(const std::string& path) {
  if (path == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(Errc::io_failed, "cannot read " + path);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

/// An empty text takes it away.
Result<void> set_readme(const RepoFlags& flags) {
  BERTH_TRY(const std::string path, path_of(flags.repo, "/-/readme"));
  BERTH_TRY(std::string text, read_file(flags.readme));
  BERTH_TRY(auto client, AdminClient::open(flags.admin));
  const bool is_removal = text.empty();
  BERTH_TRYV(is_removal ? client.send_text(Method::delete_, path, {}, {})
                        : client.send_text(Method::put, path, std::move(text), "text/markdown"));
  std::printf("%s the readme of %s\n", is_removal ? "Removed" : "Changed", flags.repo.c_str());
  return {};
}

/// A name without a slash is a namespace's, and, if somebody made one, a repository's.
Result<bool> is_namespace(AdminClient& client, const RepoFlags& flags) {
  if (flags.repo.find('/') != std::string::npos) return false;
  if (flags.is_namespace || flags.is_repository) return flags.is_namespace;
  BERTH_TRY(const std::string path, path_of(flags.repo));
  const bool is_repository = client.call(Method::get, path).has_value();
  if (is_repository && !flags.description) {
    return fail(Errc::parameter_invalid, flags.repo +
                                             " is a namespace and a repository; say --namespace for what new "
                                             "repositories of the namespace get, --repository for the repository");
  }
  if (is_repository || !flags.description) return !is_repository;
  return fail(Errc::parameter_invalid, flags.repo +
                                           " is a namespace, which has a visibility for its new repositories and no "
                                           "description; a repository is written NAMESPACE/NAME");
}

Result<void> set(const RepoFlags& flags) {
  if (!flags.readme.empty()) {
    if (!flags.visibility.empty() || flags.description)
      return fail(Errc::parameter_invalid, "--readme is a change of its own; give the others in another command");
    return set_readme(flags);
  }
  if (flags.visibility.empty() && !flags.description)
    return fail(Errc::parameter_invalid, "say what to change, with --visibility, --description or --readme");
  std::string body = "{";
  if (!flags.visibility.empty()) body += "\"visibility\":" + json_string(flags.visibility);
  if (flags.description)
    body.append(body.size() > 1 ? "," : "").append("\"description\":").append(json_string(*flags.description));
  BERTH_TRY(std::string path, path_of(flags.repo));  // what is no repository's name is no namespace's either
  BERTH_TRY(auto client, AdminClient::open(flags.admin));
  BERTH_TRY(const bool of_namespace, is_namespace(client, flags));
  if (of_namespace) path = "namespaces/" + segment(flags.repo);
  BERTH_TRY(const auto answer, client.call(Method::patch, path, body + "}"));
  return say(flags.admin, "Changed " + std::string(of_namespace ? "the namespace " : "") + flags.repo, answer);
}

Result<void> create(const RepoFlags& flags) {
  BERTH_TRYV(oci::RepoName::parse(flags.repo));
  std::string body = "{\"name\":" + json_string(flags.repo);
  if (!flags.visibility.empty()) append_json_member(body, "visibility", std::string_view(flags.visibility));
  if (flags.description) append_json_member(body, "description", std::string_view(*flags.description));
  return call_and_say(flags.admin, Method::post, "repos", body + "}", "Created " + flags.repo);
}

Result<void> rename(const RepoFlags& flags) {
  BERTH_TRYV(oci::RepoName::parse(flags.to));
  BERTH_TRY(const std::string path, path_of(flags.repo, "/-/rename"));
  return call_and_say(flags.admin, Method::post, path, "{\"to\":" + json_string(flags.to) + "}",
                      flags.repo + " is " + flags.to + " now");
}

Result<void> transfer(const RepoFlags& flags) {
  BERTH_TRYV(oci::RepoName::parse(flags.to));
  BERTH_TRY(const std::string path, path_of(flags.repo, "/-/transfer"));
  return call_and_say(flags.admin, Method::post, path, "{\"to\":" + json_string(flags.to) + "}",
                      flags.repo + " is " + flags.to + " now, without the grants on its old name");
}

std::uint64_t amount(const json::Value& object, std::string_view key) {
  const json::Value* found = object.find(key);
  return found == nullptr ? 0 : static_cast<std::uint64_t>(std::max<std::int64_t>(found->integer(), 0));
}

/// "1 tag, 5 manifests, 12.3 MB"
std::string content_of(const json::Value& repo) {
  std::string out;
  for (const char* what : {"tags", "manifests"}) {
    const std::uint64_t count = amount(repo, what);
    std::string_view word = what;
    if (count == 1) word.remove_suffix(1);
    out.append(std::to_string(count)).append(" ").append(word).append(", ");
  }
  return out + size_text(amount(repo, "size"));
}

/// By the repository's name, typed once more; false: nothing was typed. Errors: denied.
Result<bool> confirm(const RepoFlags& flags, const json::Value& repo) {
  std::string answer = flags.confirm;
  if (answer.empty()) {
    std::fprintf(stderr, "%s goes with all that is in it: %s.\nType its name to delete it: ", flags.repo.c_str(),
                 content_of(repo).c_str());
    std::getline(std::cin, answer);
    if (answer.empty()) return false;
  }
  if (answer == flags.repo) return true;
  return fail(Errc::denied, "'" + printable(answer) + "' is not " + flags.repo + "; nothing was deleted");
}

Result<void> remove(const RepoFlags& flags) {
  BERTH_TRY(const std::string path, path_of(flags.repo));
  if (flags.confirm.empty() && !flags.admin.dry_run && !can_prompt()) {
    return fail(Errc::denied, "this deletes " + flags.repo + " with all that is in it; if that is meant, say so with " +
                                  "--confirm=" + flags.repo);
  }
  BERTH_TRYV(check_format(flags.admin, keys_of(kColumns)));
  BERTH_TRY(auto client, AdminClient::open(flags.admin));
  BERTH_TRY(const auto repo, client.call(Method::get, path));
  if (!flags.admin.dry_run) {
    BERTH_TRY(const bool is_meant, confirm(flags, repo));
    if (!is_meant) {
      std::fputs("Nothing was deleted.\n", stderr);
      return {};
    }
  }
  BERTH_TRY(const auto answer, client.call(Method::delete_, path));
  return say(flags.admin, "Deleted " + flags.repo + ": " + content_of(repo), answer.is_null() ? repo : answer);
}

constexpr const char* kUsageKeys[] = {"logical", "unique", "shared", "manifests", "blobs"};

struct Used {
  std::string name;
  std::array<std::uint64_t, std::size(kUsageKeys)> bytes{};
};

/// As the rows of a table are: sizes for people in it, bytes in all else.
Result<json::Value> row_of(const Used& used, bool is_for_people) {
  std::string text = "{\"name\":" + json_string(used.name);
  for (std::size_t i = 0; i < used.bytes.size(); ++i) {
    if (is_for_people) {
      append_json_member(text, kUsageKeys[i], std::string_view(size_text(used.bytes[i])));
    } else {
      append_json_member(text, kUsageKeys[i], used.bytes[i]);
    }
  }
  return json::parse(text + "}");
}

Result<Used> usage_of(AdminClient& client, const std::string& name) {
  BERTH_TRY(const std::string path, path_of(name, "/-/usage"));
  BERTH_TRY(const auto answer, client.call(Method::get, path));
  Used out{name, {}};
  for (std::size_t i = 0; i < out.bytes.size(); ++i) out.bytes[i] = amount(answer, kUsageKeys[i]);
  return out;
}

/// Of a repository, or of each in a namespace, whose name has no slash.
Result<std::vector<Used>> usages_of(AdminClient& client, const std::string& name) {
  std::vector<Used> out;
  if (name.find('/') != std::string::npos) {
    BERTH_TRY(out.emplace_back(), usage_of(client, name));
    return out;
  }
  BERTH_TRY(const auto repos, client.list("repos", "q=" + http::percent_encode(name)));
  for (const json::Value& repo : repos) {
    const std::string& found = repo.text("name");
    if (found != name && !found.starts_with(name + "/")) continue;
    BERTH_TRY(out.emplace_back(), usage_of(client, found));
  }
  if (out.empty()) return fail(Errc::denied, "there is no repository in " + name + " that you may see");
  return out;
}

Result<void> disk_usage(const RepoFlags& flags) {
  const std::vector<Column> columns = {{"NAME", "name"},     {"LOGICAL", "logical"},     {"UNIQUE", "unique"},
                                       {"SHARED", "shared"}, {"MANIFESTS", "manifests"}, {"BLOBS", "blobs"}};
  BERTH_TRYV(check_format(flags.admin, keys_of(columns)));
  BERTH_TRYV(oci::RepoName::parse(flags.repo));
  BERTH_TRY(auto client, AdminClient::open(flags.admin));
  BERTH_TRY(auto all, usages_of(client, flags.repo));
  const bool is_for_people = flags.admin.format == "table";
  if (is_for_people && all.size() > 1) {
    Used total{"total", {}};
    for (const Used& used : all) {
      for (std::size_t i = 0; i < used.bytes.size(); ++i) total.bytes[i] += used.bytes[i];
    }
    all.push_back(total);
  }
  std::vector<json::Value> rows;
  for (const Used& used : all) {
    BERTH_TRY(rows.emplace_back(), row_of(used, is_for_people));
  }
  return print_rows(flags.admin, columns, rows);
}

/// What a repository is like, apart from its name.
void add_description_flags(CLI::App& verb, const std::shared_ptr<RepoFlags>& flags) {
  verb.add_option("--visibility", flags->visibility, "public: everybody reads; internal: every user; private")
      ->check(CLI::IsMember({"public", "internal", "private"}));
  // Not a plain option: an empty text is one, too.
  verb.add_option_function<std::string>(
      "--description", [flags](const std::string& text) { flags->description = text; },
      "A line about it; '' takes it away");
}

}  // namespace

void add_repo(CLI::App& parent, int& exit_code) {
  CLI::App* command = parent.add_subcommand("repo", "Repositories and who sees them");
  command->require_subcommand(1);
  const auto flags = std::make_shared<RepoFlags>();
  add_admin_verb(*command, "ls", "List the repositories you may see", flags, exit_code, list)
      ->add_option("SEARCH", flags->search, "Only those whose names contain it");
  CLI::App* showing = add_admin_verb(*command, "show", "Show a repository", flags, exit_code, show);
  showing->add_option("REPO", flags->repo)->required();
  showing->add_flag("--readme", flags->shows_readme, "What it says of itself, and nothing else");
  CLI::App* creating = add_admin_verb(*command, "create", "Create an empty repository, as the first push would", flags,
                                      exit_code, create);
  creating->add_option("REPO", flags->repo, "acme/web")->required();
  add_description_flags(*creating, flags);
  CLI::App* setting = add_admin_verb(*command, "set", "Change a repository, or what new ones of a namespace get", flags,
                                     exit_code, set);
  setting->add_option("REPO", flags->repo, "acme/web, or acme for the namespace")->required();
  add_description_flags(*setting, flags);
  CLI::Option* as_repository =
      setting->add_flag("--repository", flags->is_repository, "REPO is a repository without a slash");
  setting->add_flag("--namespace", flags->is_namespace, "REPO is the namespace of that name")->excludes(as_repository);
  setting->add_option("--readme", flags->readme, "A file in Markdown that says what it is; - for standard input");
  CLI::App* renaming = add_admin_verb(*command, "rename", "Call a repository something else within its namespace",
                                      flags, exit_code, rename);
  renaming->add_option("OLD", flags->repo, "acme/web")->required();
  renaming->add_option("NEW", flags->to, "acme/site")->required();
  CLI::App* moving =
      add_admin_verb(*command, "transfer", "Move a repository into another namespace", flags, exit_code, transfer);
  moving->add_option("REPO", flags->repo, "acme/web")->required();
  moving->add_option("NEW", flags->to, "other/web")->required();
  CLI::App* removing =
      add_removing_verb(*command, "rm", "Delete a repository, with all that is in it", flags, exit_code, remove);
  removing->add_option("REPO", flags->repo, "acme/web")->required();
  removing->add_option("--confirm", flags->confirm, "Its name once more, where there is nobody to ask");
  add_admin_verb(*command, "du", "How much a repository holds, and how much of it no other one", flags, exit_code,
                 disk_usage)
      ->add_option("REPO", flags->repo, "acme/web, or acme for each in that namespace")
      ->required();
}

}  // namespace berth::cli
