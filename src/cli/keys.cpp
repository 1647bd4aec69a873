// berth keys: the keys that sign tokens.

#include "app/offline_admin.h"
#include "app/token_keys.h"
#include "base/clock.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/serve_flags.h"

#include <cstdio>

namespace berth::cli {

namespace {

constexpr std::int64_t kKeepMs = 2LL * 24 * 60 * 60 * 1000;  // longer than any token lives

struct Rotated {
  std::string kid;
  bool is_served = false;
};

/// A registry that runs keeps the record itself: it writes there that its keys changed, when it takes them over.
Result<Rotated> rotate_in(const std::string& folder) {
  auto stopped = app::OfflineAdmin::open(folder, {});
  if (stopped) {
    BERTH_TRY(auto kid, (*stopped)->rotate_token_keys(kKeepMs));
    return Rotated{std::move(kid), false};
  }
  if (stopped.error().code != Errc::busy) return fail(std::move(stopped).error());
  const SystemClock clock;
  BERTH_TRY(auto kid, app::rotate_token_keys(folder, clock, kKeepMs));
  return Rotated{std::move(kid), true};
}

int rotate(const std::string& data) {
  const Result<std::string> folder = data.empty() ? configured_data_dir() : data;
  if (!folder) return report(folder.error());
  const auto made = rotate_in(*folder);
  if (!made) return report(made.error());
  std::printf("New key %s. Tokens of the key before stay good until they end.\n%s", made->kid.c_str(),
              made->is_served ? "The running registry signs with it after SIGHUP.\n" : "");
  return kOk;
}

}  // namespace

void add_keys(CLI::App& parent, int& exit_code) {
  CLI::App* command = parent.add_subcommand("keys", "The keys that sign tokens");
  command->alias("key");
  command->require_subcommand(1);
  auto data = std::make_shared<std::string>();  // shared with the callback, which outlives this function
  CLI::App* rotating = command->add_subcommand("rotate", "Make a new key; the one before stays good for its tokens");
  rotating->add_option("--data", *data, "The data folder (default: the one of serve)");
  rotating->callback([data, &exit_code] { exit_code = rotate(*data); });
}

}  // namespace berth::cli
