#include "app/version.h"

#include "cli/commands.h"

#include <cstdio>

namespace berth::cli {

void add_version(CLI::App& parent, int& exit_code) {
  parent.add_subcommand("version", "Print the version")->callback([&exit_code] {
    std::printf("berth %.*s (%.*s)\n", static_cast<int>(app::version().size()), app::version().data(),
                static_cast<int>(app::commit().size()), app::commit().data());
    exit_code = 0;
  });
}

}  // namespace berth::cli
