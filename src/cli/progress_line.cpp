#include "cli/progress_line.h"

#include "base/human_text.h"

namespace berth::cli {

std::string progress_text(std::string_view command, const lifecycle::Progress& p, std::int64_t elapsed_ms) {
  const auto amount = [&](std::uint64_t n) { return p.in_bytes ? size_text(n) : std::to_string(n); };
  std::string out = std::string(command) + ": " + std::string(p.phase);
  if (p.total == 0 && p.done == 0) return out;
  out += "  " + amount(p.done);
  if (p.total != 0) out += " of " + amount(p.total);
  if (elapsed_ms >= 1000) out += "  " + amount(p.done * 1000 / static_cast<std::uint64_t>(elapsed_ms)) + "/s";
  return out;
}

}  // namespace berth::cli
