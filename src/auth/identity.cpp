#include "auth/identity.h"

#include "base/json.h"
#include "base/json_text.h"

#include <algorithm>

namespace berth::auth {

namespace {

const Scope* find_repo(const std::vector<Scope>& access, std::string_view repo) {
  const auto found = std::ranges::find_if(
      access, [&](const Scope& scope) { return scope.type == Scope::Type::repository && scope.name == repo; });
  return found == access.end() ? nullptr : &*found;
}

}  // namespace

Actions Identity::actions_on(std::string_view repo) const {
  const Scope* scope = find_repo(access, repo);
  return scope == nullptr ? Actions() : scope->actions;
}

bool Identity::lists(std::string_view repo) const { return find_repo(access, repo) != nullptr; }

Rights Identity::rights_by_access(std::string_view repo) const {
  const Actions actions = actions_on(repo);
  Rights out;
  if (actions.has(Actions::pull)) out = out | Right::read;
  if (actions.has(Actions::push)) out = out | Right::write | Right::overwrite;
  if (actions.has(Actions::remove)) out = out | Right::remove;
  return out;
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
