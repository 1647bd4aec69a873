#include "base/nearest.h"
#include "cli/admin_verb.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/version.h"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace {

using berth::did_you_mean;
using berth::nearest_of;
using berth::cli::report_usage;

struct Slip {
  std::string sentence;
  int exit_code = berth::cli::kFailed;
};

std::string unknown_option(const CLI::App& command, const std::string& name, std::string_view word) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& known : option->get_lnames()) names.push_back("--" + known);
  }
  const std::string option(word.substr(0, word.find('=')));
  return name + ": unknown option '" + option + "'." + did_you_mean(nearest_of(names, option)) + " See '" + name +
         " --help'.";
}

/// A word in a command's place that is none gets a sentence of its own, with the nearest command if there is one;
/// nullopt: all are known.
std::optional<Slip> unknown_command(const CLI::App& app, std::span<char*> words) {
  const CLI::App* parent = &app;
  std::string name = "berth";
  for (const std::string_view word : words) {
    const auto commands = parent->get_subcommands({});
    if (commands.empty()) return {};
    if (word.starts_with('-')) {
      const bool is_known = parent->get_option_no_throw(std::string(word.substr(0, word.find('=')))) != nullptr;
      if (is_known || !word.starts_with("--")) return {};
      return Slip{unknown_option(*parent, name, word), berth::cli::kWrongFlag};
    }
    const auto found =
        std::ranges::find_if(commands, [&](const CLI::App* command) { return command->check_name(std::string(word)); });
    if (found == commands.end()) {
      std::vector<std::string> known;
      for (const CLI::App* command : commands) {
        known.push_back(command->get_name());
        std::ranges::copy(command->get_aliases(), std::back_inserter(known));
      }
      return Slip{"berth: '" + std::string(word) + "' is not a " + name + " command." +
                  did_you_mean(nearest_of(known, word)) + " See '" + name + " --help'."};
    }
    parent = *found;
    name += " " + parent->get_name();
  }
  return {};
}

/// The same for an option of a command that was found. What is left over of a line is listed from its end.
int report_extras(const CLI::App& app, const CLI::ExtrasError& error) {
  const CLI::App* deepest = &app;
  std::string name = "berth";
  while (!deepest->get_subcommands().empty()) {
    deepest = deepest->get_subcommands().front();
    name += " " + deepest->get_name();
  }
  const std::vector<std::string> extras = deepest->remaining();
  const auto option = std::ranges::find_if(extras, [](const std::string& word) { return word.starts_with('-'); });
  if (option != extras.end()) return report_usage(unknown_option(*deepest, name, *option), berth::cli::kWrongFlag);
  return report_usage(name + ": " + error.what() + ". See '" + name + " --help'.", berth::cli::kFailed);
}

/// docker's difference: a flag that cannot be read is 125, anything else that is wrong with a line 1.
int code_of(const CLI::ParseError& error) {
  const bool is_malformed = dynamic_cast<const CLI::ConversionError*>(&error) != nullptr ||
                            dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr ||
                            dynamic_cast<const CLI::ValidationError*>(&error) != nullptr;
  const std::string what = " " + std::string(error.what());  // it names the flag, or the argument that has a name
  return is_malformed && what.contains(" -") ? berth::cli::kWrongFlag : berth::cli::kFailed;
}

/// "berth help org" is "berth org --help".
void ask_for_help(std::vector<char*>& words) {
  static char flag[] = "--help";  // main's words can be written to, as these
  if (std::string_view(words[1]) != "help") return;
  words.erase(words.begin() + 1);
  words.push_back(flag);
}

/// Of whatever is named without a flag: "$UNSET" is a slip, not a name.
void refuse_empty_names(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) {
    if (option->get_positional() && option->get_required()) option->check(berth::cli::is_not_empty());
  }
  for (CLI::App* command : app.get_subcommands({})) refuse_empty_names(*command);
}

}  // namespace

int main(int argc, char** argv) {
  using namespace berth::cli;
  const std::string_view called(argv[0]);
  if (called.substr(called.rfind('/') + 1) == "docker-credential-berth") return run_keychain(argc > 1 ? argv[1] : "");
  int exit_code = kOk;
  CLI::App app("Berth: a container registry and image client in one program", "berth");
  app.require_subcommand(1);
  app.set_version_flag("--version", version_line(), "Print the version");
  add_serve(app, exit_code);
  add_fsck(app, exit_code);
  add_config(app, exit_code);
  add_migrate(app, exit_code);
  add_audit(app, exit_code);
  add_login(app, exit_code);
  add_user(app, exit_code);
  add_org(app, exit_code);
  add_robot(app, exit_code);
  add_trust(app, exit_code);
  add_token(app, exit_code);
  add_repo(app, exit_code);
  add_grant(app, exit_code);
  add_explain(app, exit_code);
  add_ldap(app, exit_code);
  add_keys(app, exit_code);
  add_k8s(app, exit_code);
  add_version(app, exit_code);
  if (argc < 2) {
    std::fputs(app.help().c_str(), stderr);
    return kFailed;
  }
  refuse_empty_names(app);
  std::vector<char*> words(argv, argv + argc);
  ask_for_help(words);
  if (const auto slip = unknown_command(app, std::span(words).subspan(1)))
    return report_usage(slip->sentence, slip->exit_code);
  try {
    app.parse(static_cast<int>(words.size()), words.data());
  } catch (const CLI::ExtrasError& error) {
    return report_extras(app, error);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // help, or the version
    return report_usage(std::string(error.what()) + "\nRun with --help for more information.", code_of(error));
  }
  return exit_code;
}
