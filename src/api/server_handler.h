#pragma once
// The front door: every request comes in here and leaves answered.

#include "api/context.h"
#include "api/request_observer.h"
#include "http/exchange.h"

namespace berth::api {

/// Routes, admits, calls the endpoint, and turns a failure into its answer.
class ServerHandler {
 public:
  explicit ServerHandler(Services services) : services_(services) {}
  io::Task<void> handle(http::Exchange& exchange);

 private:
  // borrows: seen is of the awaiting frame
  io::Task<Result<void>> dispatch(http::Exchange& exchange, RequestObserver::Seen& seen);
  // borrows: seen is of the awaiting frame
  io::Task<Result<void>> serve_others(Context& context, http::Exchange& exchange, RequestObserver::Seen& seen);

  Services services_;
};

}  // namespace berth::api
