#include "cli/exit_code.h"

#include "base/human_text.h"

#include <cstdio>
#include <string>

namespace berth::cli {

int exit_code_of(const Error& error) {
  switch (error.code) {
    case Errc::busy: return kBusy;
    case Errc::parameter_invalid:
    case Errc::name_invalid: return kUsage;
    default: return kFailed;
  }
}

int report(const Error& error) {
  const std::string message = printable_lines(  // a server may say anything
      error.message.empty() ? error.cause : error.message);
  std::fprintf(stderr, "berth: %s\n", message.c_str());
  if (!error.message.empty() && !error.cause.empty())
    std::fprintf(stderr, "       (%s)\n", printable_lines(error.cause).c_str());
  return exit_code_of(error);
}

}  // namespace berth::cli
