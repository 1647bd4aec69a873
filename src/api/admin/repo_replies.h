#pragma once
// What the handlers about repositories have in common.

#include "api/admin/admin_api.h"
#include "meta/repos.h"

#include <utility>

namespace berth::api::admin {

std::string repo_json(const meta::RepoInfo& repo, auth::Rights rights);
/// What is left of the caller's rights by the secret he came with.
Result<auth::Rights> rights_on(const AdminCall& call, const oci::RepoName& repo);
/// Errors: account_unknown.
Result<meta::RepoInfo> load_repo(sql::Connection& db, const oci::RepoName& name);
Result<AdminReply> reply_with(const AdminCall& call, const oci::RepoName& name, const meta::RepoInfo& info);

/// The name in that member of the body. Errors: account_invalid, parameter_invalid.
Result<oci::RepoName> name_of(JsonFields& fields, std::string_view key);

}  // namespace berth::api::admin
