#include "api/admin/document.h"

#include "api/admin/admin_api.h"
#include "base/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <sstream>

namespace berth::api {
namespace {

using testing::IsEmpty;

json::Value document() {
  auto parsed = json::parse(admin_document().json);
  if (!parsed) throw std::runtime_error(parsed.error().message);
  return *std::move(parsed);
}

std::string_view method_of(http::Method method) {
  switch (method) {
    case http::Method::get: return "get";
    case http::Method::post: return "post";
    case http::Method::put: return "put";
    case http::Method::patch: return "patch";
    case http::Method::delete_: return "delete";
    default: return "none";
  }
}

/// "#/components/parameters/Limit", or the value itself.
const json::Value& resolve(const json::Value& root, const json::Value& value) {
  const json::Value* reference = value.find("$ref");
  if (reference == nullptr) return value;
  const json::Value* at = &root;
  std::istringstream words(reference->string().substr(2));
  for (std::string word; std::getline(words, word, '/');) at = at == nullptr ? nullptr : at->find(word);
  if (at == nullptr) throw std::runtime_error(reference->string());
  return *at;
}

struct Operation {
  std::string path;
  std::string method;
  std::set<std::string> parameters;  // of query and header
  std::set<std::string> captures;
  std::set<std::string> statuses;
  bool has_body = false;
  bool is_open = false;  // also without credentials
};

void add_parameters(Operation& out, const json::Value& root, const json::Value* list) {
  if (list == nullptr) return;
  for (const json::Value& entry : list->array()) {
    const json::Value& parameter = resolve(root, entry);
    const bool is_capture = parameter.find("in")->string() == "path";
    (is_capture ? out.captures : out.parameters).insert(parameter.find("name")->string());
  }
}

/// By operationId.
std::multimap<std::string, Operation> operations(const json::Value& root) {
  std::multimap<std::string, Operation> out;
  for (const auto& [path, item] : root.find("paths")->object()) {
    for (const auto& [method, operation] : item.object()) {
      if (method == "parameters") continue;
      Operation row{path, method, {}, {}, {}, operation.find("requestBody") != nullptr, false};
      add_parameters(row, root, item.find("parameters"));
      add_parameters(row, root, operation.find("parameters"));
      for (const auto& [status, response] : operation.find("responses")->object()) row.statuses.insert(status);
      const json::Value* security = operation.find("security");
      row.is_open = security != nullptr && security->array().front().object().empty();
      out.emplace(operation.find("operationId")->string(), std::move(row));
    }
  }
  return out;
}

std::set<std::string> words(std::string_view text) {
  std::istringstream in{std::string(text)};
  return {std::istream_iterator<std::string>(in), {}};
}

std::set<std::string> captures_of(std::string_view pattern) {
  std::set<std::string> out;
  for (std::size_t at = pattern.find('{'); at != std::string_view::npos; at = pattern.find('{', at + 1))
    out.emplace(pattern.substr(at + 1, pattern.find('}', at) - at - 1));
  return out;
}

TEST(AdminDocument, IsOpenApi31) {
  EXPECT_EQ(document().find("openapi")->string(), "3.1.0");
  EXPECT_EQ(admin_document().etag.size(), 32U);
}

TEST(AdminDocument, DescribesEveryRouteAndNoOther) {
  const json::Value root = document();
  auto described = operations(root);
  for (const AdminRoute& route : admin_routes()) {
    SCOPED_TRACE(route.operation);
    const std::string name(route.operation);
    ASSERT_EQ(described.count(name), 1U);
    const Operation& operation = described.find(name)->second;
    EXPECT_EQ(operation.path, "/" + std::string(route.pattern));
    EXPECT_EQ(operation.method, method_of(route.method));
    EXPECT_EQ(operation.parameters, words(route.parameters));
    EXPECT_EQ(operation.captures, captures_of(route.pattern));
    described.erase(name);
  }
  std::vector<std::string> strangers;
  for (const auto& [name, operation] : described) strangers.push_back(name);
  EXPECT_THAT(strangers, IsEmpty());
}

/// The statuses that follow from what a route needs and takes, by the conventions.
std::set<std::string> statuses_wanted(const AdminRoute& route, const Operation& operation) {
  std::set<std::string> out = {"400", "401", "429", "503"};
  switch (route.need) {
    case AdminNeed::anybody:
    case AdminNeed::account: break;
    case AdminNeed::profile:
    case AdminNeed::user:
    case AdminNeed::organizations:
    case AdminNeed::registry_reader:
    case AdminNeed::administrators_maker:
    case AdminNeed::administrator: out.insert("403"); break;
    case AdminNeed::namespace_admin:
    case AdminNeed::repo_admin: out.insert({"403", "404"}); break;
    case AdminNeed::repo_reader: out.insert("404"); break;
  }
  if (operation.has_body) out.insert({"413", "415", "422"});
  const bool changes = route.method != http::Method::get && route.method != http::Method::post;
  if (changes) out.insert("412");
  return out;
}

TEST(AdminDocument, TellsTheStatusesThatFollowFromTheConventions) {
  const json::Value root = document();
  const auto described = operations(root);
  for (const AdminRoute& route : admin_routes()) {
    const auto found = described.find(std::string(route.operation));
    ASSERT_NE(found, described.end()) << route.operation;
    const Operation& operation = found->second;
    for (const std::string& status : statuses_wanted(route, operation))
      EXPECT_TRUE(operation.statuses.contains(status)) << route.operation << " lacks " << status;
    const bool is_open = route.need == AdminNeed::anybody || route.need == AdminNeed::repo_reader;
    EXPECT_EQ(operation.is_open, is_open) << route.operation;
  }
}

}  // namespace
}  // namespace berth::api
