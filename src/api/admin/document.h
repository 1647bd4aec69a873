#pragma once
// api/openapi.yaml, the contract of /api/v1, as it was when Berth was built.

#include <string_view>

namespace berth::api {

struct AdminDocument {
  std::string_view json;
  std::string_view etag;  // without quotes: changes with every byte of it
};
AdminDocument admin_document();

}  // namespace berth::api
