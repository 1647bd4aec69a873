#include "auth/identity.h"

#include "base/json.h"
#include "base/json_text.h"

#include <algorithm>

namespace berth::auth {

Actions Identity::actions_on(std::string_view repo) const {
  const auto found = std::ranges::find_if(
      access, [&](const Scope& scope) { return scope.type == Scope::Type::repository && scope.name == repo; });
  return found == access.end() ? Actions() : found->actions;
}

bool Identity::may_list_catalog() const {
  return std::ranges::any_of(access, [](const Scope& scope) { return scope.type == Scope::Type::catalog; });
}

Narrowing parse_narrowing(std::string_view text) {
  const auto parsed = json::parse(text);
  Narrowing out;
  out.is_narrow = !parsed || !parsed->is(json::Value::Kind::object) || !parsed->object().empty();
  const json::Value* repos = parsed ? parsed->find("repos") : nullptr;
  if (repos == nullptr) return out;
  for (const json::Value& part : repos->array()) {
    const json::Value* pattern_text = part.find("pattern");
    const json::Value* rights_text = part.find("rights");
    if (pattern_text == nullptr || rights_text == nullptr) continue;
    auto pattern = RepoPattern::parse(pattern_text->string(), RepoPattern::FirstComponent::any);
    const auto rights = parse_rights(rights_text->string());
    if (pattern && rights) out.parts.push_back({*std::move(pattern), *rights});
  }
  return out;
}

std::string print_narrowing(const Narrowing& narrowing) {
  if (!narrowing.is_narrow) return "{}";
  std::string out = R"({"repos":[)";
  for (const Narrowing::Part& part : narrowing.parts) {
    if (&part != &narrowing.parts.front()) out += ',';
    out += R"({"pattern":)";
    append_json_string(out, part.pattern.str());
    append_json_member(out, "rights", to_text(part.rights));
    out += '}';
  }
  return out + "]}";
}

}  // namespace berth::auth
