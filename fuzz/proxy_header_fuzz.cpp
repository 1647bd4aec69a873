// The first bytes of a connection as a PROXY header, and any text as a list of networks and an X-Forwarded-For.
#include "base/assert.h"
#include "http/networks.h"
#include "http/proxy_protocol.h"

#include <cstddef>
#include <cstdint>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace berth::http;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto bytes = std::as_bytes(std::span(data, size));
  const auto header = parse_proxy_header(bytes);
  if (header && header->bytes > 0) {
    BERTH_ASSERT(header->bytes <= size && header->bytes <= kProxyHeaderBytesMax,
                 "a header is part of what was received");
    const auto again = parse_proxy_header(bytes.first(header->bytes));
    BERTH_ASSERT(again && again->bytes == header->bytes && again->source == header->source,
                 "what follows does not count");
    for (std::size_t n = 0; n < header->bytes; ++n) {
      const auto part = parse_proxy_header(bytes.first(n));
      BERTH_ASSERT(part && part->bytes == 0, "a beginning of a header is never refused, nor taken for a whole");
    }
  }
  (void)Networks::parse({std::string(text)});
  static const Networks kTrusted = *Networks::parse({"10.0.0.0/8", "::1"});
  Request request;
  request.fields.push_back({"X-Forwarded-For", text});
  BERTH_ASSERT(!client_address(request, "10.0.0.1:1", kTrusted).empty(), "there is always a client");
  return 0;
}
