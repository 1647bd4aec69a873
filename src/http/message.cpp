#include "http/message.h"

#include "http/chars.h"

namespace berth::http {

std::optional<std::string_view> Request::find(std::string_view name) const {
  for (const HeaderField& field : fields) {
    if (iequals(field.name, name)) return field.value;
  }
  return std::nullopt;
}

std::string Request::joined(std::string_view name) const {
  std::string all;
  bool first = true;
  for (const HeaderField& field : fields) {
    if (!iequals(field.name, name)) continue;
    if (!first) all += ", ";
    first = false;
    all += field.value;
  }
  return all;
}

}  // namespace berth::http
