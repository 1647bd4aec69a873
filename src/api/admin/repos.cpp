// Repositories: what they are, and the settings that say who sees them.

#include "api/admin/lists.h"
#include "api/admin/repo_replies.h"
#include "registry/listings.h"

namespace berth::api::admin {

namespace {

constexpr std::int64_t kScanMax = 2'000;  // names that one page looks at

struct Page {
  std::vector<std::string> items;
  std::string next;
};

Result<Page> visible_page(const AdminCall& call, sql::Connection& db, const PageParameters& wanted,
                          const std::string& search) {
  Page out;
  BERTH_TRY(out.next, registry::name_at(db, wanted.name_after()));
  for (std::int64_t seen = 0; seen < kScanMax;) {
    BERTH_TRY(const auto names, meta::list_repos(db, out.next, wanted.limit, wanted.order));
    if (names.empty()) {
      out.next.clear();
      return out;
    }
    for (const std::string& name : names) {
      ++seen;
      out.next = name;
      const auto repo = oci::RepoName::parse(name);
      if (!repo || (!search.empty() && name.find(search) == std::string::npos)) continue;
      BERTH_TRY(const auth::Rights rights, rights_on(call, *repo));
      if (!rights.has(auth::Right::read)) continue;
      BERTH_TRY(const auto info, meta::find_repo_info(db, *repo));
      if (info) out.items.push_back(repo_json(*info, rights));
      if (std::ssize(out.items) == wanted.limit) return out;
    }
  }
  // Enough was looked at; the last name may be one that is not shown.
  BERTH_TRY(const auto repo, oci::RepoName::parse(out.next));
  BERTH_TRY(const auto id, meta::find_repo(db, repo));
  if (id) {
    BERTH_TRY(out.next, registry::hidden_position(db, *id));
  } else {
    out.next.clear();
  }
  return out;
}

/// Of those that the caller may see; nullopt: there are too many to look at.
Result<std::string> count_visible(const AdminCall& call, sql::Connection& db, Count count, const std::string& search) {
  constexpr std::int64_t kStep = 500;
  std::string last;
  std::int64_t found = 0;
  for (std::int64_t seen = 0; seen < rows_to_count(count);) {
    BERTH_TRY(const auto names, meta::list_repos(db, last, kStep));
    for (const std::string& name : names) {
      const auto repo = oci::RepoName::parse(name);
      if (!repo || (!search.empty() && name.find(search) == std::string::npos)) continue;
      BERTH_TRY(const auth::Rights rights, rights_on(call, *repo));
      if (rights.has(auth::Right::read)) ++found;
    }
    if (std::ssize(names) < kStep) return total_json(count, found, true);
    seen += kStep;
    last = names.back();
  }
  return total_json(count, found, false);
}

}  // namespace

std::string repo_json(const meta::RepoInfo& repo, auth::Rights rights) {
  std::vector<std::string> permissions;
  for (const auth::Right right : auth::kAllRights) {
    if (rights.has(right)) permissions.emplace_back(auth::to_string(right));
  }
  JsonObject out;
  out.text("name", repo.name).text("visibility", auth::to_word(repo.visibility));
  out.text("description", repo.description).number("tags", repo.tags).number("manifests", repo.manifests);
  out.number("size", repo.used_bytes).raw("created_at", time_json(repo.created_at_ms));
  return out.texts("permissions", permissions).str();
}

Result<auth::Rights> rights_on(const AdminCall& call, const oci::RepoName& repo) {
  BERTH_TRY(const auth::RulingPtr ruling, call.deps.directory.ruling(call.identity.subject, repo));
  return call.identity.narrowing.apply(ruling->rights, repo.str());
}

Result<meta::RepoInfo> load_repo(sql::Connection& db, const oci::RepoName& name) {
  BERTH_TRY(auto found, meta::find_repo_info(db, name));
  if (!found) return fail(Errc::account_unknown, "there is no such thing, or you may not see it");
  return *std::move(found);
}

Result<AdminReply> reply_with(const AdminCall& call, const oci::RepoName& name, const meta::RepoInfo& info) {
  BERTH_TRY(const auth::Rights rights, rights_on(call, name));
  AdminReply reply;
  reply.body = repo_json(info, rights);
  reply.etag = etag_of(info.id, info.version);
  return reply;
}

Result<oci::RepoName> name_of(JsonFields& fields, std::string_view key) {
  BERTH_TRY(const std::string text, fields.required_text(key));
  auto name = oci::RepoName::parse(text);
  if (!name) return refuse_at(fields.pointer(key), name.error().message);
  return *std::move(name);
}

Done list_repos(AdminCall& call) {
  BERTH_CO_TRY(const auto wanted, page_of(call, SortKey::name));
  BERTH_CO_TRY(const auto search, call.query.single("q"));
  BERTH_CO_TRY(const auto page, co_await call.deps.store.read([&](sql::Connection& db) {
    return visible_page(call, db, wanted, search.value_or(""));
  }));
  std::string total;
  if (wanted.count != Count::none) {
    BERTH_CO_TRY(total, co_await call.deps.store.read([&](sql::Connection& db) {
      return count_visible(call, db, wanted.count, search.value_or(""));
    }));
  }
  co_return page_reply(page.items, page.next.empty() ? "" : cursor_of(wanted, page.next), total);
}

Done get_repo(AdminCall& call) {
  BERTH_CO_TRY(const auto name, oci::RepoName::parse(call.captures[0]));
  BERTH_CO_TRY(const auto info, call.deps.store.peek([&](sql::Connection& db) { return load_repo(db, name); }));
  co_return reply_with(call, name, info);
}

Done change_repo(AdminCall& call) {
  BERTH_CO_TRY(const auto name, oci::RepoName::parse(call.captures[0]));
  BERTH_CO_TRY(auto fields, body_of(call));
  BERTH_CO_TRY(const auto visibility, visibility_of(fields));
  BERTH_CO_TRY(const auto description, fields.clearable_text("description"));
  BERTH_CO_TRYV(fields.finish());
  if (description) BERTH_CO_TRYV(at("/description", check_description(*description)));
  if (visibility) call.detail = JsonObject().text("visibility", auth::to_word(*visibility)).str();
  const std::string wanted = if_match_of(call);
  BERTH_CO_TRY(const auto changed,
               co_await change(call, meta::Touches::repo(name), [=](sql::Connection& db) -> Result<meta::RepoInfo> {
                 BERTH_TRY(auto info, load_repo(db, name));
                 BERTH_TRYV(check_match(wanted, etag_of(info.id, info.version)));
                 if (visibility) info.visibility = *visibility;
                 if (description) info.description = *description;
                 BERTH_TRYV(meta::update_repo(db, info));
                 return load_repo(db, name);
               }));
  co_return reply_with(call, name, changed);
}

}  // namespace berth::api::admin
