#pragma once
// From the places where settings come from to one configuration: built-in defaults, then the file, then the
// environment, then the flags, each stronger than the one before.

#include "app/config.h"
#include "app/settings.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace berth::app {

struct ConfigSources {
  std::optional<std::string> file;                                      // as asked for; nullopt: default_config_file()
  std::vector<std::pair<std::string, std::string>> environment;         // every variable that starts with BERTH_
  std::vector<std::pair<std::string, std::vector<std::string>>> flags;  // by key
};

struct LoadedConfig {
  ServeConfig config;
  /// By setting, in the order of settings(): "default", "/etc/berth/server.toml:12", "environment BERTH_LOG__LEVEL",
  /// "flag --listen".
  std::vector<std::string> origins;
  std::string file;  // that was read; empty: none
  /// What is wrong, a line each, with where it stands. Not empty: config is not to be used.
  std::vector<std::string> problems;
  bool blames_flags = false;  // at least one of them is about the command line
};

/// Never fails halfway: every problem is found and named.
LoadedConfig load_config(const ConfigSources& sources);

/// /etc/berth/server.toml for root, else $XDG_CONFIG_HOME/berth/server.toml; empty if that does not exist.
std::string default_config_file();
/// The variables of this process that start with BERTH_.
std::vector<std::pair<std::string, std::string>> berth_environment();

/// The configuration as a file. origins: each value's own behind it.
enum class ShowOrigins : std::uint8_t { no, yes };
std::string render_config(const LoadedConfig& loaded, ShowOrigins origins);
/// Every setting with its explanation and default, all commented out: what packaging ships.
std::string render_default_file();
/// docs/configuration.md.
std::string render_reference();

}  // namespace berth::app
