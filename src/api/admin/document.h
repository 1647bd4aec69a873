#pragma once
// api/openapi.yaml, the contract of /api/v1, as it was when Berth was built.

#include <string>
#include <string_view>
#include <vector>

namespace berth::api {

struct AdminDocument {
  std::string_view json;
  std::string_view etag;  // without quotes: changes with every byte of it
};
AdminDocument admin_document();
/// The members of what an operation answers with 200, of a list those of its items.
const std::vector<std::string>& members_of(std::string_view operation);

}  // namespace berth::api
