#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace berth {

void assert_failed(const char* condition, const char* what, const char* file, int line) noexcept {
  std::fprintf(stderr, "berth: broken invariant: %s (%s) at %s:%d\n", what, condition, file, line);
  std::abort();
}

}  // namespace berth
