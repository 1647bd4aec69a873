#include "app/version.h"

// Both come from the build (cmake/BerthVersion.cmake) and reach this file alone.
#ifndef BERTH_VERSION
#define BERTH_VERSION "0.0.0"
#endif
#ifndef BERTH_COMMIT
#define BERTH_COMMIT "unknown"
#endif

namespace berth::app {

std::string_view version() { return BERTH_VERSION; }
std::string_view commit() { return BERTH_COMMIT; }

}  // namespace berth::app
