#include "api/admin/document.h"

#include "api/admin/routes.h"
#include "base/json.h"

#include <map>

namespace berth::api {

namespace {

/// The value at the end of the path; nullptr if it ends before.
const json::Value* at(const json::Value* from, std::initializer_list<std::string_view> path) {
  for (const std::string_view name : path) from = from == nullptr ? nullptr : from->find(name);
  return from;
}

/// What "#/components/schemas/User" stands for, or the value itself.
const json::Value* resolved(const json::Value& root, const json::Value* value) {
  const json::Value* reference = at(value, {"$ref"});
  if (reference == nullptr) return value;
  std::string_view rest = std::string_view(reference->string()).substr(2);
  const json::Value* out = &root;
  while (!rest.empty()) {
    const std::size_t slash = rest.find('/');
    out = at(out, {rest.substr(0, slash)});
    rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
  }
  return out;
}

std::vector<std::string> members_of(const json::Value& root, const json::Value& operation) {
  const json::Value* answer = resolved(root, at(&operation, {"responses", "200"}));
  const json::Value* schema = resolved(root, at(answer, {"content", "application/json", "schema"}));
  const json::Value* items = at(schema, {"properties", "items", "items"});
  if (items != nullptr) schema = resolved(root, items);
  std::vector<std::string> out;
  const json::Value* properties = at(schema, {"properties"});
  if (properties == nullptr) return out;
  for (const auto& [name, property] : properties->object()) out.push_back(name);
  return out;
}

std::map<std::string, std::vector<std::string>, std::less<>> read_members() {
  std::map<std::string, std::vector<std::string>, std::less<>> out;
  const auto root = json::parse(admin_document().json);
  if (!root) return out;  // the tests know better
  for (const auto& [path, item] : root->find("paths")->object()) {
    for (const auto& [method, operation] : item.object()) {
      if (const json::Value* name = operation.find("operationId")) out[name->string()] = members_of(*root, operation);
    }
  }
  return out;
}

}  // namespace

const std::vector<std::string>& members_of(std::string_view operation) {
  static const auto kMembers = read_members();
  static const std::vector<std::string> kNone;
  const auto found = kMembers.find(operation);
  return found == kMembers.end() ? kNone : found->second;
}

}  // namespace berth::api

namespace berth::api::admin {

Done get_document(AdminCall&) {
  const AdminDocument document = admin_document();
  AdminReply reply;
  reply.etag = "\"" + std::string(document.etag) + "\"";
  reply.cache_control = "public, no-cache";  // an upgrade changes it
  reply.body = document.json;
  co_return reply;
}

}  // namespace berth::api::admin
