#include "http/etag.h"

#include "http/chars.h"

#include <optional>

namespace berth::http {

namespace {

struct EntityTag {
  bool weak = false;
  std::string_view opaque;
};

/// Takes one entity tag off the front of `rest`; nullopt if there is none that can be read.
std::optional<EntityTag> take_tag(std::string_view& rest) {
  EntityTag tag;
  if (rest.starts_with("W/")) {
    tag.weak = true;
    rest.remove_prefix(2);
  }
  if (rest.starts_with('"')) {
    const std::size_t close = rest.find('"', 1);
    if (close == std::string_view::npos) return std::nullopt;
    tag.opaque = rest.substr(1, close - 1);
    rest.remove_prefix(close + 1);
    return tag;
  }
  tag.opaque = trim(rest.substr(0, rest.find(',')));
  rest.remove_prefix(std::min(rest.find(','), rest.size()));
  if (tag.opaque.empty() || tag.opaque.find('"') != std::string_view::npos) return std::nullopt;
  return tag;
}

bool equal(const EntityTag& tag, std::string_view opaque, Comparison comparison) {
  return tag.opaque == opaque && !(tag.weak && comparison == Comparison::strong);
}

}  // namespace

bool matches(std::string_view header, std::string_view opaque, Comparison comparison) {
  std::string_view rest = trim(header);
  if (rest == "*") return true;
  while (!rest.empty()) {
    if (rest.front() == ',') {
      rest = trim(rest.substr(1));
      continue;
    }
    const std::optional<EntityTag> tag = take_tag(rest);
    if (!tag) return false;
    rest = trim(rest);
    if (!rest.empty() && rest.front() != ',') return false;
    if (equal(*tag, opaque, comparison)) return true;
  }
  return false;
}

bool matches_if_range(std::string_view header, std::string_view opaque) {
  std::string_view rest = trim(header);
  const std::optional<EntityTag> tag = take_tag(rest);
  return tag && trim(rest).empty() && equal(*tag, opaque, Comparison::strong);
}

}  // namespace berth::http
