// Any bytes as a chunked body: the same result however they are cut (H6), and whatever is encoded decodes to itself.
#include "http/chunked.h"

#include "base/assert.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace {

using namespace berth;
using namespace berth::http;

struct Outcome {
  std::string data;
  std::size_t used = 0;
  bool done = false;
  bool refused = false;

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome decode(std::string_view wire, std::size_t step) {
  ChunkedDecoder decoder;
  Outcome out;
  std::size_t given = 0;  // of the wire, so far
  while (!decoder.done() && !out.refused && (out.used < given || given < wire.size())) {
    if (out.used == given) given = std::min(given + step, wire.size());
    const std::string_view piece = wire.substr(out.used, given - out.used);
    if (decoder.data_left() > 0) {
      const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(decoder.data_left(), piece.size()));
      out.data += piece.substr(0, count);
      decoder.take(count);
      out.used += count;
      continue;
    }
    const Result<std::size_t> used = decoder.feed(piece);
    out.refused = !used;
    if (out.refused) {
      BERTH_ASSERT(used.error().code == Errc::size_invalid, "one error code");
      break;
    }
    BERTH_ASSERT(*used > 0 && *used <= piece.size(), "framing is consumed");
    out.used += *used;
  }
  out.done = decoder.done();
  if (out.refused) out.used = 0;  // where exactly it noticed depends on the cut
  return out;
}

/// Cuts `text` into chunks whose sizes the text itself decides.
std::string encode(std::string_view text) {
  std::string wire;
  while (!text.empty()) {
    const std::size_t size = std::min<std::size_t>(1u + static_cast<unsigned char>(text.front()), text.size());
    char line[32];
    std::snprintf(line, sizeof line, "%zX\r\n", size);
    wire += line;
    wire += text.substr(0, size);
    wire += "\r\n";
    text.remove_prefix(size);
  }
  return wire + "0\r\n\r\n";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Outcome whole = decode(text, std::max<std::size_t>(size, 1));
  BERTH_ASSERT(decode(text, 1) == whole && decode(text, 3) == whole, "cuts make no difference");

  const std::string wire = encode(text);
  const Outcome encoded = decode(wire + "rest", 7);
  BERTH_ASSERT(encoded.done && encoded.data == text && encoded.used == wire.size(),
               "encoding and decoding are inverse");
  return 0;
}
