#include "auth/accounts.h"

#include <algorithm>
#include <array>

namespace berth::auth {

namespace {

constexpr std::size_t kNameBytesMin = 2;
constexpr std::size_t kNameBytesMax = 64;
constexpr std::size_t kRobotBytesMax = 128;
constexpr std::size_t kDisplayNameBytesMax = 200;
constexpr std::size_t kEmailBytesMax = 254;  // RFC 5321 4.5.3.1.3, less the brackets
constexpr std::int64_t kRobotSecretsMax = 2;

/// Words that mean something of their own to a client, to our paths, or to people.
constexpr std::array<std::string_view, 6> kReserved = {"library", "token", "anonymous", "everybody", "v2", "_catalog"};

constexpr bool is_alnum(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

/// [a-z0-9]([._-]?[a-z0-9])*
bool has_name_shape(std::string_view text) {
  if (text.empty() || !is_alnum(text.front()) || !is_alnum(text.back())) return false;
  for (std::size_t i = 1; i < text.size(); ++i) {
    const bool is_joint = text[i] == '.' || text[i] == '_' || text[i] == '-';
    if (!is_joint && !is_alnum(text[i])) return false;
    if (is_joint && !is_alnum(text[i - 1])) return false;
  }
  return true;
}

std::string quoted(std::string_view name) { return "'" + std::string(name.substr(0, 80)) + "'"; }

Result<meta::Principal> require_principal(sql::Connection& db, std::string_view name,
                                          std::optional<meta::PrincipalKind> kind, std::string_view what) {
  BERTH_TRY(auto found, meta::find_principal(db, name));
  if (!found || (kind && found->kind != *kind))
    return fail(Errc::account_unknown, "there is no " + std::string(what) + " " + quoted(name));
  return *std::move(found);
}

Result<meta::Principal> require_user(sql::Connection& db, std::string_view name) {
  return require_principal(db, name, meta::PrincipalKind::user, "user");
}

Result<meta::Namespace> require_org(sql::Connection& db, std::string_view name) {
  BERTH_TRY(auto found, meta::find_namespace(db, name));
  if (!found || found->kind != meta::NamespaceKind::organization)
    return fail(Errc::account_unknown, "there is no organisation " + quoted(name));
  return *std::move(found);
}

Result<void> claim(sql::Connection& db, meta::Namespace wanted, bool adopts, const meta::Stamp& stamp,
                   meta::NamespaceId& id) {
  BERTH_TRY(const auto there, meta::find_namespace(db, wanted.name));
  if (there && there->kind == meta::NamespaceKind::unowned && !adopts) {
    BERTH_TRY(const bool is_used, meta::has_repos(db, there->id));
    if (is_used) return fail(Errc::already_exists, "there are repositories in " + wanted.name + "/ already");
  }
  BERTH_TRY(id, meta::claim_namespace(db, wanted, stamp));
  return {};
}

/// Before one is taken away: the registry must keep somebody who can put things right.
Result<void> check_not_last_admin(sql::Connection& db, const meta::Principal& user) {
  if (!user.is_admin || user.is_disabled) return {};
  BERTH_TRY(const std::int64_t count, meta::count_admins(db));
  if (count > 1) return {};
  return fail(Errc::state_conflict, user.name + " is the last administrator; make another one first");
}

/// Before it goes back to nobody: what is left there would be open to whomever server.anonymous lets in, and to the
/// next owner of the name.
Result<void> check_holds_nothing(sql::Connection& db, const meta::Namespace& ns) {
  BERTH_TRY(const bool is_used, meta::has_repos(db, ns.id));
  if (!is_used) return {};
  return fail(Errc::state_conflict, "there are repositories in " + ns.name + "/; delete or move them first");
}

Result<void> check_not_last_owner(sql::Connection& db, const meta::Namespace& org, meta::PrincipalId user) {
  BERTH_TRY(const auto role, meta::find_role(db, org.id, user));
  if (role != meta::Role::owner) return {};
  BERTH_TRY(const bool has_another, meta::has_owner_beside(db, org.id, user));
  if (has_another) return {};
  return fail(Errc::state_conflict, "that is the last owner of " + org.name + "; make another one first");
}

/// The organisation and the team's own part of "acme/devs".
Result<std::pair<std::string_view, std::string_view>> split_team(std::string_view name) {
  const std::size_t slash = name.find('/');
  const bool has_two = slash != std::string_view::npos && name.find('/', slash + 1) == std::string_view::npos;
  if (!has_two || !has_name_shape(name.substr(slash + 1)) || name.size() > kRobotBytesMax)
    return fail(Errc::account_invalid, quoted(name) + " is not a team's name; it is written ORGANISATION/TEAM");
  return std::pair(name.substr(0, slash), name.substr(slash + 1));
}

}  // namespace

Result<void> check_account_name(std::string_view name) {
  if (name.size() < kNameBytesMin || name.size() > kNameBytesMax || !has_name_shape(name)) {
    return fail(Errc::account_invalid, quoted(name) +
                                           " is not a name: 2 to 64 of a-z and 0-9, with single '.', '_' or '-' "
                                           "between them");
  }
  if (std::ranges::find(kReserved, name) != kReserved.end())
    return fail(Errc::account_invalid, "the name " + quoted(name) + " is reserved");
  return {};
}

Result<std::optional<std::string_view>> check_robot_name(std::string_view name) {
  const std::size_t plus = name.find('+');
  if (plus == std::string_view::npos) {
    BERTH_TRYV(check_account_name(name));
    return std::optional<std::string_view>();
  }
  const std::string_view ns = name.substr(0, plus);
  if (!has_name_shape(ns) || !has_name_shape(name.substr(plus + 1)) || name.size() > kRobotBytesMax) {
    return fail(Errc::account_invalid,
                quoted(name) +
                    " is not a robot's name; it is written NAMESPACE+NAME, both of a-z and 0-9 with single '.', "
                    "'_' or '-' between");
  }
  return std::optional(ns);
}

Result<void> check_email(std::string_view email) {
  const std::size_t at = email.find('@');
  const bool has_parts = at != std::string_view::npos && at > 0 && at + 1 < email.size();
  const bool is_plain =
      std::ranges::all_of(email, [](char c) { return c > ' ' && c != '\x7f' && c != '<' && c != '>'; });
  if (email.empty() || (has_parts && is_plain && email.size() <= kEmailBytesMax)) return {};
  return fail(Errc::account_invalid, quoted(email) + " is not an e-mail address");
}

Result<void> check_display_name(std::string_view text) {
  if (text.size() > kDisplayNameBytesMax) return fail(Errc::account_invalid, "a display name has at most 200 bytes");
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '\x7f'; };
  if (std::ranges::any_of(text, is_control))
    return fail(Errc::account_invalid, "a display name has no control characters, such as tabs and line ends");
  return {};
}

Result<void> check_first_user(sql::Connection& db, const NewUser& user) {
  if (user.is_admin) return {};
  BERTH_TRY(const bool is_later, meta::has_users(db));
  if (is_later) return {};
  return fail(Errc::state_conflict,
              "nobody has an account yet, and the first must be an administrator's; make that one "
              "first, as with: berth user add NAME --admin");
}

Result<meta::PrincipalId> create_user(sql::Connection& db, const NewUser& user, bool adopts_namespace,
                                      const meta::Stamp& stamp) {
  BERTH_TRYV(check_account_name(user.name));
  BERTH_TRYV(check_email(user.email));
  BERTH_TRYV(check_display_name(user.display_name));
  meta::Principal row;
  row.kind = meta::PrincipalKind::user;
  row.name = user.name;
  row.email = user.email;
  row.display_name = user.display_name;
  row.is_admin = user.is_admin;
  row.password_hash = user.password_hash;
  BERTH_TRY(const meta::PrincipalId id, meta::insert_principal(db, row, stamp));
  meta::Namespace ns;
  ns.name = user.name;
  ns.kind = meta::NamespaceKind::user;
  ns.owner = id;
  ns.visibility = user.visibility;
  meta::NamespaceId ignored = 0;
  BERTH_TRYV(claim(db, std::move(ns), adopts_namespace, stamp, ignored));
  return id;
}

Result<void> set_password(sql::Connection& db, std::string_view user, std::string_view password_hash,
                          const meta::Stamp& stamp) {
  BERTH_TRY(auto row, require_user(db, user));
  row.password_hash = password_hash;
  BERTH_TRYV(meta::update_principal(db, row));
  return meta::revoke_signed_in(db, row.id, stamp.at_ms);
}

Result<void> change_user(sql::Connection& db, std::string_view user, const UserChange& change) {
  BERTH_TRY(auto row, require_user(db, user));
  if (change.is_admin == false || change.is_disabled == true) BERTH_TRYV(check_not_last_admin(db, row));
  if (change.email) {
    BERTH_TRYV(check_email(*change.email));
    row.email = *change.email;
  }
  if (change.display_name) {
    BERTH_TRYV(check_display_name(*change.display_name));
    row.display_name = *change.display_name;
  }
  if (change.is_admin) row.is_admin = *change.is_admin;
  if (change.is_disabled) row.is_disabled = *change.is_disabled;
  return meta::update_principal(db, row);
}

Result<void> remove_user(sql::Connection& db, std::string_view user) {
  BERTH_TRY(const auto row, require_user(db, user));
  BERTH_TRYV(check_not_last_admin(db, row));
  BERTH_TRY(const auto orgs, meta::list_orgs_of(db, row.id));
  for (const meta::Namespace& org : orgs) BERTH_TRYV(check_not_last_owner(db, org, row.id));
  BERTH_TRY(const auto ns, meta::find_namespace(db, row.name));
  if (ns && ns->owner == row.id) {
    BERTH_TRYV(check_holds_nothing(db, *ns));
    BERTH_TRYV(meta::remove_principals_of(db, ns->id));
    BERTH_TRYV(meta::release_namespace(db, ns->id));
  }
  return meta::remove_principal(db, row.id);
}

Result<meta::NamespaceId> create_org(sql::Connection& db, const NewOrg& org, bool adopts_namespace,
                                     const meta::Stamp& stamp) {
  BERTH_TRYV(check_account_name(org.name));
  BERTH_TRYV(check_display_name(org.display_name));
  BERTH_TRY(const auto there, meta::find_principal(db, org.name));
  if (there) return fail(Errc::already_exists, "the name " + org.name + " is taken");
  meta::Namespace ns;
  ns.name = org.name;
  ns.kind = meta::NamespaceKind::organization;
  ns.display_name = org.display_name;
  ns.visibility = org.visibility;
  meta::NamespaceId id = 0;
  BERTH_TRYV(claim(db, std::move(ns), adopts_namespace, stamp, id));
  BERTH_TRYV(meta::put_org_member(db, id, org.owner, meta::Role::owner));
  return id;
}

Result<void> remove_org(sql::Connection& db, std::string_view name) {
  BERTH_TRY(const auto org, require_org(db, name));
  BERTH_TRYV(check_holds_nothing(db, org));
  BERTH_TRYV(meta::remove_principals_of(db, org.id));
  return meta::release_namespace(db, org.id);
}

Result<void> put_member(sql::Connection& db, std::string_view org_name, std::string_view user, meta::Role role) {
  BERTH_TRY(const auto org, require_org(db, org_name));
  BERTH_TRY(const auto row, require_user(db, user));
  if (role != meta::Role::owner) BERTH_TRYV(check_not_last_owner(db, org, row.id));
  return meta::put_org_member(db, org.id, row.id, role);
}

Result<void> remove_member(sql::Connection& db, std::string_view org_name, std::string_view user) {
  BERTH_TRY(const auto org, require_org(db, org_name));
  BERTH_TRY(const auto row, require_user(db, user));
  BERTH_TRYV(check_not_last_owner(db, org, row.id));
  BERTH_TRY(const bool was_in, meta::remove_org_member(db, org.id, row.id));
  if (!was_in) return fail(Errc::account_unknown, quoted(user) + " is not a member of " + org.name);
  return meta::leave_teams_of(db, org.id, row.id);
}

Result<std::optional<meta::Role>> role_of_member(sql::Connection& db, std::string_view org_name,
                                                 std::string_view user_name) {
  BERTH_TRY(const auto org, meta::find_namespace(db, org_name));
  BERTH_TRY(const auto user, meta::find_principal(db, user_name));
  if (!org || !user) return std::optional<meta::Role>();
  return meta::find_role(db, org->id, user->id);
}

std::optional<meta::Role> parse_role(std::string_view word) {
  for (const meta::Role role : {meta::Role::reader, meta::Role::writer, meta::Role::admin, meta::Role::owner}) {
    if (word == to_word(role)) return role;
  }
  return std::nullopt;
}

std::string_view to_word(meta::Role role) {
  switch (role) {
    case meta::Role::reader: return "reader";
    case meta::Role::writer: return "writer";
    case meta::Role::admin: return "admin";
    case meta::Role::owner: return "owner";
  }
  return "";
}

Result<meta::PrincipalId> create_team(sql::Connection& db, std::string_view name, const meta::Stamp& stamp) {
  BERTH_TRY(const auto parts, split_team(name));
  BERTH_TRY(const auto org, require_org(db, parts.first));
  meta::Principal row;
  row.kind = meta::PrincipalKind::team;
  row.name = name;
  row.ns = org.id;
  return meta::insert_principal(db, row, stamp);
}

Result<void> remove_team(sql::Connection& db, std::string_view name) {
  BERTH_TRY(const auto team, require_principal(db, name, meta::PrincipalKind::team, "team"));
  return meta::remove_principal(db, team.id);
}

Result<bool> add_to_team(sql::Connection& db, std::string_view team_name, std::string_view user) {
  BERTH_TRY(const auto team, require_principal(db, team_name, meta::PrincipalKind::team, "team"));
  BERTH_TRY(const auto row, require_user(db, user));
  BERTH_TRY(const auto role, meta::find_role(db, team.ns.value_or(0), row.id));
  if (!role) return fail(Errc::state_conflict, row.name + " is not a member of the organisation; add it there first");
  return meta::add_team_member(db, team.id, row.id);
}

Result<void> remove_from_team(sql::Connection& db, std::string_view team_name, std::string_view user) {
  BERTH_TRY(const auto team, require_principal(db, team_name, meta::PrincipalKind::team, "team"));
  BERTH_TRY(const auto row, require_user(db, user));
  BERTH_TRY(const bool was_in, meta::remove_team_member(db, team.id, row.id));
  if (!was_in) return fail(Errc::account_unknown, row.name + " is not in the team " + team.name);
  return {};
}

Result<meta::PrincipalId> create_robot(sql::Connection& db, const NewRobot& robot, const meta::Stamp& stamp) {
  BERTH_TRY(const auto named_ns, check_robot_name(robot.name));
  if (named_ns && !robot.ns.empty() && *named_ns != robot.ns)
    return fail(Errc::account_invalid, robot.name + " cannot belong to " + robot.ns);
  const std::string ns_name(named_ns ? *named_ns : std::string_view(robot.ns));
  BERTH_TRY(const auto ns, meta::find_namespace(db, ns_name));
  if (!ns || ns->kind == meta::NamespaceKind::unowned)
    return fail(Errc::account_unknown, "there is no user or organisation " + quoted(ns_name));
  if (!named_ns) {  // or it would be taken for whoever comes to own a namespace of that name
    BERTH_TRY(const auto taken, meta::find_namespace(db, robot.name));
    if (taken) return fail(Errc::already_exists, "the name " + robot.name + " is taken");
  }
  meta::Principal row;
  row.kind = meta::PrincipalKind::robot;
  row.name = robot.name;
  row.ns = ns->id;
  row.display_name = robot.description;
  row.expires_at_ms = robot.expires_at_ms;
  return meta::insert_principal(db, row, stamp);
}

Result<meta::TokenId> add_robot_secret(sql::Connection& db, std::string_view robot, const crypto::Sha256Sum& hash,
                                       std::int64_t overlap_until_ms, const meta::Stamp& stamp) {
  BERTH_TRY(const auto row, require_principal(db, robot, meta::PrincipalKind::robot, "robot"));
  BERTH_TRY(const auto live,
            meta::list_live_tokens(db, row.id, meta::TokenKind::robot_secret, stamp.at_ms, kRobotSecretsMax));
  if (std::ssize(live) >= kRobotSecretsMax && overlap_until_ms > stamp.at_ms) {
    return fail(Errc::state_conflict, row.name +
                                          " has two live secrets already; wait until the older one ends, or rotate "
                                          "without overlap");
  }
  for (const meta::TokenRow& secret : live) {
    // Without overlap it is taken back, as one that leaked: what was begun with it goes no further.
    if (overlap_until_ms <= stamp.at_ms) {
      BERTH_TRYV(meta::revoke_token(db, row.id, secret.id, stamp.at_ms));
    } else {
      BERTH_TRYV(meta::shorten_token(db, secret.id, overlap_until_ms));
    }
  }
  meta::TokenRow secret;
  secret.principal = row.id;
  secret.kind = meta::TokenKind::robot_secret;  // without an end of its own: it is worth what the robot is
  return meta::insert_token(db, secret, hash, stamp);
}

Result<void> change_robot(sql::Connection& db, std::string_view robot, const RobotChange& change) {
  BERTH_TRY(auto row, require_principal(db, robot, meta::PrincipalKind::robot, "robot"));
  if (change.description) row.display_name = *change.description;
  if (change.is_disabled) row.is_disabled = *change.is_disabled;
  if (change.end) row.expires_at_ms = change.end->at_ms;
  return meta::update_principal(db, row);
}

Result<void> remove_robot(sql::Connection& db, std::string_view robot) {
  BERTH_TRY(const auto row, require_principal(db, robot, meta::PrincipalKind::robot, "robot"));
  return meta::remove_principal(db, row.id);
}

Result<meta::GrantId> put_grant(sql::Connection& db, std::string_view principal, std::string_view pattern_text,
                                Rights allow, Rights deny, const meta::Stamp& stamp) {
  BERTH_TRY(const auto pattern, RepoPattern::parse(pattern_text));
  if (allow.empty() && deny.empty()) return fail(Errc::account_invalid, "a grant gives or denies at least one right");
  if (!(allow & deny).empty()) return fail(Errc::account_invalid, "a grant cannot give and deny the same right");
  BERTH_TRY(const auto row, require_principal(db, principal, std::nullopt, "user, robot or team"));
  BERTH_TRY(const auto ns, meta::find_namespace(db, pattern.first_component()));
  if (!ns) return fail(Errc::account_unknown, "there is no namespace " + quoted(pattern.first_component()));
  meta::GrantRow grant;
  grant.principal = row.id;
  grant.pattern = pattern.str();
  grant.allow = allow.bits();
  grant.deny = deny.bits();
  BERTH_TRY(const meta::GrantId id, meta::put_grant(db, ns->id, grant, stamp));
  BERTH_TRY(const std::int64_t count, meta::count_grants(db, row.id, ns->id));  // a replaced one adds none
  if (count > kGrantsPerSubjectMax)
    return fail(Errc::state_conflict, row.name + " has too many grants in " + ns->name + "; use a pattern or a team");
  return id;
}

Result<void> remove_grant(sql::Connection& db, std::string_view ns_name, meta::GrantId id) {
  BERTH_TRY(const auto ns, meta::find_namespace(db, ns_name));
  if (ns) {
    BERTH_TRY(const bool was_there, meta::remove_grant(db, ns->id, id));
    if (was_there) return {};
  }
  return fail(Errc::account_unknown, "there is no grant " + std::to_string(id) + " in " + std::string(ns_name));
}

std::optional<meta::Visibility> parse_visibility(std::string_view word) {
  for (const meta::Visibility v : {meta::Visibility::closed, meta::Visibility::internal, meta::Visibility::open}) {
    if (word == to_word(v)) return v;
  }
  return std::nullopt;
}

std::string_view to_word(meta::Visibility visibility) {
  switch (visibility) {
    case meta::Visibility::closed: return "private";
    case meta::Visibility::internal: return "internal";
    case meta::Visibility::open: return "public";
  }
  return "";
}

}  // namespace berth::auth
