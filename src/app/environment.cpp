#include "app/environment.h"

#include <cstdlib>

namespace berth::app {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

}  // namespace berth::app
