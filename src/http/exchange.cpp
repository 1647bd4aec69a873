#include "http/exchange.h"

#include <algorithm>

namespace berth::http {

namespace {

constexpr std::size_t kFirstRead = 64 * 1024;

Error too_large_error(Errc code, std::size_t max_bytes) {
  return Error(code, "the body is larger than " + std::to_string(max_bytes) + " bytes").with_number(max_bytes);
}

}  // namespace

io::Task<Result<std::string>> Exchange::read_body(std::size_t max_bytes, Errc too_large) {
  const bool is_declared = !request().chunked;  // any number is a declared length, the largest one too
  const std::uint64_t declared = request().content_length.value_or(0);
  if (is_declared && declared > max_bytes) co_return fail(too_large_error(too_large, max_bytes));

  // Grows with what arrives, not with what was promised (S1); one byte beyond the limit shows that there is more.
  const std::size_t capacity_max = is_declared ? static_cast<std::size_t>(declared) : max_bytes + 1;
  std::string body;
  std::size_t filled = 0;
  for (;;) {
    if (filled == body.size()) {
      if (filled > max_bytes) co_return fail(too_large_error(too_large, max_bytes));
      if (filled == capacity_max && is_declared) break;
      body.resize(std::min(capacity_max, std::max(kFirstRead, filled * 2)));
    }
    const std::span<char> room(body.data() + filled, body.size() - filled);
    BERTH_CO_TRY(const std::size_t count, co_await read(std::as_writable_bytes(room)));
    if (count == 0) break;
    filled += count;
    if (filled > max_bytes) co_return fail(too_large_error(too_large, max_bytes));
  }
  body.resize(filled);
  co_return body;
}

}  // namespace berth::http
