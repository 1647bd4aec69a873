#pragma once

#include "base/error.h"

#include <string_view>

namespace berth::cli {

inline constexpr int kOk = 0;
inline constexpr int kFailed = 1;       // it could not be done; also what no command, or no argument of one, can be
inline constexpr int kFound = 2;        // a check worked and found something
inline constexpr int kUnchecked = 3;    // a check could not be made, which is not "nothing was found"
inline constexpr int kBusy = 75;        // EX_TEMPFAIL: another process owns the data folder
inline constexpr int kWrongFlag = 125;  // unknown or malformed, as of docker

/// The one place where a failure becomes an exit code.
int exit_code_of(const Error& error);

/// "berth: message" on standard error, with the cause where it helps the person at the terminal; with
/// BERTH_ERRORS=json one object {"error":{"code":…,"message":…,"cause":…}} instead.
int report(const Error& error);
/// The same of a line that was not understood. `exit_code` is what it returns.
int report_usage(std::string_view sentence, int exit_code);

}  // namespace berth::cli
