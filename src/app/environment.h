#pragma once
// The environment, read in one place.

#include <string>

namespace berth::app {

/// Empty if it is not set.
std::string environment(const char* name);

}  // namespace berth::app
