#pragma once
// Task<T>: the coroutine type of every asynchronous function. It runs on one core's io_context and never changes core.
// The executor is the concrete type on purpose: the type-erased any_io_executor costs a third of small-read speed.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

namespace berth::io {

namespace asio = boost::asio;

using Executor = asio::io_context::executor_type;

template <class T = void>
using Task = asio::awaitable<T, Executor>;

}  // namespace berth::io
