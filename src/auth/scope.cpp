#include "auth/scope.h"

#include <algorithm>

namespace berth::auth {

namespace {

struct Word {
  std::string_view text;
  Actions::Bit bit;
};
constexpr Word kWords[] = {{"pull", Actions::pull}, {"push", Actions::push}, {"delete", Actions::remove}};

Actions parse_actions(std::string_view text) {
  Actions out;
  for (;;) {
    const std::size_t comma = text.find(',');
    const std::string_view word = text.substr(0, comma);
    if (word == "*") out = Actions::all();
    for (const Word& known : kWords) {
      if (word == known.text) out = out | known.bit;
    }
    if (comma == std::string_view::npos) return out;
    text.remove_prefix(comma + 1);
  }
}

/// The type ends at the first colon, the actions begin behind the last: names may hold a host with a port.
void add_scope(std::vector<Scope>& out, std::string_view text, std::size_t count_max) {
  const std::size_t first = text.find(':');
  const std::size_t last = text.rfind(':');
  if (first == std::string_view::npos || first == last) return;
  std::string_view type = text.substr(0, first);
  if (const std::size_t open = type.find('('); open != std::string_view::npos && type.ends_with(')'))
    type = type.substr(0, open);
  const std::string_view name = text.substr(first + 1, last - first - 1);
  Scope scope;
  scope.name = name;
  if (type == "repository" && oci::RepoName::parse(name)) {
    scope.actions = parse_actions(text.substr(last + 1));
  } else if (type == "registry" && name == "catalog" && text.substr(last + 1) == "*") {
    scope.type = Scope::Type::catalog;
    scope.actions = Actions::pull;
  }
  if (scope.actions.empty()) return;
  const auto same = std::ranges::find_if(
      out, [&](const Scope& other) { return other.type == scope.type && other.name == scope.name; });
  if (same != out.end()) {
    same->actions = same->actions | scope.actions;
  } else if (out.size() < count_max) {
    out.push_back(std::move(scope));
  }
}

}  // namespace

std::string Actions::to_text() const {
  std::string out;
  for (const Word& word : kWords) {
    if (!has(word.bit)) continue;
    if (!out.empty()) out += ',';
    out += word.text;
  }
  return out;
}

std::vector<std::string> Actions::to_words() const {
  std::vector<std::string> out;
  for (const Word& word : kWords) {
    if (has(word.bit)) out.emplace_back(word.text);
  }
  return out;
}

Actions Actions::parse_words(std::span<const std::string> words) {
  Actions out;
  for (const std::string& text : words) {
    for (const Word& word : kWords) {
      if (text == word.text) out = out | word.bit;
    }
  }
  return out;
}

std::vector<Scope> parse_scopes(std::span<const std::string> values, std::size_t count_max) {
  std::vector<Scope> out;
  for (std::string_view rest : values) {
    while (!rest.empty()) {
      const std::size_t space = rest.find(' ');
      add_scope(out, rest.substr(0, space), count_max);
      rest.remove_prefix(space == std::string_view::npos ? rest.size() : space + 1);
    }
  }
  return out;
}

}  // namespace berth::auth
