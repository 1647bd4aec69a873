// Any bytes as a request head: the same verdict however they are cut into packets, and an accepted head is one that no
// other reader can understand differently (S23).
#include "base/assert.h"
#include "http/chars.h"
#include "http/head_parser.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

using namespace berth;
using namespace berth::http;

constexpr HeadParser::Limits kLimits{.target_bytes_max = 200, .head_bytes_max = 400, .fields_max = 8};

struct Verdict {
  bool refused = false;  // why is not compared: a head may break several rules, and cuts decide which is noticed first
  std::size_t length = 0;

  friend bool operator==(const Verdict&, const Verdict&) = default;
};

Verdict to_verdict(const Result<std::size_t>& length) {
  if (length) return {.length = *length};
  const Errc code = length.error().code;
  BERTH_ASSERT(code == Errc::request_malformed || code == Errc::request_too_large, "G8: two error codes");
  return {.refused = true};
}

void check_framing(const Request& request) {
  std::size_t hosts = 0;
  std::size_t lengths = 0;
  std::size_t codings = 0;
  for (const HeaderField& field : request.fields) {
    BERTH_ASSERT(is_token(field.name), "S23: names are tokens");
    BERTH_ASSERT(all_of_class(field.value, CharClass::field_byte) && trim(field.value) == field.value,
                 "S23: values are clean");
    hosts += iequals(field.name, "host") ? 1u : 0u;
    lengths += iequals(field.name, "content-length") ? 1u : 0u;
    codings += iequals(field.name, "transfer-encoding") ? 1u : 0u;
  }
  BERTH_ASSERT(lengths + codings <= 1, "H6: one framing");
  BERTH_ASSERT(request.content_length.has_value() == (lengths == 1), "H6: a length is used");
  BERTH_ASSERT(request.chunked == (codings == 1), "H6: a coding is used");
  BERTH_ASSERT(hosts == 1 || (hosts == 0 && request.version_minor == 0), "S23: one Host");
  BERTH_ASSERT(!request.chunked || request.version_minor == 1, "S23: no chunks in HTTP/1.0");
}

void check_head(std::string_view head, const Request& request) {
  BERTH_ASSERT(head.ends_with("\r\n\r\n"), "S23: the head ends where it ends");
  BERTH_ASSERT(head.find("\r\n\r\n") == head.size() - 4, "S23: and nowhere before");
  BERTH_ASSERT(std::ranges::count(head, '\n') == std::ranges::count(head, '\r'), "S23: no bare line ends");
  BERTH_ASSERT(head.find('\0') == head.npos, "S23: no NUL");
  BERTH_ASSERT(head.find("\r\n ") == head.npos && head.find("\r\n\t") == head.npos, "S23: no folding");
  BERTH_ASSERT(is_token(request.method_text), "the method is a token");
  BERTH_ASSERT(request.target.starts_with('/') || request.target == "*", "the target is a path");
  BERTH_ASSERT(all_of_class(request.target, CharClass::target_byte), "the target is clean");
  BERTH_ASSERT(request.target.size() <= kLimits.target_bytes_max, "G8: target limit");
  BERTH_ASSERT(request.fields.size() <= kLimits.fields_max, "G8: field limit");
  const std::size_t path = request.path.size();
  BERTH_ASSERT(path == request.target.size() || request.target[path] == '?', "the query follows the path");
  check_framing(request);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  Request request;
  HeadParser whole(kLimits);
  const Verdict verdict = to_verdict(whole.feed(bytes, request));
  BERTH_ASSERT(verdict.length <= size, "no more than there is");
  if (verdict.length > 0) check_head(std::string_view(bytes).substr(0, verdict.length), request);

  for (const std::size_t step : {std::size_t{1}, std::size_t{3}}) {
    HeadParser parser(kLimits);
    Verdict cut;
    for (std::size_t end = std::min(step, size); end > 0; end = std::min(end + step, size)) {
      const std::string moved = bytes.substr(0, end);  // another buffer each time
      cut = to_verdict(parser.feed(moved, request));
      if (cut.refused || cut.length > 0 || end == size) break;
    }
    BERTH_ASSERT(cut == verdict, "packets make no difference");
  }
  return 0;
}
