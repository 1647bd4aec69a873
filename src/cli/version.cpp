#include "cli/version.h"

#include "app/version.h"
#include "cli/commands.h"

#include <cstdio>

namespace berth::cli {

std::string version_line() { return "berth " + std::string(app::version()) + " (" + std::string(app::commit()) + ")"; }

void add_version(CLI::App& parent, int& exit_code) {
  parent.add_subcommand("version", "Print the version")->callback([&exit_code] {
    std::printf("%s\n", version_line().c_str());
    exit_code = 0;
  });
}

}  // namespace berth::cli
