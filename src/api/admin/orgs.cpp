// Organisations, their members, and what a namespace settles for its repositories.

#include "api/admin/lists.h"
#include "meta/belongings.h"
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

Result<meta::Namespace> load_org(sql::Connection& db, std::string_view name) {
  BERTH_TRY(auto found, meta::find_namespace(db, name));
  if (!found || found->kind != meta::NamespaceKind::organization)
    return fail(Errc::account_unknown, "there is no organisation '" + std::string(name) + "'");
  return *std::move(found);
}

Result<meta::Principal> load_team(sql::Connection& db, std::string_view name) {
  BERTH_TRY(auto found, meta::find_principal(db, name));
  if (!found || found->kind != meta::PrincipalKind::team)
    return fail(Errc::account_unknown, "there is no team '" + std::string(name) + "'");
  return *std::move(found);
}

/// Of a member's place; nullopt: there is none.
Result<std::optional<std::string>> member_etag(sql::Connection& db, std::string_view org_name,
                                               std::string_view user_name) {
  BERTH_TRY(const auto org, meta::find_namespace(db, org_name));
  BERTH_TRY(const auto user, meta::find_principal(db, user_name));
  BERTH_TRY(const auto role, auth::role_of_member(db, org_name, user_name));
  if (!org || !user || !role) return std::optional<std::string>();
  return etag_of(JsonObject().number("org", org->id).number("user", user->id).text("role", auth::to_word(*role)));
}

/// The same in a team, where everybody is the same.
Result<std::string> team_member_etag(sql::Connection& db, std::string_view team_name, std::string_view user_name) {
  BERTH_TRY(const auto team, load_team(db, team_name));
  BERTH_TRY(const auto user, meta::find_principal(db, user_name));
  return etag_of(JsonObject().number("team", team.id).number("user", user ? user->id : 0));
}

/// What a PUT found, and what it left.
struct Placed {
  bool was_there = false;
  std::string etag;
};

AdminReply placed_reply(const Placed& placed, const JsonObject& member) {
  AdminReply reply;
  reply.status = placed.was_there ? 200 : 201;
  reply.body = member.str();
  reply.etag = placed.etag;
  return reply;
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

/// Its members have tags of their own.
std::string team_etag(meta::PrincipalId id, const std::vector<std::string>& groups) {
  return etag_of(JsonObject().number("id", id).texts("groups", groups));
}

struct TeamView {
  meta::Principal team;
  std::vector<std::string> groups;

  std::string etag() const { return team_etag(team.id, groups); }
};

Result<TeamView> view_team(sql::Connection& db, const std::string& name) {
  BERTH_TRY(auto team, load_team(db, name));
  BERTH_TRY(auto groups, meta::groups_of_team(db, team.id));
  return TeamView{std::move(team), std::move(groups)};
}

AdminReply team_reply(const TeamView& view) {
  AdminReply reply;
  reply.body = JsonObject().text("name", view.team.name).texts("groups", view.groups).str();
  reply.etag = view.etag();
  return reply;
}

AdminReply namespace_reply(const meta::Namespace& ns, int status = 200) {
  AdminReply reply;
  reply.status = status;
  reply.body = namespace_json(ns);
  reply.etag = etag_of(ns.id, ns.version);
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

/// Those that somebody belongs to, which are few.
Result<std::vector<meta::Namespace>> own_orgs(sql::Connection& db, meta::PrincipalId id, const PageParameters& page) {
  BERTH_TRY(auto out, meta::list_orgs_of(db, id));
  const bool goes_up = page.order == meta::Order::up;
  const std::string after = page.name_after();
  std::erase_if(out, [&](const meta::Namespace& org) { return goes_up ? org.name <= after : org.name >= after; });
  std::ranges::sort(out, {}, &meta::Namespace::name);
  if (!goes_up) std::ranges::reverse(out);
  if (std::ssize(out) > page.limit) out.resize(static_cast<std::size_t>(page.limit));
  return out;
}

std::string org_member_json(const meta::OrgMember& member) {
  return JsonObject().text("user", member.name).text("role", auth::to_word(member.role)).str();
}

}  // namespace

Done list_orgs(AdminCall& call) {
  const bool sees_all = check_act(call, auth::Act::read_registry).has_value();  // everybody else his own
  const auto fetch = [sees_all, id = call.identity.subject.id](sql::Connection& db, const PageParameters& page) {
    return sees_all ? meta::list_namespaces(db, page.name_after(), page.limit, page.order) : own_orgs(db, id, page);
  };
  return list(call, fetch, namespace_json, &meta::Namespace::name,
              [](const meta::Namespace& ns) { return ns.kind == meta::NamespaceKind::organization; });
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
  // Whose the namespace is reads the private repositories in it, which a token for the registry alone does not.
  if (adopts.value_or(false)) BERTH_CO_TRYV(check_act(call, auth::Act::appoint_administrators));
  const std::string owner_name = owner.value_or(call.identity.subject.name);
  call.detail = JsonObject().text("name", name).text("owner", owner_name).str();
  BERTH_CO_TRY(
      const auto made,
      co_await change_accounts(
          call,
          [=, visibility = call.deps.visibility, stamp = call.stamp()](sql::Connection& db) -> Result<meta::Namespace> {
            BERTH_TRY(const auto user, meta::find_principal(db, owner_name));
            if (!user || user->kind != meta::PrincipalKind::user)
              return fail(
                  Errc::account_unknown,
                  (owner ? "there is no user '" + owner_name + "'" : "who asks is no user") + "; name one as owner");
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
  BERTH_CO_TRY(const auto changed,
               co_await change_accounts(call,
                                        [=, name = call.captures[0],
                                         wanted = if_match_of(call)](sql::Connection& db) -> Result<meta::Namespace> {
                                          BERTH_TRY(auto ns, load_namespace(db, name));
                                          BERTH_TRYV(check_match(wanted, etag_of(ns.id, ns.version)));
                                          if (visibility) ns.visibility = *visibility;
                                          if (display_name) ns.display_name = *display_name;
                                          BERTH_TRYV(meta::update_namespace(db, ns));
                                          return load_namespace(db, name);
                                        }));
  co_return namespace_reply(changed);
}

Done remove_org(AdminCall& call) {
  call.effects = [name = call.captures[0]](sql::Connection& db) -> Result<JsonObject> {
    JsonObject out;
    BERTH_TRY(const auto org, meta::find_namespace(db, name));
    if (!org) return out;
    BERTH_TRY(const auto residents, meta::residents_of(db, org->id));
    out.number("members", residents.members).number("teams", residents.teams);
    out.number("robots", residents.robots).number("grants", residents.grants);
    return out;
  };
  BERTH_CO_TRYV(co_await change_accounts(
      call, [name = call.captures[0], wanted = if_match_of(call)](sql::Connection& db) -> Result<void> {
        BERTH_TRY(const auto org, load_namespace(db, name));
        BERTH_TRYV(check_match(wanted, etag_of(org.id, org.version)));
        return auth::remove_org(db, name);
      }));
  co_return no_content();
}

Done list_members(AdminCall& call) {
  const auto fetch = [name = call.captures[0]](sql::Connection& db,
                                               const PageParameters& page) -> Result<std::vector<meta::OrgMember>> {
    BERTH_TRY(const std::int64_t after, page.number_after());
    BERTH_TRY(const auto ns, load_org(db, name));
    return meta::list_org_members(db, ns.id, after, page.limit, page.order);
  };
  return list(call, fetch, org_member_json, &meta::OrgMember::principal);
}

Done put_member(AdminCall& call) {
  BERTH_CO_TRY(auto fields, body_of(call));
  BERTH_CO_TRY(const auto word, fields.required_text("role"));
  BERTH_CO_TRYV(fields.finish());
  const auto role = auth::parse_role(word);
  if (!role) co_return refuse_at("/role", "role is reader, writer, admin or owner");
  call.detail = JsonObject().text("role", word).str();
  BERTH_CO_TRY(const auto placed,
               co_await change_accounts(call,
                                        [=, asked = member_asked(call), must_be_new = must_be_new(call),
                                         wanted = if_match_of(call)](sql::Connection& db) -> Result<Placed> {
                                          BERTH_TRYV(check_ownership(db, asked, *role));
                                          BERTH_TRY(const auto before, member_etag(db, asked.org, asked.user));
                                          // Who is not there is a 404, whatever the condition.
                                          BERTH_TRYV(auth::put_member(db, asked.org, asked.user, *role));
                                          BERTH_TRYV(check_new(must_be_new, before.has_value()));
                                          BERTH_TRYV(check_found(wanted, before));
                                          BERTH_TRY(const auto after, member_etag(db, asked.org, asked.user));
                                          return Placed{before.has_value(), after.value_or("")};
                                        }));
  co_return placed_reply(placed, JsonObject().text("user", call.captures[1]).text("role", word));
}

Done remove_member(AdminCall& call) {
  BERTH_CO_TRYV(co_await change_accounts(
      call, [asked = member_asked(call), wanted = if_match_of(call)](sql::Connection& db) -> Result<void> {
        BERTH_TRYV(check_ownership(db, asked, std::nullopt));
        BERTH_TRY(const auto there, member_etag(db, asked.org, asked.user));
        if (there) BERTH_TRYV(check_found(wanted, there));
        return auth::remove_member(db, asked.org, asked.user);
      }));
  co_return no_content();
}

Done list_teams(AdminCall& call) {
  const auto fetch = [name = call.captures[0]](sql::Connection& db,
                                               const PageParameters& page) -> Result<std::vector<meta::Principal>> {
    BERTH_TRY(const auto ns, load_org(db, name));
    return meta::list_principals_of(db, ns.id, meta::PrincipalKind::team, page.name_after(), page.limit, page.order);
  };
  return list(
      call, fetch, [](const meta::Principal& team) { return JsonObject().text("name", team.name).str(); },
      &meta::Principal::name);
}

Done create_team(AdminCall& call) {
  BERTH_CO_TRY(auto fields, body_of(call));
  BERTH_CO_TRY(const auto name, fields.required_text("name"));
  BERTH_CO_TRYV(fields.finish());
  const std::string whole = call.captures[0] + "/" + name;
  call.detail = JsonObject().text("name", whole).str();
  BERTH_CO_TRY(const auto made,
               co_await change_accounts(call, [=, stamp = call.stamp()](sql::Connection& db) -> Result<TeamView> {
                 BERTH_TRYV(at("/name", auth::create_team(db, whole, stamp)));
                 return view_team(db, whole);
               }));
  AdminReply reply = team_reply(made);
  reply.status = 201;
  reply.location = "/api/v1/orgs/" + call.captures[0] + "/teams/" + name;
  co_return reply;
}

Done get_team(AdminCall& call) {
  const std::string name = call.captures[0] + "/" + call.captures[1];
  BERTH_CO_TRY(const auto team, call.deps.store.peek([&](sql::Connection& db) { return view_team(db, name); }));
  co_return team_reply(team);
}

Done change_team(AdminCall& call) {
  BERTH_CO_TRY(auto fields, body_of(call));
  BERTH_CO_TRY(const auto groups, fields.texts("groups"));
  BERTH_CO_TRYV(fields.finish());
  if (groups) {
    BERTH_CO_TRYV(check_groups(*groups));
    call.detail = JsonObject().texts("groups", *groups).str();
  }
  BERTH_CO_TRY(const auto changed,
               co_await change_accounts(call,
                                        [=, name = call.captures[0] + "/" + call.captures[1],
                                         wanted = if_match_of(call)](sql::Connection& db) -> Result<TeamView> {
                                          BERTH_TRY(const auto before, view_team(db, name));
                                          BERTH_TRYV(check_match(wanted, before.etag()));
                                          if (groups) BERTH_TRYV(replace_groups(db, before.team, *groups));
                                          return view_team(db, name);
                                        }));
  co_return team_reply(changed);
}

Done remove_team(AdminCall& call) {
  call.effects = [name = call.captures[0] + "/" + call.captures[1],
                  now_ms = call.deps.clock.now_ms()](sql::Connection& db) -> Result<JsonObject> {
    JsonObject out;
    BERTH_TRY(const auto team, meta::find_principal(db, name));
    if (!team) return out;
    BERTH_TRY(const auto theirs, meta::belongings_of(db, team->id, now_ms));
    BERTH_TRY(const std::int64_t members, meta::count_team_members(db, team->id));
    out.number("members", members).number("grants", theirs.grants);
    return out;
  };
  BERTH_CO_TRYV(co_await change_accounts(call,
                                         [name = call.captures[0] + "/" + call.captures[1],
                                          wanted = if_match_of(call)](sql::Connection& db) -> Result<void> {
                                           BERTH_TRY(const auto team, view_team(db, name));
                                           BERTH_TRYV(check_match(wanted, team.etag()));
                                           return auth::remove_team(db, name);
                                         }));
  co_return no_content();
}

Done list_team_members(AdminCall& call) {
  const auto fetch = [name = call.captures[0] + "/" + call.captures[1]](
                         sql::Connection& db, const PageParameters& page) -> Result<std::vector<meta::OrgMember>> {
    BERTH_TRY(const std::int64_t after, page.number_after());
    BERTH_TRY(const auto team, load_team(db, name));
    return meta::list_team_members(db, team.id, after, page.limit, page.order);
  };
  return list(
      call, fetch, [](const meta::OrgMember& member) { return JsonObject().text("user", member.name).str(); },
      &meta::OrgMember::principal);
}

Done put_team_member(AdminCall& call) {
  BERTH_CO_TRY(const auto placed, co_await change_accounts(
                                      call,
                                      [team = call.captures[0] + "/" + call.captures[1], user = call.captures[2],
                                       must_be_new = must_be_new(call),
                                       wanted = if_match_of(call)](sql::Connection& db) -> Result<Placed> {
                                        BERTH_TRY(const bool was_added, auth::add_to_team(db, team, user));
                                        BERTH_TRY(auto etag, team_member_etag(db, team, user));
                                        BERTH_TRYV(check_new(must_be_new, !was_added));
                                        BERTH_TRYV(check_found(wanted, was_added ? std::nullopt : std::optional(etag)));
                                        return Placed{!was_added, std::move(etag)};
                                      }));
  co_return placed_reply(placed, JsonObject().text("user", call.captures[2]));
}

Done remove_team_member(AdminCall& call) {
  BERTH_CO_TRYV(co_await change_accounts(call,
                                         [team = call.captures[0] + "/" + call.captures[1], user = call.captures[2],
                                          wanted = if_match_of(call)](sql::Connection& db) -> Result<void> {
                                           BERTH_TRY(const std::string etag, team_member_etag(db, team, user));
                                           BERTH_TRYV(auth::remove_from_team(db, team, user));
                                           return check_match(wanted, etag);
                                         }));
  co_return no_content();
}

}  // namespace berth::api::admin
