#include "http/message.h"

#include "http/chars.h"

#include <algorithm>

namespace berth::http {

std::optional<std::string_view> Request::find(std::string_view name) const {
  for (const HeaderField& field : fields) {
    if (iequals(field.name, name)) return field.value;
  }
  return std::nullopt;
}

std::size_t Request::count(std::string_view name) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(fields, [&](const HeaderField& field) { return iequals(field.name, name); }));
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

constexpr std::size_t kUsualBytes = 512;  // a blob's head

Response& Response::add_lines(std::initializer_list<std::string_view> pieces) {
  if (field_lines.empty()) field_lines.reserve(kUsualBytes);
  for (const std::string_view piece : pieces) field_lines.append(piece);
  return *this;
}

Response& Response::add(std::string_view name, std::string_view value) {
  const bool is_servers_own =
      iequals(name, "content-length") || iequals(name, "transfer-encoding") || iequals(name, "connection");
  if (is_servers_own || !is_token(name) || !is_field_text(value)) {
    ++left_out_count;
    return *this;
  }
  if (field_lines.empty()) field_lines.reserve(kUsualBytes);
  field_lines.append("\r\n").append(name).append(": ").append(value);
  return *this;
}

}  // namespace berth::http
