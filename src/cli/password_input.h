#pragma once
// A password from the person at the terminal, or from standard input. Never from the command line.

#include "base/result.h"

#include <string>

namespace berth::cli {

enum class PasswordFrom : std::uint8_t { prompt, standard_input };

/// From a terminal: asked for twice, without echo. From standard input: its first line.
/// Errors: parameter_invalid: the two differ, or there is no terminal to ask at.
Result<std::string> read_new_password(PasswordFrom from, const std::string& prompt);

/// One that exists: asked for once.
Result<std::string> read_password(PasswordFrom from, const std::string& prompt);

/// Whether there is somebody to ask.
bool can_prompt();

}  // namespace berth::cli
