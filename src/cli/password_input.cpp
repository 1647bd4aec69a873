#include "cli/password_input.h"

#include <termios.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>

namespace berth::cli {

namespace {

/// Turns the terminal's echo off for as long as it lives.
class Silence {
 public:
  Silence() {
    if (::tcgetattr(STDIN_FILENO, &before_) != 0) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    is_quiet_ = ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) == 0;
  }
  ~Silence() {
    if (is_quiet_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;

 private:
  termios before_{};
  bool is_quiet_ = false;
};

Result<std::string> read_line() {
  std::string line;
  if (!std::getline(std::cin, line)) return fail(Errc::parameter_invalid, "no password was given");
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

Result<std::string> ask(const std::string& prompt) {
  const Silence silence;  // first, for it drops what was typed before
  std::fputs(prompt.c_str(), stderr);
  std::fflush(stderr);
  auto line = read_line();
  std::fputc('\n', stderr);
  return line;
}

}  // namespace

bool can_prompt() { return ::isatty(STDIN_FILENO) == 1; }

Result<std::string> read_password(PasswordFrom from, const std::string& prompt) {
  if (from == PasswordFrom::standard_input) return read_line();
  if (!can_prompt())
    return fail(Errc::parameter_invalid, "there is no terminal to ask at; give the password with --password-stdin");
  return ask(prompt);
}

Result<std::string> read_new_password(PasswordFrom from, const std::string& prompt) {
  if (from == PasswordFrom::standard_input) return read_line();
  if (!can_prompt())
    return fail(Errc::parameter_invalid, "there is no terminal to ask at; give the password with --password-stdin");
  BERTH_TRY(auto first, ask(prompt + ": "));
  BERTH_TRY(const auto second, ask("Again: "));
  if (first != second) return fail(Errc::parameter_invalid, "the two passwords differ");
  return first;
}

}  // namespace berth::cli
