#pragma once

#include <string>

namespace berth::cli {

/// "berth 1.2.3 (commit)".
std::string version_line();

}  // namespace berth::cli
