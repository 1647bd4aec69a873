// Organisations, their members, and what a namespace settles for its repositories.

#include "api/admin/routes.h"
#include "meta/team_groups.h"

#include <algorithm>

namespace berth::api::admin {

namespace {

std::string_view kind_word(meta::NamespaceKind kind) {
  switch (kind) {
    case meta::NamespaceKind::unowned: return "unowned";
    case meta::NamespaceKind::user: return "user";
    case meta::NamespaceKind::organization: return "organization";
  }
  return "";
}

std::string namespace_json(const meta::Namespace& ns) {
  JsonObject out;
  out.text("name", ns.name).text("kind", kind_word(ns.kind)).text("display_name", ns.display_name);
  out.text("visibility", auth::to_word(ns.visibility));
  return out.str();
}

Result<meta::Namespace> load_namespace(sql::Connection& db, std::string_view name) {
  BERTH_TRY(auto found, meta::find_namespace(db, name));
  if (!found) return fail(Errc::account_unknown, "there is no namespace '" + std::string(name) + "'");
  return *std::move(found);
}

Result<meta::Principal> load_team(sql::Connection& db, std::string_view name) {
  BERTH_TRY(auto found, meta::find_principal(db, name));
  if (!found || found->kind != meta::PrincipalKind::team)
    return fail(Errc::account_unknown, "there is no team '" + std::string(name) + "'");
  return *std::move(found);
}

constexpr std::size_t kGroupsMax = 50;
constexpr std::size_t kGroupBytesMax = 256;

/// Groups of the directory that people sign in from, whose members are the team's.
Result<void> check_groups(const std::vector<std::string>& groups) {
  if (groups.size() > kGroupsMax) return refuse_at("/groups", "a team has at most 50 groups");
  for (const std::string& group : groups) {
    if (group.empty() || group.size() > kGroupBytesMax)
      return refuse_at("/groups", "a group's name has 1 to 256 bytes");
  }
  return {};
}

/// Who is in it by a group that is none of its any more is out at once.
Result<void> replace_groups(sql::Connection& db, const meta::Principal& team, const std::vector<std::string>& groups) {
  BERTH_TRY(const auto before, meta::groups_of_team(db, team.id));
  BERTH_TRYV(meta::set_groups_of_team(db, team.id, groups));
  const bool lost_one = std::ranges::any_of(
      before, [&](const std::string& group) { return std::ranges::find(groups, group) == groups.end(); });
  if (!lost_one) return {};
  return meta::drop_group_members(db, {team.id, team.ns.value_or(0)});
}

Result<AdminReply> team_reply(sql::Connection& db, const std::string& name) {
  BERTH_TRY(const auto team, load_team(db, name));
  BERTH_TRY(const auto groups, meta::groups_of_team(db, team.id));
  AdminReply reply;
  reply.body = JsonObject().text("name", name).texts("groups", groups).str();
  return reply;
}

AdminReply namespace_reply(const meta::Namespace& ns, int status = 200) {
  AdminReply reply;
  reply.status = status;
  reply.body = namespace_json(ns);
  reply.etag = etag_of(ns.version);
  if (status == 201) reply.location = "/api/v1/namespaces/" + ns.name;
  return reply;
}

/// A member as a call is about him.
struct MemberAsked {
  auth::Identity self;
  std::string org;
  std::string user;
};
MemberAsked member_asked(const AdminCall& call) { return {call.identity, call.captures[0], call.captures[1]}; }

/// Who is no owner makes no owners, and takes nothing from one: as things are in the transaction that would do it.
/// The role he has; nullopt: he is no member.
Result<std::optional<meta::Role>> check_ownership(sql::Connection& db, const MemberAsked& asked,
                                                  std::optional<meta::Role> wanted) {
  const meta::PrincipalId id = asked.self.subject.id;
  BERTH_TRY(const auto place, meta::load_place(db, id != 0 ? std::optional(id) : std::nullopt, asked.org));
  BERTH_TRY(const auto now, auth::role_of_member(db, asked.org, asked.user));
  const auth::Act act = auth::act_on_member(now, wanted);
  const auth::Decision decision = auth::decide(asked.self.asker(), act, asked.org, place);
  if (!decision.is_allowed()) return refuse(decision, act, asked.org);
  return now;
}

}  // namespace

Done list_orgs(AdminCall& call) {
  BERTH_CO_TRY(const auto page, page_of(call));
  std::vector<std::string> items;
  if (!check_act(call, auth::Act::read_registry)) {  // everybody sees his own, which are few
    BERTH_CO_TRY(auto own, call.deps.store.peek(
                               [&](sql::Connection& db) { return meta::list_orgs_of(db, call.identity.subject.id); }));
    std::erase_if(own, [&](const meta::Namespace& org) { return org.name <= page.after; });
    std::ranges::sort(own, {}, &meta::Namespace::name);
    const bool is_full = std::ssize(own) > page.limit;
    if (is_full) own.resize(static_cast<std::size_t>(page.limit));
    for (const meta::Namespace& org : own) items.push_back(namespace_json(org));
    co_return page_reply(items, is_full ? cursor_of(own.back().name) : "");
  }
  BERTH_CO_TRY(const auto all, co_await call.deps.store.read([=](sql::Connection& db) {
    return meta::list_namespaces(db, page.after, page.limit);
  }));
  for (const meta::Namespace& ns : all) {
    if (ns.kind == meta::NamespaceKind::organization) items.push_back(namespace_json(ns));
  }
  co_return page_reply(items, std::ssize(all) == page.limit ? cursor_of(all.back().name) : "");
}

Done create_org(AdminCall& call) {
  BERTH_CO_TRY(auto fields, body_of(call));
  BERTH_CO_TRY(const auto name, fields.required_text("name"));
  BERTH_CO_TRY(const auto display_name, fields.text("display_name"));
  BERTH_CO_TRY(const auto owner, fields.text("owner"));
  BERTH_CO_TRY(const auto adopts, fields.boolean("adopt_namespace"));
  BERTH_CO_TRYV(fields.finish());
  BERTH_CO_TRYV(at("/name", auth::check_account_name(name)));
  BERTH_CO_TRYV(at("/display_name", auth::check_display_name(display_name.value_or(""))));
  const std::string owner_name = owner.value_or(call.identity.subject.name);
  call.detail = JsonObject().text("name", name).text("owner", owner_name).str();
  BERTH_CO_TRY(
      const auto made,
      co_await change_accounts(
          call,
          [=, visibility = call.deps.visibility, stamp = call.stamp()](sql::Connection& db) -> Result<meta::Namespace> {
            BERTH_TRY(const auto user, meta::find_principal(db, owner_name));
            if (!user || user->kind != meta::PrincipalKind::user)
              return fail(Errc::account_unknown, "there is no user '" + owner_name + "'; name one as owner");
            const auth::NewOrg org{name, display_name.value_or(""), user->id, visibility};
            BERTH_TRYV(auth::create_org(db, org, adopts.value_or(false), stamp));
            return load_namespace(db, name);
          }));
  co_return namespace_reply(made, 201);
}

Done get_namespace(AdminCall& call) {
  BERTH_CO_TRY(const auto ns,
               call.deps.store.peek([&](sql::Connection& db) { return load_namespace(db, call.captures[0]); }));
  co_return namespace_reply(ns);
}

Done change_namespace(AdminCall& call) {
  BERTH_CO_TRY(auto fields, body_of(call));
  BERTH_CO_TRY(const auto visibility, visibility_of(fields));
  BERTH_CO_TRY(const auto display_name, fields.clearable_text("display_name"));
  BERTH_CO_TRYV(fields.finish());
  if (display_name) BERTH_CO_TRYV(at("/display_name", auth::check_display_name(*display_name)));
  if (visibility) call.detail = JsonObject().text("visibility", auth::to_word(*visibility)).str();
  const auto version = wanted_version(call);
  BERTH_CO_TRY(
      const auto changed,
      co_await change_accounts(call, [=, name = call.captures[0]](sql::Connection& db) -> Result<meta::Namespace> {
        BERTH_TRY(auto ns, load_namespace(db, name));
        if (version) ns.version = *version;
        if (visibility) ns.visibility = *visibility;
        if (display_name) ns.display_name = *display_name;
        BERTH_TRYV(meta::update_namespace(db, ns));
        return load_namespace(db, name);
      }));
  co_return namespace_reply(changed);
}

Done remove_org(AdminCall& call) {
  BERTH_CO_TRYV(co_await change_accounts(
      call, [name = call.captures[0], version = wanted_version(call)](sql::Connection& db) -> Result<void> {
        BERTH_TRY(const auto org, load_namespace(db, name));
        BERTH_TRYV(check_version(version, org.version));
        return auth::remove_org(db, name);
      }));
  co_return no_content();
}

Done list_members(AdminCall& call) {
  BERTH_CO_TRY(const auto page, page_of(call));
  BERTH_CO_TRY(const std::int64_t after, number_after(page));
  BERTH_CO_TRY(const auto members,
               co_await call.deps.store.read(
                   [=, name = call.captures[0]](sql::Connection& db) -> Result<std::vector<meta::OrgMember>> {
                     BERTH_TRY(const auto ns, load_namespace(db, name));
                     return meta::list_org_members(db, ns.id, after, page.limit);
                   }));
  std::vector<std::string> items;
  for (const meta::OrgMember& member : members) {
    JsonObject item;
    item.text("user", member.name).text("role", auth::to_word(member.role));
    items.push_back(item.str());
  }
  const bool is_full = std::ssize(members) == page.limit;
  co_return page_reply(items, is_full ? cursor_of(std::to_string(members.back().principal)) : "");
}

Done put_member(AdminCall& call) {
  BERTH_CO_TRY(auto fields, body_of(call));
  BERTH_CO_TRY(const auto word, fields.required_text("role"));
  BERTH_CO_TRYV(fields.finish());
  const auto role = auth::parse_role(word);
  if (!role) co_return refuse_at("/role", "role is reader, writer, admin or owner");
  call.detail = JsonObject().text("role", word).str();
  BERTH_CO_TRY(
      const bool was_in,
      co_await change_accounts(
          call, [=, asked = member_asked(call), must_be_new = must_be_new(call)](sql::Connection& db) -> Result<bool> {
            BERTH_TRY(const auto now, check_ownership(db, asked, *role));
            BERTH_TRYV(check_new(must_be_new, now.has_value()));
            BERTH_TRYV(auth::put_member(db, asked.org, asked.user, *role));
            return now.has_value();
          }));
  JsonObject out;
  out.text("user", call.captures[1]).text("role", word);
  AdminReply reply;
  reply.status = was_in ? 200 : 201;
  reply.body = out.str();
  co_return reply;
}

Done remove_member(AdminCall& call) {
  BERTH_CO_TRYV(co_await change_accounts(call, [asked = member_asked(call)](sql::Connection& db) -> Result<void> {
    BERTH_TRYV(check_ownership(db, asked, std::nullopt));
    return auth::remove_member(db, asked.org, asked.user);
  }));
  co_return no_content();
}

Done list_teams(AdminCall& call) {
  BERTH_CO_TRY(const auto page, page_of(call));
  BERTH_CO_TRY(const auto teams,
               co_await call.deps.store.read(
                   [=, name = call.captures[0]](sql::Connection& db) -> Result<std::vector<meta::Principal>> {
                     BERTH_TRY(const auto ns, load_namespace(db, name));
                     return meta::list_principals_of(db, ns.id, meta::PrincipalKind::team, page.after, page.limit);
                   }));
  std::vector<std::string> items;
  for (const meta::Principal& team : teams) items.push_back(JsonObject().text("name", team.name).str());
  co_return page_reply(items, std::ssize(teams) == page.limit ? cursor_of(teams.back().name) : "");
}

Done create_team(AdminCall& call) {
  BERTH_CO_TRY(auto fields, body_of(call));
  BERTH_CO_TRY(const auto name, fields.required_text("name"));
  BERTH_CO_TRYV(fields.finish());
  const std::string whole = call.captures[0] + "/" + name;
  call.detail = JsonObject().text("name", whole).str();
  BERTH_CO_TRYV(co_await change_accounts(
      call, [=, stamp = call.stamp()](sql::Connection& db) { return auth::create_team(db, whole, stamp); }));
  AdminReply reply;
  reply.status = 201;
  reply.body = JsonObject().text("name", whole).texts("groups", {}).str();
  reply.location = "/api/v1/orgs/" + call.captures[0] + "/teams/" + name;
  co_return reply;
}

Done get_team(AdminCall& call) {
  const std::string name = call.captures[0] + "/" + call.captures[1];
  co_return call.deps.store.peek([&](sql::Connection& db) { return team_reply(db, name); });
}

Done change_team(AdminCall& call) {
  BERTH_CO_TRY(auto fields, body_of(call));
  BERTH_CO_TRY(const auto groups, fields.texts("groups"));
  BERTH_CO_TRYV(fields.finish());
  if (groups) {
    BERTH_CO_TRYV(check_groups(*groups));
    call.detail = JsonObject().texts("groups", *groups).str();
  }
  co_return co_await change_accounts(
      call, [=, name = call.captures[0] + "/" + call.captures[1]](sql::Connection& db) -> Result<AdminReply> {
        BERTH_TRY(const auto team, load_team(db, name));
        if (groups) BERTH_TRYV(replace_groups(db, team, *groups));
        return team_reply(db, name);
      });
}

Done remove_team(AdminCall& call) {
  BERTH_CO_TRYV(co_await change_accounts(call, [team = call.captures[0] + "/" + call.captures[1]](sql::Connection& db) {
    return auth::remove_team(db, team);
  }));
  co_return no_content();
}

Done list_team_members(AdminCall& call) {
  BERTH_CO_TRY(const auto page, page_of(call));
  BERTH_CO_TRY(const std::int64_t after, number_after(page));
  const std::string name = call.captures[0] + "/" + call.captures[1];
  BERTH_CO_TRY(const auto members,
               co_await call.deps.store.read([=](sql::Connection& db) -> Result<std::vector<meta::OrgMember>> {
                 BERTH_TRY(const auto team, load_team(db, name));
                 return meta::list_team_members(db, team.id, after, page.limit);
               }));
  std::vector<std::string> items;
  for (const meta::OrgMember& member : members) items.push_back(JsonObject().text("user", member.name).str());
  const bool is_full = std::ssize(members) == page.limit;
  co_return page_reply(items, is_full ? cursor_of(std::to_string(members.back().principal)) : "");
}

Done put_team_member(AdminCall& call) {
  BERTH_CO_TRY(const bool is_added,
               co_await change_accounts(call,
                                        [team = call.captures[0] + "/" + call.captures[1], user = call.captures[2],
                                         must_be_new = must_be_new(call)](sql::Connection& db) -> Result<bool> {
                                          BERTH_TRY(const bool was_added, auth::add_to_team(db, team, user));
                                          BERTH_TRYV(check_new(must_be_new, !was_added));
                                          return was_added;
                                        }));
  AdminReply reply;
  reply.status = is_added ? 201 : 200;
  reply.body = JsonObject().text("user", call.captures[2]).str();
  co_return reply;
}

Done remove_team_member(AdminCall& call) {
  BERTH_CO_TRYV(co_await change_accounts(
      call, [team = call.captures[0] + "/" + call.captures[1], user = call.captures[2]](sql::Connection& db) {
        return auth::remove_from_team(db, team, user);
      }));
  co_return no_content();
}

}  // namespace berth::api::admin
