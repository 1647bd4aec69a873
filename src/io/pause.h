#pragma once
// A coroutine that stands still for a while without holding anybody up.

#include "io/task.h"

#include <cstdint>

namespace berth::io {

/// Continues on its own core after about `ms` milliseconds. Cannot be cancelled: for moments only.
Task<void> pause(std::int64_t ms);

}  // namespace berth::io
