// Grants on repositories: who was given what.

#include "api/admin/lists.h"

namespace berth::api::admin {

namespace {

Result<auth::Rights> rights_of(JsonFields& fields, std::string_view key) {
  BERTH_TRY(const auto words, fields.texts(key));
  auth::Rights out;
  for (const std::string& word : words.value_or(std::vector<std::string>())) {
    const auto right = auth::parse_right(word);
    if (!right)
      return refuse_at(fields.pointer(key),
                       "'" + word + "' is not a right; they are read, write, overwrite, delete, admin");
    out = out | *right;
  }
  return out;
}

std::vector<std::string> words_of(auth::Rights rights) {
  std::vector<std::string> out;
  for (const auth::Right right : auth::kAllRights) {
    if (rights.has(right)) out.emplace_back(auth::to_string(right));
  }
  return out;
}

std::string grant_json(const meta::GrantRow& grant) {
  JsonObject out;
  out.text("id", std::to_string(grant.id)).text("subject", grant.principal_name).text("repo", grant.pattern);
  out.texts("allow", words_of(auth::Rights::from_bits(grant.allow)));
  return out.texts("deny", words_of(auth::Rights::from_bits(grant.deny))).str();
}

/// Its rights are all that a grant of that number can change.
std::string etag_of_grant(meta::GrantId id, std::int64_t allow, std::int64_t deny) {
  return etag_of(JsonObject().number("id", id).number("allow", allow).number("deny", deny));
}

/// nullopt: there is none.
Result<std::optional<std::string>> find_etag(sql::Connection& db, meta::NamespaceId ns, meta::GrantId id) {
  BERTH_TRY(const auto found, meta::find_grant(db, ns, id));
  return found ? std::optional(etag_of_grant(id, found->allow, found->deny)) : std::nullopt;
}

/// Of the one for that subject and pattern.
Result<std::optional<std::string>> find_etag(sql::Connection& db, const meta::GrantRow& grant) {
  const std::string_view ns_name = std::string_view(grant.pattern).substr(0, grant.pattern.find('/'));
  BERTH_TRY(const auto ns, meta::find_namespace(db, ns_name));
  BERTH_TRY(const auto subject, meta::find_principal(db, grant.principal_name));
  if (!ns || !subject) return std::optional<std::string>();
  BERTH_TRY(const auto found, meta::find_grant(db, ns->id, subject->id, grant.pattern));
  if (!found) return std::optional<std::string>();
  return find_etag(db, ns->id, *found);
}

/// Robots and teams of another namespace are known to who belongs to it; to others it looks as if they were not there
/// (A10). Users are known to everybody who has something to give.
Result<void> check_known(const AdminCall& call, const std::string& name) {
  BERTH_TRY(const bool known, knows(call, name, call.captures[0]));
  if (known) return {};
  return fail(Errc::account_unknown, "there is no user, robot or team '" + name + "'");
}

}  // namespace

Done list_grants(AdminCall& call) {
  const auto fetch = [name = call.captures[0]](sql::Connection& db,
                                               const PageParameters& page) -> Result<std::vector<meta::GrantRow>> {
    BERTH_TRY(const std::int64_t after, page.number_after());
    BERTH_TRY(const auto ns, meta::find_namespace(db, name));
    if (!ns) return fail(Errc::account_unknown, "there is no namespace '" + name + "'");
    return meta::list_grants(db, ns->id, after, page.limit, page.order);
  };
  return list(call, fetch, grant_json, &meta::GrantRow::id);
}

Done put_grant(AdminCall& call) {
  BERTH_CO_TRY(auto fields, body_of(call));
  meta::GrantRow grant;
  BERTH_CO_TRY(grant.principal_name, fields.required_text("subject"));
  BERTH_CO_TRY(grant.pattern, fields.required_text("repo"));
  BERTH_CO_TRY(const auto allow, rights_of(fields, "allow"));
  BERTH_CO_TRY(const auto deny, rights_of(fields, "deny"));
  BERTH_CO_TRYV(fields.finish());
  BERTH_CO_TRY(const auto pattern, at("/repo", auth::RepoPattern::parse(grant.pattern)));
  if (pattern.first_component() != call.captures[0])
    co_return refuse_at("/repo", grant.pattern + " is not in the namespace " + call.captures[0]);
  call.detail = JsonObject()
                    .text("subject", grant.principal_name)
                    .text("repo", grant.pattern)
                    .text("allow", auth::to_text(allow))
                    .text("deny", auth::to_text(deny))
                    .str();
  // All that is wrong with it by itself comes first: it must not be told from who is there and who is not.
  if (allow.empty() && deny.empty()) co_return refuse_at("/allow", "a grant gives or denies at least one right");
  if (!(allow & deny).empty()) co_return refuse_at("/deny", "a grant cannot give and deny the same right");
  BERTH_CO_TRYV(check_known(call, grant.principal_name));
  bool is_there = false;
  BERTH_CO_TRY(grant.id,
               co_await change_accounts(call,
                                        [=, &is_there, must_be_new = must_be_new(call), wanted = if_match_of(call),
                                         stamp = call.stamp()](sql::Connection& db) -> Result<meta::GrantId> {
                                          BERTH_TRY(const auto before, find_etag(db, grant));
                                          is_there = before.has_value();
                                          // Who is not there is a 404, whatever the condition.
                                          BERTH_TRY(const meta::GrantId id,
                                                    at("/allow", auth::put_grant(db, grant.principal_name,
                                                                                 grant.pattern, allow, deny, stamp)));
                                          BERTH_TRYV(check_new(must_be_new, is_there));
                                          BERTH_TRYV(check_found(wanted, before));
                                          return id;
                                        }));
  grant.allow = allow.bits();
  grant.deny = deny.bits();
  AdminReply reply;
  reply.status = is_there ? 200 : 201;
  reply.body = grant_json(grant);
  reply.etag = etag_of_grant(grant.id, grant.allow, grant.deny);
  co_return reply;
}

Done remove_grant(AdminCall& call) {
  BERTH_CO_TRY(const std::int64_t id, id_of(call.captures[1]));
  BERTH_CO_TRYV(co_await change_accounts(
      call, [=, name = call.captures[0], wanted = if_match_of(call)](sql::Connection& db) -> Result<void> {
        BERTH_TRY(const auto ns, meta::find_namespace(db, name));
        if (ns) {
          BERTH_TRY(const auto there, find_etag(db, ns->id, id));
          if (there) BERTH_TRYV(check_found(wanted, there));
        }
        return auth::remove_grant(db, name, id);
      }));
  co_return no_content();
}

}  // namespace berth::api::admin
