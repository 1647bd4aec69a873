#include "cli/exit_code.h"

#include "app/environment.h"
#include "base/human_text.h"
#include "base/json_text.h"

#include <cstdio>
#include <string>

namespace berth::cli {

namespace {

bool wants_json() { return app::environment("BERTH_ERRORS") == "json"; }

void print_json(std::string_view code, std::string_view message, std::string_view cause) {
  std::string text = "{\"error\":{\"code\":" + json_string(code);
  append_json_member(text, "message", message);
  append_json_member(text, "cause", cause);
  std::fprintf(stderr, "%s}}\n", text.c_str());
}

}  // namespace

int exit_code_of(const Error& error) { return error.code == Errc::busy ? kBusy : kFailed; }

int report(const Error& error) {
  const std::string& message = error.message.empty() ? error.cause : error.message;
  const std::string& cause = error.message.empty() ? error.message : error.cause;
  if (wants_json()) {
    print_json(to_string(error.code), message, cause);
    return exit_code_of(error);
  }
  std::fprintf(stderr, "berth: %s\n", printable_lines(message).c_str());  // a server may say anything
  if (!cause.empty()) std::fprintf(stderr, "       (%s)\n", printable_lines(cause).c_str());
  return exit_code_of(error);
}

int report_usage(std::string_view sentence, int exit_code) {
  if (wants_json()) {
    print_json("usage", sentence, "");
  } else {
    std::fprintf(stderr, "%s\n", printable_lines(sentence).c_str());
  }
  return exit_code;
}

}  // namespace berth::cli
