#include "app/config_file.h"

// The library asserts what a file may well contain ("[:" for one), and in a release build tells the compiler to assume
// it. Without either it goes on to its own error for it.
#undef NDEBUG
#define TOML_ASSERT(expr) static_assert(true)
#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include <algorithm>
#include <utility>

namespace berth::app {

namespace {

using Kind = FileEntry::Kind;

/// The text of a value that stands alone; false for what no setting is (dates, tables in lists).
bool read_scalar(const toml::node& node, Kind& kind, std::string& text) {
  if (const auto* value = node.as_string()) {
    kind = Kind::text;
    text = value->get();
  } else if (const auto* whole = node.as_integer()) {
    kind = Kind::number;
    text = std::to_string(whole->get());
  } else if (const auto* truth = node.as_boolean()) {
    kind = Kind::boolean;
    text = truth->get() ? "true" : "false";
  } else {
    return false;
  }
  return true;
}

FileEntry entry_of(std::string key, const toml::node& node) {
  FileEntry entry{.key = std::move(key), .kind = Kind::other, .values = {}, .line = node.source().begin.line};
  std::string text;
  if (const toml::array* array = node.as_array()) {
    entry.kind = Kind::list;
    for (const toml::node& element : *array) {
      Kind kind = Kind::other;
      if (!read_scalar(element, kind, text) || kind != Kind::text) {
        entry.kind = Kind::other;
        break;
      }
      entry.values.push_back(text);
    }
  } else if (read_scalar(node, entry.kind, text)) {
    entry.values.push_back(text);
  }
  return entry;
}

void walk(const toml::table& table, const std::string& prefix, int depth, std::vector<FileEntry>& out) {
  constexpr int kDepthMax = 4;
  for (const auto& [name, node] : table) {
    const std::string key = prefix.empty() ? std::string(name.str()) : prefix + "." + std::string(name.str());
    const toml::table* inner = node.as_table();
    if (inner != nullptr && depth < kDepthMax) {
      walk(*inner, key, depth + 1, out);
    } else {
      out.push_back(entry_of(key, node));
    }
  }
}

}  // namespace

Result<std::vector<FileEntry>> parse_config_file(std::string_view text) {
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    const auto& where = parsed.error().source().begin;
    return fail(Error(Errc::parameter_invalid,
                      std::string(parsed.error().description()) + " (column " + std::to_string(where.column) + ")")
                    .with_number(where.line));
  }
  std::vector<FileEntry> out;
  walk(parsed.table(), "", 0, out);
  std::ranges::sort(out, {}, [](const FileEntry& entry) { return std::pair(entry.line, entry.key); });
  return out;
}

}  // namespace berth::app
