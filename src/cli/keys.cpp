// berth keys: the keys that sign tokens.

#include "app/token_keys.h"
#include "base/clock.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/serve_flags.h"

#include <cstdio>

namespace berth::cli {

namespace {

constexpr std::int64_t kKeepMs = 2LL * 24 * 60 * 60 * 1000;  // longer than any token lives

int rotate(const std::string& data) {
  const Result<std::string> folder = data.empty() ? configured_data_dir() : data;
  if (!folder) return report(folder.error());
  const SystemClock clock;
  const auto made = app::rotate_token_keys(*folder, clock, kKeepMs);
  if (!made) return report(made.error());
  std::printf(
      "New key %s. A running server signs with it after SIGHUP; tokens of the key before stay good until they "
      "end.\n",
      made->c_str());
  return kOk;
}

}  // namespace

void add_keys(CLI::App& parent, int& exit_code) {
  CLI::App* command = parent.add_subcommand("keys", "The keys that sign tokens");
  command->require_subcommand(1);
  auto data = std::make_shared<std::string>();  // shared with the callback, which outlives this function
  CLI::App* rotating = command->add_subcommand("rotate", "Make a new key; the one before stays good for its tokens");
  rotating->add_option("--data", *data, "The data folder (default: the one of serve)");
  rotating->callback([data, &exit_code] { exit_code = rotate(*data); });
}

}  // namespace berth::cli
