// berth user: who may sign in.

#include "auth/htpasswd.h"
#include "base/json_text.h"
#include "base/random.h"
#include "cli/admin_client.h"
#include "cli/admin_verb.h"
#include "cli/commands.h"
#include "cli/password_input.h"

#include <array>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>

namespace berth::cli {

namespace {

using http::Method;

struct UserFlags {
  AdminFlags admin;
  std::string name;
  std::string email;
  std::string file;
  std::string issuer;
  std::string subject;
  std::string note;
  std::string invite;
  std::string life = "7d";
  std::string session;
  bool all = false;
  bool is_admin = false;
  bool password_stdin = false;
  bool generates = false;
  bool adopt = false;
};
using FlagsPtr = std::shared_ptr<UserFlags>;  // shared with the callbacks, which outlive the function that adds them

const std::vector<Column> kColumns = {
    {"NAME", "name"},     {"ADMIN", "admin"},   {"DISABLED", "disabled"}, {"EMAIL", "email"}, {"CREATED", "created_at"},
    {"", "display_name"}, {"", "has_password"}, {"", "issuer"},           {"", "subject"}};

/// Twenty characters that nobody confuses: 100 bits and more.
std::string made_up_password() {
  constexpr std::string_view kAlphabet = "abcdefghijkmnpqrstuvwxyz23456789";  // 32: no remainder
  SystemRandom random;
  std::array<std::byte, 20> bytes{};
  random.fill(bytes);
  std::string out;
  for (const std::byte byte : bytes) out += kAlphabet[std::to_integer<std::size_t>(byte) % kAlphabet.size()];
  return out;
}

struct Chosen {
  std::string password;
  bool is_made_up = false;
};

enum class IfNone : std::uint8_t { make_up, refuse };

/// From a prompt if somebody is there, else from standard input; of a new account, if there is none, made up and
/// printed once.
Result<Chosen> choose_password(const UserFlags& flags, IfNone if_none) {
  if (flags.generates) return Chosen{made_up_password(), true};
  const bool is_typed = !flags.password_stdin && can_prompt();
  const bool may_make_up = !flags.password_stdin && !can_prompt() && if_none == IfNone::make_up;
  if (may_make_up && std::cin.peek() == std::char_traits<char>::eof()) return Chosen{made_up_password(), true};
  const auto from = is_typed ? PasswordFrom::prompt : PasswordFrom::standard_input;
  BERTH_TRY(auto password, read_new_password(from, "Password for " + flags.name));
  return Chosen{std::move(password), false};
}

/// What was done, and the password if nobody else knows it; with another --format than table as `answer` with a member
/// "password", null where somebody chose it.
Result<void> say_with_password(const UserFlags& flags, std::string sentence, const json::Value& answer,
                               const Chosen& chosen) {
  if (chosen.is_made_up) sentence += "\nPassword (shown once): " + chosen.password;
  std::string text;
  json::append(text, answer);
  text.pop_back();
  text += text.size() > 1 ? ",\"password\":" : "\"password\":";
  text += chosen.is_made_up ? json_string(chosen.password) : "null";
  BERTH_TRY(const auto whole, json::parse(text + "}"));
  return say(flags.admin, sentence, whole);
}

/// {"name":…}, of an answer without a body.
Result<json::Value> named(const UserFlags& flags) { return json::parse("{\"name\":" + json_string(flags.name) + "}"); }

/// The first account makes the data folder, and only an administrator's may be the first.
Result<AdminClient> open_to_add(const UserFlags& flags) {
  using Create = app::DataDir::Create;
  auto client = AdminClient::open(flags.admin, flags.is_admin ? Create::if_missing : Create::never);
  if (client || flags.is_admin || !server_of(flags.admin).empty()) return client;
  Error error = client.error();
  if (error.code != Errc::file_unknown && error.code != Errc::unavailable) return client;
  error.message += "; the first account makes it, and must be an administrator's: berth user add NAME --admin" +
                   (flags.admin.data.empty() ? std::string() : " --data " + flags.admin.data);
  return fail(std::move(error));
}

bool is_folder_missing(const UserFlags& flags) {
  if (!server_of(flags.admin).empty()) return false;
  const auto there = AdminClient::open(flags.admin);
  return !there && (there.error().code == Errc::file_unknown || there.error().code == Errc::unavailable);
}

Result<void> add(const UserFlags& flags) {
  BERTH_TRYV(check_format(flags.admin, {"name", "email", "display_name", "admin", "disabled", "has_password",
                                        "created_at", "issuer", "subject", "password"}));
  // A password that is not given must not leave a folder behind, and one that cannot be used is not asked for.
  std::optional<Chosen> early;
  if (flags.is_admin && is_folder_missing(flags)) {
    BERTH_TRY(early, choose_password(flags, IfNone::make_up));
  }
  BERTH_TRY(auto client, open_to_add(flags));
  BERTH_TRY(const Chosen chosen, early ? Result<Chosen>(*early) : choose_password(flags, IfNone::make_up));
  std::string body = "{\"name\":" + json_string(flags.name);
  append_json_member(body, "password", std::string_view(chosen.password));
  append_json_member(body, "email", std::string_view(flags.email));
  body += flags.is_admin ? ",\"admin\":true" : "";
  body += flags.adopt ? ",\"adopt_namespace\":true}" : "}";
  BERTH_TRY(const auto made, client.call(Method::post, "users", body));
  return say_with_password(flags, "Created user " + flags.name + (flags.is_admin ? " (administrator)" : ""), made,
                           chosen);
}

/// As a person with an account, which the owner of a data folder is not.
Result<AdminClient> open_as_somebody(const UserFlags& flags) {
  BERTH_TRY(auto client, AdminClient::open(flags.admin));
  if (!client.is_offline() || !flags.admin.user.empty()) return client;
  return fail(Errc::parameter_invalid,
              "say with --server at which registry you are signed in, or, on the folder of a stopped one, with --user "
              "as whom");
}

/// What a thief of a login does not know is asked for, too.
Result<void> set_own_password(const UserFlags& flags) {
  if (flags.generates) return fail(Errc::parameter_invalid, "--generate is for the password of a user who is named");
  const auto from = flags.password_stdin || !can_prompt() ? PasswordFrom::standard_input : PasswordFrom::prompt;
  BERTH_TRYV(check_format(flags.admin, {"message"}));
  BERTH_TRY(auto client, open_as_somebody(flags));
  BERTH_TRY(const auto current, read_password(from, "Current password: "));
  BERTH_TRY(const auto next, read_new_password(from, "New password"));
  std::string body = "{\"current\":" + json_string(current);
  append_json_member(body, "new", std::string_view(next));
  BERTH_TRYV(client.call(Method::put, "user/password", body + "}"));
  return say(flags.admin, "Changed your password; what was signed in by the one before has to sign in again",
             json::Value());
}

Result<void> set_password(const UserFlags& flags) {
  if (flags.name.empty()) return set_own_password(flags);
  BERTH_TRYV(check_format(flags.admin, {"name", "password"}));
  BERTH_TRY(auto client, AdminClient::open(flags.admin));
  BERTH_TRY(const Chosen chosen, choose_password(flags, IfNone::refuse));
  BERTH_TRYV(client.call(Method::put, "users/" + segment(flags.name) + "/password",
                         "{\"new\":" + json_string(chosen.password) + "}"));
  BERTH_TRY(const auto answer, named(flags));
  return say_with_password(flags, "Changed the password of " + flags.name, answer, chosen);
}

Result<void> list(const UserFlags& flags) {
  BERTH_TRY(auto client, AdminClient::open(flags.admin));
  BERTH_TRY(const auto users, client.list("users"));
  return print_rows(flags.admin, kColumns, users);
}

Result<void> show_self(const UserFlags& flags) {
  BERTH_TRY(auto client, AdminClient::open(flags.admin));
  BERTH_TRY(const auto self, client.call(Method::get, "user"));
  return print_rows(flags.admin,
                    {{"NAME", "name"},
                     {"KIND", "kind"},
                     {"ADMIN", "admin"},
                     {"EMAIL", "email"},
                     {"ORGANIZATIONS", "organizations"},
                     {"CREATED", "created_at"},
                     {"", "display_name"}},
                    {self});
}

Result<void> show(const UserFlags& flags) {
  if (flags.name.empty()) return show_self(flags);
  BERTH_TRY(auto client, AdminClient::open(flags.admin));
  BERTH_TRY(const auto user, client.call(Method::get, "users/" + segment(flags.name)));
  return print_rows(flags.admin, kColumns, {user});
}

/// On a dry run the server tells what would be, and call_and_say() says it.
Result<void> change(const UserFlags& flags, const std::string& body, const std::string& said) {
  return call_and_say(flags.admin, Method::patch, "users/" + segment(flags.name), body, said + " " + flags.name);
}

Result<void> remove(const UserFlags& flags) {
  return delete_and_say(flags.admin, "users/" + segment(flags.name), "user " + flags.name,
                        "Removed user " + flags.name);
}

/// What one line of the file became.
Result<void> import_user(AdminClient& client, const auth::HtpasswdUser& user) {
  std::string body = "{\"name\":" + json_string(user.name);
  append_json_member(body, "password_hash", std::string_view(user.hash));
  BERTH_TRYV(client.call(Method::post, "users", body + "}"));
  return {};
}

Result<void> import_file(const UserFlags& flags) {
  std::ifstream in(flags.file, std::ios::binary);
  if (!in) return fail(Errc::io_failed, "cannot read " + flags.file);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const auth::Htpasswd found = auth::parse_htpasswd(text);
  BERTH_TRY(auto client, AdminClient::open(flags.admin));
  std::size_t problems = found.problems.size();
  for (const auth::HtpasswdProblem& problem : found.problems)
    std::fprintf(stderr, "%s:%zu: %s\n", flags.file.c_str(), problem.line, problem.message.c_str());
  for (const auth::HtpasswdUser& user : found.users) {
    const auto done = import_user(client, user);
    if (done) continue;
    ++problems;
    std::fprintf(stderr, "%s:%zu: %s: %s\n", flags.file.c_str(), user.line, user.name.c_str(),
                 done.error().message.c_str());
  }
  const std::size_t lines = found.users.size() + found.problems.size();
  std::printf("Imported %zu of %zu users\n", lines - problems, lines);
  if (problems == 0) return {};
  return fail(Errc::parameter_invalid, std::to_string(problems) + " lines were left out, see above");
}

Result<void> link(const UserFlags& flags) {
  std::string body = "{\"issuer\":" + json_string(flags.issuer);
  append_json_member(body, "subject", std::string_view(flags.subject));
  return change(flags, body + "}", "Linked");
}

Result<void> sign_out(const UserFlags& flags) {
  BERTH_TRYV(check_format(flags.admin, {"name"}));
  BERTH_TRY(auto client, AdminClient::open(flags.admin));
  BERTH_TRY(auto answer, client.call(Method::delete_, "users/" + segment(flags.name) + "/sessions"));
  if (answer.is_null()) {
    BERTH_TRY(answer, named(flags));
  }
  return say(flags.admin, flags.name + " is signed in nowhere any more; access tokens stay", answer);
}

Result<void> list_sessions(const UserFlags& flags) {
  BERTH_TRY(auto client, open_as_somebody(flags));
  BERTH_TRY(const auto sessions, client.list("user/sessions"));
  return print_rows(flags.admin,
                    {{"ID", "id"},
                     {"KIND", "kind"},
                     {"NAME", "name"},
                     {"CURRENT", "current"},
                     {"CREATED", "created_at"},
                     {"EXPIRES", "expires_at"},
                     {"LAST USED", "last_used_at"},
                     {"FROM", "last_used_from"}},
                    sessions);
}

Result<void> end_sessions(const UserFlags& flags) {
  if (flags.session.empty() != flags.all)
    return fail(Errc::parameter_invalid, "say which session ends: --revoke ID, or --revoke --all");
  BERTH_TRY(auto client, open_as_somebody(flags));
  BERTH_TRY(const auto answer,
            client.call(Method::delete_, flags.all ? "user/sessions" : "user/sessions/" + segment(flags.session)));
  return say(flags.admin,
             flags.all ? "You are signed in nowhere any more; access tokens stay" : "Ended session " + flags.session,
             answer);
}

Result<void> invite(const UserFlags& flags) {
  BERTH_TRYV(check_format(flags.admin, {"id", "note", "created_by", "created_at", "expires_at", "secret"}));
  BERTH_TRY(auto client, AdminClient::open(flags.admin));
  std::string body = "{\"expires_in\":" + json_string(flags.life);
  if (!flags.note.empty()) append_json_member(body, "note", std::string_view(flags.note));
  BERTH_TRY(const auto made, client.call(Method::post, "invites", body + "}"));
  if (flags.admin.format != "table") return print_object(flags.admin, made);
  std::puts(shown(made, "secret").c_str());
  std::fprintf(stderr,
               "Good for one account, until %s; shown this once. It is typed at /signup, which is there with\n"
               "auth.sign_up = \"invite\" in the configuration.\n",
               shown(made, "expires_at").c_str());
  return {};
}

Result<void> list_invites(const UserFlags& flags) {
  BERTH_TRY(auto client, AdminClient::open(flags.admin));
  BERTH_TRY(const auto invites, client.list("invites"));
  return print_rows(
      flags.admin,
      {{"ID", "id"}, {"NOTE", "note"}, {"BY", "created_by"}, {"EXPIRES", "expires_at"}, {"", "created_at"}}, invites);
}

Result<void> uninvite(const UserFlags& flags) {
  return call_and_say(flags.admin, Method::delete_, "invites/" + segment(flags.invite), {},
                      "Took invitation " + flags.invite + " back");
}

enum class Name : std::uint8_t { none, one, or_oneself };

CLI::App* add_verb(CLI::App& parent, const char* name, const char* about, const FlagsPtr& flags, Name takes) {
  CLI::App* verb = parent.add_subcommand(name, about);
  add_admin_flags(*verb, flags->admin);
  if (takes == Name::one) verb->add_option("NAME", flags->name, "The user's name")->required();
  if (takes == Name::or_oneself)
    verb->add_option("NAME", flags->name, "The user's name (default: you)")->check(is_not_empty());
  return verb;
}

CLI::App* add_removing_verb(CLI::App& parent, const char* name, const char* about, const FlagsPtr& flags, Name takes) {
  CLI::App* verb = add_verb(parent, name, about, flags, takes);
  add_dry_run_flag(*verb, flags->admin);
  return verb;
}

template <class Run>
void on(CLI::App* verb, const FlagsPtr& flags, int& exit_code, Run run) {
  verb->callback([flags, &exit_code, run] {
    const auto done = run(*flags);
    exit_code = done ? kOk : report(done.error());
  });
}

constexpr const char* kFooter =
    "A user owns the namespace of the same name: ann pushes to ann/app. With --admin she may do everything.\n"
    "The password is asked for, or read from standard input where there is no terminal, or, if nothing is there, made "
    "up\n"
    "for a new user and printed once; never given as an option.\n"
    "These commands ask the registry of --server, after berth login; without one they work on the data folder of a\n"
    "registry that is stopped.\n\n"
    "Examples:\n"
    "  berth user add ann --admin                                  the first account\n"
    "  printf %s \"$PW\" | berth user add bob --password-stdin\n"
    "  berth user disable bob                                      at once, tokens included";

}  // namespace

void add_user(CLI::App& parent, int& exit_code) {
  CLI::App* command = parent.add_subcommand("user", "Add, change and remove users");
  command->require_subcommand(1);
  command->footer(kFooter);
  const auto flags = std::make_shared<UserFlags>();

  CLI::App* adding = add_verb(*command, "add", "Create a user and its namespace", flags, Name::one);
  adding->add_flag("--admin", flags->is_admin, "May administer the registry");
  adding->add_option("--email", flags->email, "E-mail address");
  CLI::Option* given =
      adding->add_flag("--password-stdin", flags->password_stdin, "Read the password from standard input");
  adding->add_flag("--generate", flags->generates, "Make one up, and print it once")->excludes(given);
  adding->add_flag("--adopt-namespace", flags->adopt, "Take over the repositories in NAME/ that nobody owns");
  on(adding, flags, exit_code, add);

  on(add_verb(*command, "ls", "List users", flags, Name::none), flags, exit_code, list);
  on(add_verb(*command, "show", "Show a user", flags, Name::or_oneself), flags, exit_code, show);
  CLI::App* passwd = add_verb(*command, "passwd", "Set a new password", flags, Name::or_oneself);
  CLI::Option* read = passwd->add_flag(
      "--password-stdin", flags->password_stdin,
      "Read the password from standard input; your own: the current one and, on the next line, the new");
  passwd->add_flag("--generate", flags->generates, "Make one up, and print it once; of somebody else")->excludes(read);
  on(passwd, flags, exit_code, set_password);
  on(add_removing_verb(*command, "disable", "Refuse a user from now on, with all tokens", flags, Name::one), flags,
     exit_code, [](const UserFlags& f) { return change(f, R"({"disabled":true})", "Disabled"); });
  on(add_verb(*command, "enable", "Let a user in again", flags, Name::one), flags, exit_code,
     [](const UserFlags& f) { return change(f, R"({"disabled":false})", "Enabled"); });
  on(add_verb(*command, "promote", "Make a user an administrator", flags, Name::one), flags, exit_code,
     [](const UserFlags& f) { return change(f, R"({"admin":true})", "Administrator now:"); });
  on(add_verb(*command, "demote", "Make an administrator a plain user", flags, Name::one), flags, exit_code,
     [](const UserFlags& f) { return change(f, R"({"admin":false})", "No administrator any more:"); });
  CLI::App* linking = add_verb(*command, "link", "Tie a user to somebody at an identity provider", flags, Name::one);
  linking->add_option("--issuer", flags->issuer, "The provider, as it writes itself")->required();
  linking->add_option("--subject", flags->subject, "Who that is there, the claim sub")->required();
  on(linking, flags, exit_code, link);
  on(add_verb(*command, "unlink", "Untie a user from the identity provider", flags, Name::one), flags, exit_code,
     [](const UserFlags& f) { return change(f, R"({"issuer":null,"subject":null})", "Unlinked"); });
  on(add_removing_verb(*command, "signout", "End the sessions and logins of a user", flags, Name::one), flags,
     exit_code, sign_out);
  CLI::App* sessions =
      add_removing_verb(*command, "sessions", "List what is signed in as you, or end it", flags, Name::none);
  CLI::Option* revoking = sessions->add_option("--revoke", flags->session, "End the session of this ID");
  revoking->expected(0, 1);
  sessions->add_flag("--all", flags->all, "With --revoke: end all of them, this login too")->needs(revoking);
  on(sessions, flags, exit_code,
     [revoking](const UserFlags& f) { return revoking->count() > 0 ? end_sessions(f) : list_sessions(f); });
  CLI::App* inviting = add_verb(*command, "invite", "Invite somebody to make an account", flags, Name::none);
  inviting->add_option("--note", flags->note, "Whom it is for; shown in lists");
  inviting->add_option("--expires", flags->life, "How long it is good")->capture_default_str();
  on(inviting, flags, exit_code, invite);
  on(add_verb(*command, "invites", "List the open invitations", flags, Name::none), flags, exit_code, list_invites);
  CLI::App* uninviting = add_removing_verb(*command, "uninvite", "Take an invitation back", flags, Name::none);
  uninviting->add_option("ID", flags->invite, "As `berth user invites` shows it")->required();
  on(uninviting, flags, exit_code, uninvite);
  CLI::App* importing =
      add_verb(*command, "import", "Take over the users of an htpasswd file (bcrypt)", flags, Name::none);
  importing->add_option("FILE", flags->file, "The file; its passwords keep working")->required();
  on(importing, flags, exit_code, import_file);
  CLI::App* removing = add_removing_verb(
      *command, "rm", "Remove a user who owns no repositories (disable one who does)", flags, Name::one);
  add_agreement_flag(*removing, flags->admin);
  on(removing, flags, exit_code, remove);
}

}  // namespace berth::cli
