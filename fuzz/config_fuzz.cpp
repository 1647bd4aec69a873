// What an operator types: every setting that is parsed from text either means exactly one thing or is refused with a
// sentence.

#include "app/config.h"

#include "base/assert.h"

#include <cstdint>
#include <string_view>

namespace {

template <class T>
void check_refusal(const berth::Result<T>& result) {
  if (result.has_value()) return;
  BERTH_ASSERT(result.error().code == berth::Errc::parameter_invalid, "a setting is refused as a parameter");
  BERTH_ASSERT(!result.error().message.empty(), "with a sentence");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace berth::app;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto listen = parse_listen(text);
  check_refusal(listen);
  if (listen) {
    const bool v6 = listen->host.find(':') != std::string::npos;
    const std::string printed = (v6 ? "[" + listen->host + "]" : listen->host) + ":" + std::to_string(listen->port);
    const auto again = parse_listen(printed);
    BERTH_ASSERT(again.has_value() && again->host == listen->host && again->port == listen->port, "print undoes parse");
    // Whatever was typed, nothing but loopback may be open to everybody without being told so.
    ServeConfig config;
    config.listen = *listen;
    config.data_dir = "data";
    BERTH_ASSERT(validate(config).has_value() == is_loopback(*listen), "only loopback is open by itself");
  }
  check_refusal(parse_reference_policy(text));
  check_refusal(parse_anonymous(text));
  check_refusal(parse_log_level(text));
  return 0;
}
