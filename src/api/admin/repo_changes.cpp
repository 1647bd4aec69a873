// Repositories come, are called something else, and go.

#include "api/admin/repo_replies.h"
#include "api/admin/routes.h"

namespace berth::api::admin {

namespace {

using auth::Right;

constexpr std::int64_t kTransferLinksMax = 200'000;  // seconds of the writer, which all others wait for

/// Of what a token that is narrowed leaves there; before all else, so that it tells nothing of the account (A16).
Result<void> check_covered(const AdminCall& call, const oci::RepoName& name, std::initializer_list<Right> wanted) {
  const auth::Rights covered = call.identity.narrowing.apply(auth::Rights::all(), name.str());
  for (const Right right : wanted) {
    if (!covered.has(right)) return lacks_right(right, name);
  }
  return {};
}

/// Whether a push of the caller's could bring it into being, and whether he could see it then: whoever may write there
/// and not read is told the same whether there is such a repository or not (A10).
Result<void> check_may_create(AdminCall& call, const oci::RepoName& name,
                              const std::optional<meta::Visibility>& visibility) {
  BERTH_TRYV(check_covered(call, name, {Right::read, Right::write}));
  if (visibility) BERTH_TRYV(check_covered(call, name, {Right::admin}));
  BERTH_TRY(const auth::Rights rights, rights_on(call, name));
  const std::string who_can_help = ", which " + auth::who_can_grant(name.first_component()) + " can grant";
  if (!rights.has(Right::read) || !rights.has(Right::write))
    return fail(Errc::denied, "to create " + name.str() + " takes the rights read and write on it" + who_can_help);
  if (visibility && !rights.has(Right::admin))
    return fail(Errc::denied, "to say who sees " + name.str() + " takes the right admin on it" + who_can_help);
  BERTH_TRY(const auth::RulingPtr ruling, call.deps.directory.ruling(call.identity.subject, name));
  call.rule = auth::to_text(ruling->cause_of(visibility ? Right::admin : Right::write));
  return {};
}

/// What takes a name away from what is under it, or gives it one, is for who has every right there: else somebody could
/// get rid of a grant on that name that denies him something, or of the lack of one.
Result<void> check_every_right(const AdminCall& call, const oci::RepoName& name) {
  BERTH_TRYV(check_covered(call, name, {Right::read, Right::write, Right::overwrite, Right::remove, Right::admin}));
  BERTH_TRY(const auth::Rights rights, rights_on(call, name));
  for (const Right right : auth::kAllRights) {
    if (rights.has(right)) continue;
    return fail(Errc::denied, "this takes every right on " + name.str() + ", and " +
                                  std::string(auth::to_string(right)) + " is missing");
  }
  return {};
}

/// Under its new name it is on record where it came from.
Result<void> note_arrival(sql::Connection& db, meta::AuditEntry entry, const oci::RepoName& to) {
  entry.detail = joined_objects(entry.detail, JsonObject().text("from", entry.target).str());
  entry.target = to.str();
  return meta::append_audit(db, std::move(entry));
}

/// As change(), for what changes what a name stands for: nothing that was remembered by name counts any more.
/// fn(Connection&, JsonObject& detail) -> Result<T> adds to what is noted of it.
template <class F>
auto change_names(AdminCall& call, F fn) {
  return call.deps.store.write(
      [fn = std::move(fn), frame = ChangeFrame(call)](sql::Connection& db) mutable {
        JsonObject detail;
        using R = decltype(fn(db, detail));
        if (auto begun = frame.before(db); !begun) return R(fail(std::move(begun).error()));
        R done = fn(db, detail);
        if (!done) return done;
        frame.note(detail);
        if (auto ended = frame.after(db); !ended) return R(fail(std::move(ended).error()));
        return done;
      },
      {.space = meta::Space::reclaim, .touches = touched_by(call, meta::Touches::everything())});
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

Result<meta::RepoInfo> rename(sql::Connection& db, const oci::RepoName& name, const oci::RepoName& to,
                              const meta::AuditEntry& entry, JsonObject& detail) {
  BERTH_TRY(const auto info, load_repo(db, name));
  BERTH_TRYV(meta::rename_repo(db, info, to));
  BERTH_TRY(const std::int64_t grants, meta::move_grants(db, info.ns, name.str(), to.str()));
  detail.number("grants", grants);
  BERTH_TRYV(note_arrival(db, entry, to));
  return load_repo(db, to);
}

/// The same words whether there is such a namespace or not (A10).
Result<void> check_may_take(const AdminCall& call, std::string_view ns) {
  auto checked = check_act(call, auth::Act::administer_namespace, ns);
  if (checked || checked.error().code != Errc::account_unknown) return checked;
  return fail(Errc::denied, "to move a repository into " + std::string(ns) +
                                " takes its owner, an admin of the organisation, or an administrator");
}

Result<meta::RepoInfo> transfer(sql::Connection& db, const oci::RepoName& name, const oci::RepoName& to,
                                const meta::AuditEntry& entry, JsonObject& detail) {
  BERTH_TRY(const auto info, load_repo(db, name));
  const std::string ns_name(to.first_component());
  BERTH_TRY(const auto ns, meta::find_namespace(db, ns_name));
  if (!ns) return fail(Errc::account_unknown, "there is no namespace '" + ns_name + "'");
  BERTH_TRY(const bool is_too_large, meta::has_more_links_than(db, info.id, kTransferLinksMax));
  if (is_too_large) {
    return fail(Errc::state_conflict, name.str() + " has more than " + std::to_string(kTransferLinksMax) +
                                          " blobs, which are too many to move at once; copy what is needed with a "
                                          "client, and delete it");
  }
  BERTH_TRYV(meta::transfer_repo(db, info, ns->id, to));
  BERTH_TRY(const std::int64_t grants, meta::drop_grants_on(db, info.ns, name.str()));
  detail.number("grants_ended", grants);
  BERTH_TRYV(note_arrival(db, entry, to));
  return load_repo(db, to);
}

/// D2, for all of it at once.
Result<void> check_deletes(const AdminCall& call) {
  if (call.deps.deletes == Deletes::on) return {};
  return fail(
      Error(Errc::method_unknown, "deleting is switched off on this registry").with_items({"GET, HEAD, PATCH"}));
}

Result<void> remove(sql::Connection& db, const oci::RepoName& name, const std::string& wanted, const meta::Stamp& stamp,
                    JsonObject& detail) {
  BERTH_TRY(const auto info, load_repo(db, name));
  BERTH_TRYV(check_match(wanted, etag_of(info.id, info.version)));
  BERTH_TRYV(meta::delete_repo(db, info, stamp));
  BERTH_TRY(const std::int64_t grants, meta::drop_grants_on(db, info.ns, name.str()));
  detail.number("tags", info.tags).number("manifests", info.manifests).number("size", info.used_bytes);
  detail.number("grants_ended", grants);
  return {};
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
  call.target = name.str();
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

Done rename_repo(AdminCall& call) {
  BERTH_CO_TRY(const auto name, oci::RepoName::parse(call.captures[0]));
  BERTH_CO_TRY(auto fields, body_of(call));
  BERTH_CO_TRY(const auto to, name_of(fields, "to"));
  BERTH_CO_TRYV(fields.finish());
  if (to.first_component() != name.first_component()) {
    co_return refuse_at("/to", to.str() + " is in another namespace; to move it there, transfer it");
  }
  if (to == name) co_return refuse_at("/to", "it is called " + to.str() + " already");
  call.detail = JsonObject().text("to", to.str()).str();
  BERTH_CO_TRYV(check_every_right(call, name));
  BERTH_CO_TRYV(check_every_right(call, to));
  BERTH_CO_TRY(const auto renamed,
               co_await change_names(call, [=, entry = audit_entry(call)](sql::Connection& db, JsonObject& detail) {
                 return rename(db, name, to, entry, detail);
               }));
  co_return reply_with(call, to, renamed);
}

Done transfer_repo(AdminCall& call) {
  BERTH_CO_TRY(const auto name, oci::RepoName::parse(call.captures[0]));
  BERTH_CO_TRY(auto fields, body_of(call));
  BERTH_CO_TRY(const auto to, name_of(fields, "to"));
  BERTH_CO_TRYV(fields.finish());
  if (to.first_component() == name.first_component()) {
    co_return refuse_at("/to", to.str() + " is in the same namespace; to call it that, rename it");
  }
  call.detail = JsonObject().text("to", to.str()).str();
  BERTH_CO_TRYV(check_every_right(call, name));
  BERTH_CO_TRYV(check_may_take(call, to.first_component()));
  BERTH_CO_TRY(const auto moved,
               co_await change_names(call, [=, entry = audit_entry(call)](sql::Connection& db, JsonObject& detail) {
                 return transfer(db, name, to, entry, detail);
               }));
  co_return reply_with(call, to, moved);
}

Done remove_repo(AdminCall& call) {
  BERTH_CO_TRY(const auto name, oci::RepoName::parse(call.captures[0]));
  BERTH_CO_TRYV(check_every_right(call, name));
  BERTH_CO_TRYV(check_deletes(call));
  BERTH_CO_TRYV(co_await change_names(
      call, [=, wanted = if_match_of(call), stamp = call.stamp()](sql::Connection& db, JsonObject& detail) {
        return remove(db, name, wanted, stamp, detail);
      }));
  co_return no_content();
}

}  // namespace berth::api::admin
