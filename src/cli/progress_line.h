#pragma once
// How far a long command is, on standard error.

#include "base/clock.h"
#include "lifecycle/progress.h"

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace berth::cli {

/// "fsck: blobs  1.2 GB of 3.4 GB  250.0 MB/s"; the rate once a second has passed.
std::string progress_text(std::string_view command, const lifecycle::Progress& progress, std::int64_t elapsed_ms);

/// One line on standard error that is drawn over and over; a line every few seconds where that is not a terminal.
class ProgressLine {
 public:
  ProgressLine(const Clock& clock, bool quiet)
      : clock_(clock), quiet_(quiet), terminal_(::isatty(STDERR_FILENO) != 0), last_ms_(clock.mono_ms()) {}

  /// text: elapsed milliseconds of this phase → the line; called only if it is time to draw.
  template <class Text>
  void show(std::string_view phase, Text text) {
    if (quiet_) return;
    const std::int64_t now = clock_.mono_ms();
    if (phase != phase_) {
      phase_ = phase;
      began_ms_ = now;
    }
    if (now - last_ms_ < (terminal_ ? kRedrawMs : kPlainLineMs)) return;
    last_ms_ = now;
    const std::string line = text(now - began_ms_);
    std::fprintf(stderr, terminal_ ? "\r%s\x1b[K" : "%s\n", line.c_str());
    drawn_ = terminal_;
  }

  /// Before anything else is printed: it may go to the same terminal.
  void clear() {
    if (drawn_) std::fputs("\r\x1b[K", stderr);
    drawn_ = false;
  }

 private:
  static constexpr std::int64_t kRedrawMs = 100;       // on a terminal
  static constexpr std::int64_t kPlainLineMs = 5'000;  // else

  const Clock& clock_;
  bool quiet_;
  bool terminal_;
  bool drawn_ = false;
  std::string phase_;
  std::int64_t began_ms_ = 0;
  std::int64_t last_ms_;
};

}  // namespace berth::cli
