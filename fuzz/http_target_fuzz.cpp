// Any text as path and as query: what is accepted holds nothing forbidden and prints back to itself (G6, G7).
#include "base/assert.h"
#include "http/target.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

using namespace berth;
using namespace berth::http;

void check_path(std::string_view text) {
  const Result<Path> path = split_path(text);
  if (!path) {
    BERTH_ASSERT(path.error().code == Errc::request_malformed, "G6: one error code");
    return;
  }
  BERTH_ASSERT(path->size() == static_cast<std::size_t>(std::ranges::count(text, '/')), "G6: slashes are never merged");
  std::string printed;
  for (const std::string_view segment : *path) {
    BERTH_ASSERT(segment != "." && segment != "..", "G6: no dot segments");
    for (const char c : segment) {
      BERTH_ASSERT(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f && c != '/', "G6: no forbidden byte");
    }
    printed += "/" + percent_encode(segment);
  }
  const Result<Path> again = split_path(printed);
  BERTH_ASSERT(again && std::ranges::equal(*again, *path), "G6: printing and splitting are inverse");
}

void check_query(std::string_view text) {
  const Result<Query> query = Query::parse(text);
  if (!query) {
    BERTH_ASSERT(query.error().code == Errc::request_malformed, "G7: one error code");
    return;
  }
  for (const char* name : {"a", "digest", "n", ""}) {
    const std::vector<std::string> values = query->all(name);
    BERTH_ASSERT(query->has(name) == !values.empty(), "has and all agree");
    const auto single = query->single(name);
    const bool differ = std::ranges::adjacent_find(values, std::ranges::not_equal_to()) != values.end();
    BERTH_ASSERT(single.has_value() == !differ, "G7: contradictions are refused");
    if (single)
      BERTH_ASSERT(*single == (values.empty() ? std::nullopt : std::optional(values.front())), "G7: the value");

    std::string printed;
    for (const std::string& value : values) printed += "&x=" + percent_encode(value);
    const Result<Query> again = Query::parse(printed);
    BERTH_ASSERT(again && again->all("x") == values, "G7: printing and parsing are inverse");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_path(text);
  check_query(text);
  return 0;
}
