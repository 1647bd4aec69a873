#include "api/admin/json_object.h"

#include "base/nearest.h"

#include <algorithm>

namespace berth::api {

namespace {

using Kind = json::Value::Kind;

std::unexpected<Error> wrong_type(std::string_view key, std::string_view what) {
  return fail(Errc::parameter_invalid, std::string(key) + " must be " + std::string(what));
}

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

const json::Value* JsonFields::take(std::string_view key) {
  taken_.emplace_back(key);
  const json::Value* found = value_.find(key);
  return found == nullptr || found->is_null() ? nullptr : found;
}

Result<std::optional<std::string>> JsonFields::text(std::string_view key) {
  const json::Value* value = take(key);
  if (value == nullptr) return std::optional<std::string>();
  if (!value->is(Kind::string)) return wrong_type(key, "a string");
  return std::optional(value->string());
}

Result<std::optional<bool>> JsonFields::boolean(std::string_view key) {
  const json::Value* value = take(key);
  if (value == nullptr) return std::optional<bool>();
  if (!value->is(Kind::boolean)) return wrong_type(key, "true or false");
  return std::optional(value->boolean());
}

Result<std::optional<std::int64_t>> JsonFields::number(std::string_view key) {
  const json::Value* value = take(key);
  if (value == nullptr) return std::optional<std::int64_t>();
  if (!value->is(Kind::integer)) return wrong_type(key, "a whole number");
  return std::optional(value->integer());
}

Result<std::optional<std::vector<std::string>>> JsonFields::texts(std::string_view key) {
  const json::Value* value = take(key);
  if (value == nullptr) return std::optional<std::vector<std::string>>();
  if (!value->is(Kind::array)) return wrong_type(key, "a list of strings");
  std::vector<std::string> out;
  for (const json::Value& element : value->array()) {
    if (!element.is(Kind::string)) return wrong_type(key, "a list of strings");
    out.push_back(element.string());
  }
  return std::optional(std::move(out));
}

Result<std::vector<std::pair<std::string, std::string>>> JsonFields::text_members(std::string_view key) {
  const json::Value* value = take(key);
  std::vector<std::pair<std::string, std::string>> out;
  if (value == nullptr) return out;
  if (!value->is(Kind::object)) return wrong_type(key, "an object of strings");
  for (const auto& [name, member] : value->object()) {
    if (!member.is(Kind::string)) return wrong_type(key, "an object of strings");
    out.emplace_back(name, member.string());
  }
  return out;
}

Result<std::vector<JsonFields>> JsonFields::objects(std::string_view key) {
  const json::Value* value = take(key);
  std::vector<JsonFields> out;
  if (value == nullptr) return out;
  if (!value->is(Kind::array)) return wrong_type(key, "a list of objects");
  for (const json::Value& element : value->array()) {
    if (!element.is(Kind::object)) return wrong_type(key, "a list of objects");
    JsonFields fields;
    fields.value_ = element;
    out.push_back(std::move(fields));
  }
  return out;
}

Result<std::string> JsonFields::required_text(std::string_view key) {
  BERTH_TRY(auto value, text(key));
  if (!value || value->empty()) return fail(Errc::parameter_invalid, std::string(key) + " is required");
  return *std::move(value);
}

Result<void> JsonFields::finish() const {
  for (const auto& [key, value] : value_.object()) {
    if (std::ranges::find(taken_, key) != taken_.end()) continue;
    return fail(Errc::parameter_invalid,
                "there is no field '" + key + "' here." + did_you_mean(nearest_of(taken_, key)));
  }
  return {};
}

}  // namespace berth::api
