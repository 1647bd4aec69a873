#include "cli/row_template.h"

#include "base/human_text.h"

#include <algorithm>

namespace berth::cli {

namespace {

using Kind = json::Value::Kind;

constexpr std::string_view kOpen = "{{";
constexpr std::string_view kClose = "}}";

std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char next = text[i] == '\\' && i + 1 < text.size() ? text[i + 1] : '\0';
    const std::size_t known = std::string_view("tn\\").find(next);
    if (next == '\0' || known == std::string_view::npos) {
      out += text[i];
      continue;
    }
    out += "\t\n\\"[known];
    ++i;
  }
  return out;
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

constexpr bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/// "ExpiresAt" and "expires_at" are the same.
std::string folded(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c != '_') out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return out;
}

}  // namespace

Result<RowTemplate> RowTemplate::parse(std::string_view text) {
  RowTemplate out;
  while (!text.empty()) {
    const std::size_t open = text.find(kOpen);
    if (open != 0) out.parts_.push_back({unescaped(text.substr(0, open)), false});
    if (open == std::string_view::npos) break;
    text.remove_prefix(open + kOpen.size());
    const std::size_t close = text.find(kClose);
    if (close == std::string_view::npos) return fail(Errc::parameter_invalid, "a {{ of the format is not closed");
    const std::string_view name = trimmed(text.substr(0, close));
    const bool is_field = name.size() > 1 && name.starts_with('.') && std::ranges::all_of(name.substr(1), is_letter);
    if (!is_field) {
      return fail(Errc::parameter_invalid, "'{{" + std::string(text.substr(0, close)) +
                                               "}}' is no field; one is written {{.Name}}, and there is nothing else");
    }
    out.parts_.push_back({std::string(name.substr(1)), true});
    text.remove_prefix(close + kClose.size());
  }
  if (std::ranges::any_of(out.parts_, &Part::is_field)) return out;
  return fail(Errc::parameter_invalid, "a format is table, json, or a text with fields such as {{.Name}}");
}

Result<void> RowTemplate::check(const std::vector<std::string>& keys) const {
  for (const Part& part : parts_) {
    const auto is_it = [wanted = folded(part.text)](const std::string& key) { return folded(key) == wanted; };
    if (!part.is_field || std::ranges::any_of(keys, is_it)) continue;
    std::string all;
    for (const std::string& key : keys) all += (all.empty() ? "" : ", ") + key;
    return fail(Errc::parameter_invalid, "there is no field '" + part.text + "' here; the fields are " + all);
  }
  return {};
}

std::string RowTemplate::render(const json::Value& row) const {
  std::string out;
  for (const Part& part : parts_) {
    if (!part.is_field) {
      out += part.text;
      continue;
    }
    for (const auto& [key, value] : row.object()) {
      if (folded(key) == folded(part.text)) out += shown(row, key);
    }
  }
  return out;
}

std::string shown(const json::Value& object, std::string_view key) {
  const json::Value* value = object.find(key);
  if (value == nullptr) return "";
  switch (value->kind()) {
    case Kind::null: return "";
    case Kind::boolean: return value->boolean() ? "yes" : "no";
    case Kind::integer: return std::to_string(value->integer());
    case Kind::number:
    case Kind::string: return printable(value->string());
    case Kind::array: {
      std::string out;
      for (const json::Value& element : value->array()) out += (out.empty() ? "" : ",") + printable(element.string());
      return out;
    }
    case Kind::object: {
      std::string out;
      json::append(out, *value);
      return printable(out);
    }
  }
  return "";
}

}  // namespace berth::cli
