// berth ldap check: what setting up a directory needs, step by step, without a sign-in.

#include "app/config_load.h"
#include "auth/ldap_directory.h"
#include "base/clock.h"
#include "base/human_text.h"
#include "base/random.h"
#include "cli/admin_verb.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/password_input.h"
#include "cli/serve_flags.h"

#include <algorithm>
#include <csignal>
#include <cstdio>

namespace berth::cli {

namespace {

struct CheckFlags {
  ServeFlags config;
  std::string user;
  bool asks_password = false;
  bool password_stdin = false;
};

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + printable(word);
  return out.empty() ? "none" : out;
}

bool holds(const std::vector<std::string>& list, const std::string& text) {
  return std::ranges::find(list, text) != list.end();
}

/// What a sign-in would make of it.
int print_person(const auth::ExternalPerson& person, const auth::LdapSettings& settings) {
  const auth::ReceptionRules& rules = settings.rules;
  const auto name = auth::account_name_from(person.name);
  const std::vector<std::string> groups = person.groups.value_or(std::vector<std::string>{});
  std::printf("linked by: %s %s\n", printable(person.issuer).c_str(), printable(person.id).c_str());
  std::printf("name of a new account: %s\n", name ? name->c_str() : "none can be made of it");
  std::printf("e-mail: %s\ndisplay name: %s\n", printable(person.email).c_str(),
              printable(person.display_name).c_str());
  if (person.groups) std::printf("groups: %s\n", joined(groups).c_str());
  if (!rules.admin_group.empty()) std::printf("administrator: %s\n", holds(groups, rules.admin_group) ? "yes" : "no");
  const bool is_let_in = rules.allowed_groups.empty() || std::ranges::any_of(groups, [&](const std::string& group) {
                           return holds(rules.allowed_groups, group);
                         });
  if (!is_let_in) std::printf("not let in: ldap.allowed_groups names none of the groups\n");
  return is_let_in ? kOk : kFound;
}

Result<std::string> password_of(const CheckFlags& flags) {
  const auto from = flags.password_stdin ? PasswordFrom::standard_input : PasswordFrom::prompt;
  return read_password(from, "Password of " + flags.user + " in the directory: ");
}

Result<std::optional<auth::ExternalPerson>> look(auth::LdapDirectory& directory, const CheckFlags& flags) {
  if (!flags.asks_password && !flags.password_stdin) return directory.find(flags.user);
  BERTH_TRY(auto password, password_of(flags));
  BERTH_TRY(auto answer, directory.ask({flags.user, std::move(password), {}}));
  return std::move(answer.person);
}

int check(const CheckFlags& flags) {
  std::signal(SIGPIPE, SIG_IGN);  // libldap writes to servers that may be gone
  const auto loaded = app::load_config(flags.config.sources());
  if (!loaded.problems.empty()) return report_problems(loaded);
  const auth::LdapSettings& settings = loaded.config.ldap;
  if (!settings.is_used()) return report(Error(Errc::parameter_invalid, "ldap.urls is not set: there is no directory"));
  if (const auto good = auth::check_ldap_files(settings); !good) return report(good.error());
  if (const auto good = auth::LdapConnection::prepare(settings.transport); !good) return report(good.error());
  const SystemClock clock;
  SystemRandom random;
  const Log log(LogLevel::off);
  const auto say = [](const std::string& step) { std::printf("%s\n", step.c_str()); };
  auth::LdapDirectory directory({settings, clock, random, log, say});
  if (flags.user.empty()) {
    const auto reached = directory.reach();
    return reached ? kOk : report(reached.error());
  }
  const auto person = look(directory, flags);
  if (!person) return report(person.error());
  return *person ? print_person(**person, settings) : kFound;
}

}  // namespace

void add_ldap(CLI::App& parent, int& exit_code) {
  CLI::App* command = parent.add_subcommand("ldap", "The LDAP directory that people sign in with");
  command->require_subcommand(1);
  auto flags = std::make_shared<CheckFlags>();  // shared with the callback, which outlives this function
  CLI::App* checking = command->add_subcommand(
      "check", "Ask the directory as the server would: exit status 0 if all is well, 2 if nobody would sign in");
  checking->add_option("--config", flags->config.config_file, "The configuration (default: the one of berth serve)");
  checking->add_option("--user", flags->user, "Look for whoever would sign in by that name")->check(is_not_empty());
  CLI::Option* asks = checking->add_flag("--password", flags->asks_password, "Ask for the password, and try it");
  checking->add_flag("--password-stdin", flags->password_stdin, "Read the password from standard input, and try it")
      ->needs("--user")
      ->excludes(asks);
  asks->needs("--user");
  checking->callback([flags, &exit_code] { exit_code = check(*flags); });
}

}  // namespace berth::cli
