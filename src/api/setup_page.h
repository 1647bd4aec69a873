#pragma once
// /setup: the page on which the first administrator is made. The secret stands behind the '#' of its address, which
// browsers keep to themselves: it is in no log and no proxy.

#include "api/context.h"
#include "http/exchange.h"

namespace berth::api {

io::Task<Result<void>> get_setup(Context& context, http::Exchange& exchange);

}  // namespace berth::api
