#pragma once
// The flags of `berth serve` and `berth config`, made from the table of settings.

#include "app/config_load.h"

#include <CLI/CLI.hpp>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace berth::cli {

/// What was typed.
struct ServeFlags {
  std::string config_file;
  std::map<std::string, std::vector<std::string>> by_key;

  app::ConfigSources sources() const;
};

/// Adds --config and a flag for each setting.
void add_setting_flags(CLI::App& command, ServeFlags& flags);

/// Every problem on standard error; the exit code.
int report_problems(const app::LoadedConfig& loaded);

/// Where `berth serve` would keep its data, for commands that were not told. Errors: unavailable if file or environment
/// have mistakes, with all of them.
Result<std::string> configured_data_dir();

}  // namespace berth::cli
