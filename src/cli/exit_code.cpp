#include "cli/exit_code.h"

#include "base/human_text.h"

#include <algorithm>
#include <cstdio>
#include <string>
#include <string_view>

namespace berth::cli {

namespace {

/// A server may say anything; of control characters only the ends of lines are left.
std::string lines_for_terminal(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    if (at > 0) out += '\n';
    out += printable(text.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

}  // namespace

int exit_code_of(const Error& error) {
  switch (error.code) {
    case Errc::busy: return kBusy;
    case Errc::parameter_invalid: return kUsage;
    default: return kFailed;
  }
}

int report(const Error& error) {
  const std::string message = lines_for_terminal(error.message.empty() ? error.cause : error.message);
  std::fprintf(stderr, "berth: %s\n", message.c_str());
  if (!error.message.empty() && !error.cause.empty())
    std::fprintf(stderr, "       (%s)\n", lines_for_terminal(error.cause).c_str());
  return exit_code_of(error);
}

}  // namespace berth::cli
