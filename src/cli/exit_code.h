#pragma once

#include "base/error.h"

namespace berth::cli {

inline constexpr int kOk = 0;
inline constexpr int kFailed = 1;
inline constexpr int kFound = 2;   // a check worked and found something
inline constexpr int kUsage = 64;  // EX_USAGE: the command line is wrong
inline constexpr int kBusy = 75;   // EX_TEMPFAIL: another process owns the data folder

/// The one place where a failure becomes an exit code.
int exit_code_of(const Error& error);

/// "berth: message" on standard error, with the cause where it helps the person at the terminal.
int report(const Error& error);

}  // namespace berth::cli
