#include "cli/commands.h"
#include "cli/exit_code.h"

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

namespace {

/// Edits that turn one word into the other: to name the command somebody meant.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, replaced}));
    }
  }
  return row[b.size()];
}

/// A first word that is no command gets a sentence of its own, with the nearest command if there is one.
bool is_unknown_command(const CLI::App& app, std::string_view word) {
  if (word.starts_with('-')) return false;
  std::string nearest;
  std::size_t best = 3;
  for (const CLI::App* command : app.get_subcommands({})) {
    if (command->get_name() == word) return false;
    const std::size_t d = distance(word, command->get_name());
    if (d < best) {
      best = d;
      nearest = command->get_name();
    }
  }
  std::fprintf(stderr, "berth: '%.*s' is not a berth command.%s%s%s See 'berth --help'.\n",
               static_cast<int>(word.size()), word.data(), nearest.empty() ? "" : " Did you mean '", nearest.c_str(),
               nearest.empty() ? "" : "'?");
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace berth::cli;
  int exit_code = kOk;
  CLI::App app("Berth: a container registry and image client in one program", "berth");
  app.require_subcommand(1);
  add_serve(app, exit_code);
  add_fsck(app, exit_code);
  add_version(app, exit_code);
  if (argc < 2) {
    std::fputs(app.help().c_str(), stderr);
    return kUsage;
  }
  if (is_unknown_command(app, argv[1])) return kUsage;
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? kOk : kUsage;
  }
  return exit_code;
}
