#include "api/admin/json_object.h"

#include "base/nearest.h"

#include <algorithm>

namespace berth::api {

namespace {

using Kind = json::Value::Kind;

}  // namespace

JsonObject& JsonObject::texts(std::string_view key, const std::vector<std::string>& values) {
  std::string json = "[";
  for (const std::string& value : values) {
    if (&value != &values.front()) json += ',';
    append_json_string(json, value);
  }
  return raw(key, json + "]");
}

Result<JsonFields> JsonFields::parse(std::string_view text) {
  JsonFields out;
  auto parsed = json::parse(text.empty() ? "{}" : text);
  if (!parsed) return fail(Errc::parameter_invalid, "the body is not JSON: " + parsed.error().message);
  if (!parsed->is(Kind::object)) return fail(Errc::parameter_invalid, "the body must be a JSON object");
  out.value_ = *std::move(parsed);
  return out;
}

const json::Value* JsonFields::take(std::string_view key, Null null) {
  taken_.emplace_back(key);
  const json::Value* found = value_.find(key);
  const bool is_nothing = found == nullptr || (found->is_null() && null == Null::is_nothing);
  return is_nothing ? nullptr : found;
}

std::string JsonFields::pointer(std::string_view key) const {
  std::string out = place_ + "/";
  for (const char c : key) {  // RFC 6901 3
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

std::unexpected<Error> JsonFields::refuse(std::string_view key, const std::string& why) const {
  return fail(Error(Errc::parameter_invalid, std::string(key) + " " + why).with_items({pointer(key)}));
}

Result<std::optional<std::string>> JsonFields::text(std::string_view key) {
  const json::Value* value = take(key, Null::is_nothing);
  if (value == nullptr) return std::optional<std::string>();
  if (!value->is(Kind::string)) return refuse(key, "must be a string");
  return std::optional(value->string());
}

Result<std::optional<std::string>> JsonFields::clearable_text(std::string_view key) {
  const json::Value* value = value_.find(key);
  const bool is_cleared = value != nullptr && value->is_null();
  BERTH_TRY(auto given, text(key));
  return is_cleared ? std::optional(std::string()) : std::move(given);
}

Result<std::optional<std::string>> JsonFields::word(std::string_view key) {
  const json::Value* value = take(key, Null::is_a_value);
  if (value == nullptr) return std::optional<std::string>();
  if (!value->is(Kind::string)) return refuse(key, "must be a string");
  return std::optional(value->string());
}

Result<std::optional<bool>> JsonFields::boolean(std::string_view key) {
  const json::Value* value = take(key, Null::is_a_value);
  if (value == nullptr) return std::optional<bool>();
  if (!value->is(Kind::boolean)) return refuse(key, "must be true or false");
  return std::optional(value->boolean());
}

Result<std::optional<std::int64_t>> JsonFields::number(std::string_view key) {
  const json::Value* value = take(key, Null::is_a_value);
  if (value == nullptr) return std::optional<std::int64_t>();
  if (!value->is(Kind::integer)) return refuse(key, "must be a whole number");
  return std::optional(value->integer());
}

Result<std::optional<std::vector<std::string>>> JsonFields::texts(std::string_view key) {
  const json::Value* value = take(key, Null::is_nothing);
  if (value == nullptr) return std::optional<std::vector<std::string>>();
  if (!value->is(Kind::array)) return refuse(key, "must be a list of strings");
  std::vector<std::string> out;
  for (const json::Value& element : value->array()) {
    if (!element.is(Kind::string)) return refuse(key, "must be a list of strings");
    out.push_back(element.string());
  }
  return std::optional(std::move(out));
}

Result<std::vector<std::pair<std::string, std::string>>> JsonFields::text_members(std::string_view key) {
  const json::Value* value = take(key, Null::is_a_value);
  std::vector<std::pair<std::string, std::string>> out;
  if (value == nullptr) return out;
  if (!value->is(Kind::object)) return refuse(key, "must be an object of strings");
  for (const auto& [name, member] : value->object()) {
    if (!member.is(Kind::string)) return refuse(key, "must be an object of strings");
    out.emplace_back(name, member.string());
  }
  return out;
}

Result<std::vector<JsonFields>> JsonFields::objects(std::string_view key) {
  const json::Value* value = take(key, Null::is_a_value);
  std::vector<JsonFields> out;
  if (value == nullptr) return out;
  if (!value->is(Kind::array)) return refuse(key, "must be a list of objects");
  for (const json::Value& element : value->array()) {
    if (!element.is(Kind::object)) return refuse(key, "must be a list of objects");
    JsonFields fields;
    fields.value_ = element;
    fields.place_ = pointer(key) + "/" + std::to_string(out.size());
    out.push_back(std::move(fields));
  }
  return out;
}

Result<std::string> JsonFields::required_text(std::string_view key) {
  BERTH_TRY(auto value, text(key));
  if (!value || value->empty()) return refuse(key, "is required");
  return *std::move(value);
}

Result<void> JsonFields::finish() const {
  for (const auto& [key, value] : value_.object()) {
    if (std::ranges::find(taken_, key) != taken_.end()) continue;
    return fail(
        Error(Errc::parameter_invalid, "there is no field '" + key + "' here." + did_you_mean(nearest_of(taken_, key)))
            .with_items({pointer(key)}));
  }
  return {};
}

}  // namespace berth::api
