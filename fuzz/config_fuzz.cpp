// What an operator types: every setting that is parsed from text either means exactly one thing or is refused with a
// sentence.

#include "app/config.h"

#include "app/config_file.h"
#include "base/assert.h"
#include "base/setting_text.h"

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
  using namespace berth;
  using namespace berth::app;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto listen = parse_listen(text);
  check_refusal(listen);
  if (listen) {
    const auto again = parse_listen(to_text(*listen));
    BERTH_ASSERT(again.has_value() && *again == *listen, "print undoes parse");
    // Whatever was typed, nothing but this machine may reach what is open to everybody without being told so.
    ServeConfig config;
    config.listen = {*listen};
    config.data_dir = "data";
    config.tls_certificates = config.tls_keys = {"x"};
    BERTH_ASSERT(check_openness(config).has_value() == is_local(*listen), "only this machine is let in by itself");
  }
  const auto size_bytes = parse_bytes(text);
  check_refusal(size_bytes);
  if (size_bytes) BERTH_ASSERT(parse_bytes(print_bytes(*size_bytes)).value_or(-1) == *size_bytes, "print undoes parse");
  const auto duration_ms = parse_duration_ms(text);
  check_refusal(duration_ms);
  if (duration_ms)
    BERTH_ASSERT(parse_duration_ms(print_duration_ms(*duration_ms)).value_or(-1) == *duration_ms, "print undoes parse");
  check_refusal(parse_integer(text));
  check_refusal(parse_boolean(text));
  check_refusal(parse_config_file(text));
  check_refusal(parse_reference_policy(text));
  check_refusal(parse_anonymous(text));
  check_refusal(parse_log_level(text));
  return 0;
}
