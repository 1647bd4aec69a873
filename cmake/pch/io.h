// Precompiled for the rooms that suspend: pure.h and the coroutine type. Not for the others, whose objects would need
// Asio's for nothing.
#pragma once

#include "pure.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
