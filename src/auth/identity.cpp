#include "auth/identity.h"

#include "auth/token_scope.h"
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

std::optional<Narrowing::Part> parse_part(const json::Value& part) {
  const json::Value* pattern_text = part.find("pattern");
  const json::Value* rights_text = part.find("rights");
  if (pattern_text == nullptr || rights_text == nullptr) return std::nullopt;
  auto pattern = RepoPattern::parse(pattern_text->string(), RepoPattern::FirstComponent::any);
  const auto rights = parse_rights(rights_text->string());
  if (!pattern || !rights) return std::nullopt;
  return Narrowing::Part{*std::move(pattern), *rights};
}

/// The elements of the list of that name.
std::vector<json::Value> list_of(const json::Value& object, std::string_view name) {
  const json::Value* list = object.find(name);
  return list == nullptr ? std::vector<json::Value>() : list->array();
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
  if (!parsed) return out;
  for (const json::Value& element : list_of(*parsed, "repos")) {
    if (auto part = parse_part(element)) out.parts.push_back(*std::move(part));
  }
  for (const json::Value& element : list_of(*parsed, "namespaces")) {
    const bool is_name = element.is(json::Value::Kind::string) && is_namespace_name(element.string());
    if (is_name) out.namespaces.push_back(element.string());
  }
  const json::Value* profile = parsed->find("profile");
  out.profile = profile != nullptr && profile->is(json::Value::Kind::boolean) && profile->boolean();
  const std::string& registry = parsed->text("registry");
  if (registry == "read") out.registry = Narrowing::Registry::read;
  if (registry == "write") out.registry = Narrowing::Registry::write;
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
  out += ']';
  for (const std::string& ns : narrowing.namespaces) {
    out += &ns == &narrowing.namespaces.front() ? R"(,"namespaces":[)" : ",";
    append_json_string(out, ns);
  }
  if (!narrowing.namespaces.empty()) out += ']';
  if (narrowing.profile) out += R"(,"profile":true)";
  if (narrowing.registry == Narrowing::Registry::read) out += R"(,"registry":"read")";
  if (narrowing.registry == Narrowing::Registry::write) out += R"(,"registry":"write")";
  return out + "}";
}

}  // namespace berth::auth
