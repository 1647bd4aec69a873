#pragma once
// For whoever looks after the server: is it alive, may it get traffic, what does it count.

#include "api/context.h"
#include "http/exchange.h"

namespace berth::api {

io::Task<Result<void>> get_health(Context& context, http::Exchange& exchange);   // /healthz: the process answers
io::Task<Result<void>> get_ready(Context& context, http::Exchange& exchange);    // /readyz: 503 with the reasons
io::Task<Result<void>> get_metrics(Context& context, http::Exchange& exchange);  // /metrics: text for Prometheus

}  // namespace berth::api
