// Repositories come, are called something else, and go.

#include "api/admin/repo_replies.h"
#include "api/admin/routes.h"

namespace berth::api::admin {

namespace {

using auth::Right;

/// Whether a push of the caller's could bring it into being, and whether he could see it then: whoever may write there
/// and not read is told the same whether there is such a repository or not (A10).
Result<void> check_may_create(const AdminCall& call, const oci::RepoName& name,
                              const std::optional<meta::Visibility>& visibility) {
  BERTH_TRY(const auth::Rights rights, rights_on(call, name));
  const std::string who_can_help =
      ", which an owner of " + std::string(name.first_component()) + " or an administrator can grant";
  if (!rights.has(Right::read) || !rights.has(Right::write))
    return fail(Errc::denied, "to create " + name.str() + " takes the rights read and write on it" + who_can_help);
  if (visibility && !rights.has(Right::admin))
    return fail(Errc::denied, "to say who sees " + name.str() + " takes the right admin on it" + who_can_help);
  return {};
}

Result<meta::RepoInfo> create(sql::Connection& db, const oci::RepoName& name,
                              const std::optional<meta::Visibility>& visibility, const std::string& description,
                              const meta::Stamp& stamp) {
  BERTH_TRY(const auto there, meta::find_repo(db, name));
  if (there) return fail(Errc::already_exists, "there is a repository " + name.str() + " already");
  BERTH_TRYV(meta::ensure_repo(db, name, stamp));
  BERTH_TRY(auto info, load_repo(db, name));
  if (!visibility && description.empty()) return info;
  if (visibility) info.visibility = *visibility;
  info.description = description;
  BERTH_TRYV(meta::update_repo(db, info));
  return load_repo(db, name);
}

}  // namespace

Done create_repo(AdminCall& call) {
  BERTH_CO_TRY(auto fields, body_of(call));
  BERTH_CO_TRY(const auto name, name_of(fields, "name"));
  BERTH_CO_TRY(const auto visibility, visibility_of(fields));
  BERTH_CO_TRY(const auto description, fields.text("description"));
  BERTH_CO_TRYV(fields.finish());
  BERTH_CO_TRYV(at("/description", check_description(description.value_or(""))));
  JsonObject detail;
  detail.text("repo", name.str());
  if (visibility) detail.text("visibility", auth::to_word(*visibility));
  call.detail = detail.str();
  BERTH_CO_TRYV(check_may_create(call, name, visibility));
  BERTH_CO_TRY(const auto made,
               co_await change(call, meta::Touches::repo(name), [=, stamp = call.stamp()](sql::Connection& db) {
                 return create(db, name, visibility, description.value_or(""), stamp);
               }));
  auto reply = reply_with(call, name, made);
  if (reply) {
    reply->status = 201;
    reply->location = "/api/v1/repos/" + name.str();
  }
  co_return reply;
}

}  // namespace berth::api::admin
