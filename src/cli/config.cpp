// berth config: is the configuration right, what is in force, what could be set.

#include "app/config_load.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/serve_flags.h"

#include <cstdio>

namespace berth::cli {

namespace {

int print_problems(const app::LoadedConfig& loaded) {
  for (const std::string& problem : loaded.problems) std::fprintf(stderr, "%s\n", problem.c_str());
  return kFound;
}

int check(const ServeFlags& flags) {
  const auto loaded = app::load_config(flags.sources());
  if (!loaded.problems.empty()) return print_problems(loaded);
  std::printf("%s\n", loaded.file.empty() ? "no configuration file; environment and defaults are fine"
                                          : (loaded.file + ": fine").c_str());
  return kOk;
}

int show(const ServeFlags& flags, bool origins) {
  const auto loaded = app::load_config(flags.sources());
  if (!loaded.problems.empty()) return print_problems(loaded);
  std::fputs(render_config(loaded, origins ? app::ShowOrigins::yes : app::ShowOrigins::no).c_str(), stdout);
  return kOk;
}

}  // namespace

void add_config(CLI::App& parent, int& exit_code) {
  CLI::App* command = parent.add_subcommand("config", "Check and show the configuration of the server");
  command->require_subcommand(1);

  auto flags = std::make_shared<ServeFlags>();  // shared with the callbacks, which outlive this function
  CLI::App* checking =
      command->add_subcommand("check", "Look for mistakes: exit status 0 if there are none, 2 if there are");
  checking->add_option("FILE", flags->config_file, "The file to check (default: the one berth serve would read)");
  checking->callback([flags, &exit_code] { exit_code = check(*flags); });

  auto shown = std::make_shared<ServeFlags>();
  auto origins = std::make_shared<bool>(false);
  CLI::App* showing =
      command->add_subcommand("show", "Print what berth serve would run with, given the same flags and environment");
  showing->add_flag("--origin", *origins, "Say behind each value where it comes from");
  add_setting_flags(*showing, *shown);
  showing->callback([shown, origins, &exit_code] { exit_code = show(*shown, *origins); });

  CLI::App* defaults =
      command->add_subcommand("defaults", "Print a configuration file with every setting and its default");
  defaults->callback([&exit_code] {
    std::fputs(app::render_default_file().c_str(), stdout);
    exit_code = kOk;
  });
  CLI::App* reference = command->add_subcommand("reference", "Print the reference of all settings, in Markdown");
  reference->callback([&exit_code] {
    std::fputs(app::render_reference().c_str(), stdout);
    exit_code = kOk;
  });
}

}  // namespace berth::cli
