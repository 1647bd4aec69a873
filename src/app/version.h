#pragma once

#include <string_view>

namespace berth::app {
std::string_view version();  // "0.1.0"
std::string_view commit();   // short hash of the source, "unknown" outside a checkout
}  // namespace berth::app
