// berth_load MODE --port P [--tls 1] [--seconds S] [--connections N] [--seed N] …
// Prints one line of JSON. The scenarios of bench/scenarios say which flags a mode reads.

#include "modes.h"

#include <csignal>
#include <cstdio>
#include <cstring>
#include <string_view>

namespace berth::load {

namespace {

struct Mode {
  std::string_view name;
  std::string (*run)(Run&);
};
constexpr Mode kModes[] = {{"trace", run_trace}, {"push", run_push}, {"upload", run_upload}, {"fill", run_fill},
                           {"mix", run_mix},     {"herd", run_herd}, {"hold", run_hold}};

}  // namespace

}  // namespace berth::load

int main(int count, char** words) {
  using namespace berth::load;
  const std::string_view wanted = count > 1 ? words[1] : "";
  for (const Mode& mode : kModes) {
    if (mode.name != wanted) continue;
    const Flags flags(count - 2, words + 2);
    if (!flags.problem().empty()) {
      std::fprintf(stderr, "berth_load: %s\n", flags.problem().c_str());
      return 2;
    }
    std::signal(SIGPIPE, SIG_IGN);
    // Left to the end of the process: tasks that never finished still refer to it.
    Run& run = *new Run(flags);  // allowed(new): see above
    const std::string line = mode.run(run);
    std::printf("%s\n", line.c_str());
    std::fflush(stdout);
    std::_Exit(0);
  }
  std::fprintf(stderr, "usage: berth_load trace|push|upload|fill|mix|herd|hold --port P [--flag value]…\n");
  return 2;
}
