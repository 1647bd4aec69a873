#include "auth/decision.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::auth {
namespace {

constexpr meta::PrincipalId kAnn = 7;
constexpr meta::PrincipalId kTeam = 70;

Subject user(bool is_admin = false) { return {Subject::Kind::user, kAnn, "ann", is_admin}; }
Subject robot() { return {Subject::Kind::robot, kAnn, "acme+ci", false}; }

meta::Namespace organization() {
  meta::Namespace out;
  out.id = 1;
  out.name = "acme";
  out.kind = meta::NamespaceKind::organization;
  return out;
}
meta::Namespace namespace_of(meta::PrincipalId owner) {
  meta::Namespace out = organization();
  out.kind = meta::NamespaceKind::user;
  out.owner = owner;
  return out;
}

meta::Namespace unowned() {
  meta::Namespace out = organization();
  out.kind = meta::NamespaceKind::unowned;
  return out;
}

struct Give {
  std::string pattern;
  Rights allow;
  Rights deny;
  bool to_team = false;
};
/// Numbered from 1.
std::vector<meta::GrantRow> rows(const std::vector<Give>& gives) {
  std::vector<meta::GrantRow> out;
  for (const Give& give : gives) {
    out.push_back({static_cast<meta::GrantId>(out.size() + 1), give.to_team ? kTeam : kAnn, "", give.pattern,
                   give.allow.bits(), give.deny.bits()});
  }
  return out;
}

meta::Standing standing(std::optional<meta::Namespace> ns, std::vector<Give> gives = {},
                        std::optional<meta::Role> role = {}, std::optional<meta::Visibility> repo = {}) {
  meta::Place place{.ns = std::move(ns), .role = role, .grants = rows(gives)};
  return {.place = std::make_shared<const meta::Place>(std::move(place)), .repo = repo};
}

using Kind = Cause::Kind;
constexpr Rights kPushes = Right::read | Right::write | Right::overwrite;

// The order of decision.h, from the strongest: who, by what, may what, and why. A10: what does not exist is not
// visible.
const struct {
  std::string why;
  Subject subject;
  meta::Standing standing;
  Rights everybody;
  Rights rights;
  Kind cause_of_read;
} kRows[] = {
    {"nobody, nothing", {}, {}, {}, {}, Kind::nothing},
    {"no such namespace", user(), {}, {}, {}, Kind::nothing},
    {"an administrator", user(true), {}, {}, Rights::all(), Kind::administrator},
    {"an administrator, denied",
     user(true),
     standing(organization(), {{"acme/**", {}, Rights::all()}}),
     {},
     Rights::all(),
     Kind::administrator},
    {"the owner of the namespace", user(), standing(namespace_of(kAnn)), {}, Rights::all(), Kind::own_namespace},
    {"the owner, denied",
     user(),
     standing(namespace_of(kAnn), {{"acme/**", {}, Rights::all()}}),
     {},
     Rights::all(),
     Kind::own_namespace},
    {"the namespace of another", user(), standing(namespace_of(8)), {}, {}, Kind::nothing},
    {"a namespace of nobody", user(), standing(namespace_of(0)), {}, {}, Kind::nothing},
    {"anonymous at a namespace of nobody", {}, standing(namespace_of(0)), {}, {}, Kind::nothing},
    {"an owner of the organisation",
     user(),
     standing(organization(), {}, meta::Role::owner),
     {},
     Rights::all(),
     Kind::role},
    {"an admin of it, denied",
     user(),
     standing(organization(), {{"acme/web", {}, Rights::all()}}, meta::Role::admin),
     {},
     Rights::all(),
     Kind::role},
    {"a writer", user(), standing(organization(), {}, meta::Role::writer), {}, kPushes, Kind::role},
    {"a reader", user(), standing(organization(), {}, meta::Role::reader), {}, Right::read, Kind::role},
    {"a writer, denied to read",
     user(),
     standing(organization(), {{"acme/**", {}, Right::read}}, meta::Role::writer),
     {},
     Right::write | Right::overwrite,
     Kind::denied},
    {"a reader, given more",
     user(),
     standing(organization(), {{"acme/web", Right::remove, {}}}, meta::Role::reader),
     {},
     Right::read | Right::remove,
     Kind::role},
    {"a grant",
     user(),
     standing(organization(), {{"acme/web", Right::read | Right::write, {}}}),
     {},
     Right::read | Right::write,
     Kind::granted},
    {"a grant to a team",
     user(),
     standing(organization(), {{"acme/w*", Right::read, {}, true}}),
     {},
     Right::read,
     Kind::granted},
    {"a grant elsewhere (S9)",
     user(),
     standing(organization(), {{"acme/we", Rights::all(), {}}}),
     {},
     {},
     Kind::nothing},
    {"a grant that cannot be read",
     user(),
     standing(organization(), {{"**/x", Rights::all(), {}}}),
     {},
     {},
     Kind::nothing},
    {"a public repository, anonymous",
     {},
     standing(organization(), {}, {}, meta::Visibility::open),
     {},
     Right::read,
     Kind::visible},
    {"an internal one, anonymous",
     {},
     standing(organization(), {}, {}, meta::Visibility::internal),
     {},
     {},
     Kind::nothing},
    {"an internal one, a user",
     user(),
     standing(organization(), {}, {}, meta::Visibility::internal),
     {},
     Right::read,
     Kind::visible},
    {"an internal one, a robot",
     robot(),
     standing(organization(), {}, {}, meta::Visibility::internal),
     {},
     {},
     Kind::nothing},
    {"a private one", user(), standing(organization(), {}, {}, meta::Visibility::closed), {}, {}, Kind::nothing},
    {"a public one, denied",
     user(),
     standing(organization(), {{"acme/web", {}, Right::read}}, {}, meta::Visibility::open),
     {},
     {},
     Kind::denied},
    {"one that does not exist is not visible (A10)", {}, standing(organization()), {}, {}, Kind::nothing},
    {"what everybody may where nobody owns it", {}, standing(unowned()), Right::read, Right::read, Kind::everybody},
    {"and where there is no namespace yet", {}, {}, kPushes, kPushes, Kind::everybody},
    {"an organisation's is its own business", {}, standing(organization()), kPushes, {}, Kind::nothing},
    {"so is a person's", user(), standing(namespace_of(8)), kPushes, {}, Kind::nothing},
    {"what is public in it",
     {},
     standing(organization(), {}, {}, meta::Visibility::open),
     kPushes,
     Right::read,
     Kind::visible},
    {"denied what everybody may", user(), standing(unowned(), {{"acme/**", {}, Right::read}}), kPushes,
     Right::write | Right::overwrite, Kind::denied},
};

TEST(Decision, EachCauseInItsOrder) {
  for (const auto& row : kRows) {
    const Ruling ruling = rule(row.subject, row.standing, *oci::RepoName::parse("acme/web"), row.everybody);
    EXPECT_EQ(to_text(ruling.rights), to_text(row.rights)) << row.why;
    EXPECT_EQ(ruling.cause_of(Right::read).kind, row.cause_of_read) << row.why;
    EXPECT_EQ(ruling.repo_exists, row.standing.repo.has_value()) << row.why;
    for (const Right right : kAllRights) {
      const Kind kind = ruling.cause_of(right).kind;
      EXPECT_EQ(ruling.rights.has(right), kind != Kind::nothing && kind != Kind::denied) << row.why;
    }
  }
}

// Of each right the most specific pattern that speaks of it; where two are as specific, deny beats allow.
const struct {
  std::string why;
  std::vector<Give> gives;
  Rights rights;
} kGrants[] = {
    {"an exception to what is given",
     {{"acme/**", kPushes, {}}, {"acme/web", {}, Right::write}},
     Right::read | Right::overwrite},
    {"whatever the order", {{"acme/web", {}, Right::write}, {"acme/**", kPushes, {}}}, Right::read | Right::overwrite},
    {"an exception to what is denied", {{"acme/**", {}, Rights::all()}, {"acme/web", Right::read, {}}}, Right::read},
    {"one level is narrower than all", {{"acme/**", {}, Right::read}, {"acme/*", Right::read, {}}}, Right::read},
    {"one denies, another gives, and neither is narrower",
     {{"acme/w*", Right::read, {}}, {"acme/*b", {}, Right::read}},
     {}},
    {"whichever comes first", {{"acme/*b", {}, Right::read}, {"acme/w*", Right::read, {}}}, {}},
    {"the same pattern for a team denies", {{"acme/web", Right::read, {}}, {"acme/web", {}, Right::read, true}}, {}},
    {"and the other way round", {{"acme/web", {}, Right::read}, {"acme/web", Right::read, {}, true}}, {}},
    {"a team's exception to the user's rule", {{"acme/**", Right::read, {}}, {"acme/web", {}, Right::read, true}}, {}},
    {"of each right on its own",
     {{"acme/**", kPushes, Right::remove}, {"acme/web", Right::remove, Right::overwrite}},
     Right::read | Right::write | Right::remove},
    {"a narrow one that says nothing of a right leaves it",
     {{"acme/**", Right::read, {}}, {"acme/web", Right::write, {}}},
     Right::read | Right::write},
    {"three deep",
     {{"acme/**", Right::read, {}}, {"acme/w*", {}, Right::read}, {"acme/web", Right::read, {}}},
     Right::read},
};

TEST(Decision, TheMostSpecificGrantDecides) {
  for (const auto& row : kGrants) {
    const Ruling ruling = rule(user(), standing(organization(), row.gives), *oci::RepoName::parse("acme/web"));
    EXPECT_EQ(to_text(ruling.rights), to_text(row.rights)) << row.why;
  }
}

TEST(Decision, NamesTheGrant) {
  const auto where = standing(organization(), {{"acme/**", Right::read, {}}, {"acme/web", {}, Right::write, true}});
  const Ruling ruling = rule(user(), where, *oci::RepoName::parse("acme/web"));
  EXPECT_EQ(ruling.cause_of(Right::read).grant, 1);
  EXPECT_EQ(ruling.cause_of(Right::write).grant, 2);
}

TEST(Decision, ExplainsItself) {
  const auto repo = *oci::RepoName::parse("acme/web");
  const auto where = standing(organization(), {{"acme/**", Right::read, {}}, {"acme/web", {}, Right::write, true}},
                              meta::Role::writer, meta::Visibility::open);
  const struct {
    Subject subject;
    Cause cause;
    std::string_view sentence;
    std::string_view team = {};
  } sentences[] = {
      {user(), {.kind = Kind::administrator}, "ann is an administrator of the registry"},
      {user(), {.kind = Kind::own_namespace}, "the namespace acme is ann's"},
      {user(), {.kind = Kind::role, .role = meta::Role::writer}, "ann is a writer of acme"},
      {user(), {.kind = Kind::granted, .grant = 1}, "the grant 1 on acme/** allows it"},
      {user(),
       {.kind = Kind::denied, .grant = 2},
       "the grant 2 to the team acme/devs on acme/web denies it",
       "acme/devs"},
      {{}, {.kind = Kind::visible}, "acme/web is public"},
      {{}, {.kind = Kind::everybody}, "the registry leaves it open to everybody (server.anonymous)"},
      {{}, {}, "no role, grant or visibility gives it"},
  };
  for (const auto& row : sentences) EXPECT_EQ(describe(row.cause, row.subject, where, repo, row.team), row.sentence);
}

TEST(Decision, NamesItsCauseInAWord) {
  const struct {
    Cause cause;
    std::string_view text;
  } rows[] = {
      {{}, "nothing gives it"},
      {{.kind = Kind::administrator}, "administrator"},
      {{.kind = Kind::own_namespace}, "own namespace"},
      {{.kind = Kind::role, .role = meta::Role::writer}, "role in the organisation: a writer"},
      {{.kind = Kind::granted, .grant = 12}, "grant 12"},
      {{.kind = Kind::denied, .grant = 12}, "denied by grant 12"},
      {{.kind = Kind::visible}, "visibility"},
      {{.kind = Kind::everybody}, "server.anonymous"},
      {{.kind = Kind::own_account}, "own account"},
  };
  for (const auto& row : rows) EXPECT_EQ(to_text(row.cause), row.text);
}

// ---- offices: what is no right on a repository

struct OfficeRow {
  std::string_view why;
  Subject subject;
  meta::Place place;
  std::string_view may;  // letters of kActs
};
meta::Place place(std::optional<meta::Namespace> ns, std::optional<meta::Role> role = {},
                  std::vector<Give> gives = {}) {
  return {.ns = std::move(ns), .role = role, .grants = rows(gives)};
}

constexpr std::pair<char, Act> kActs[] = {{'n', Act::administer_namespace}, {'m', Act::know_members},
                                          {'o', Act::appoint_owners},       {'l', Act::read_registry},
                                          {'r', Act::administer_registry},  {'a', Act::appoint_administrators},
                                          {'s', Act::see_every_repository}};

TEST(Office, IsWhatSomebodyIsAndNeverAGrant) {  // S10
  using meta::Role;
  const OfficeRow table[] = {
      {"an administrator, wherever", user(true), place({}), "nmolras"},
      {"an administrator in an organisation", user(true), place(organization()), "nmolras"},
      {"who owns the namespace", user(), place(namespace_of(kAnn)), "nm"},
      {"a robot of that number", robot(), place(namespace_of(kAnn + 1)), ""},
      {"somebody else's namespace", user(), place(namespace_of(kAnn + 1)), ""},
      {"an owner", user(), place(organization(), Role::owner), "nmo"},
      {"an admin makes no owners", user(), place(organization(), Role::admin), "nm"},
      {"a writer knows whom he works with", user(), place(organization(), Role::writer), "m"},
      {"a reader", user(), place(organization(), Role::reader), "m"},
      {"grants are on repositories", user(), place(organization(), {}, {{"acme", Rights::all(), {}}}), ""},
      {"all of them, too", user(), place(organization(), {}, {{"acme/**", Rights::all(), {}}}), ""},
      {"a deny takes no office away", user(), place(organization(), Role::owner, {{"acme/**", {}, Rights::all()}}),
       "nmo"},
      {"nobody's namespace", user(), place(unowned()), ""},
      {"no namespace", user(), place({}), ""},
      {"an anonymous caller", {}, place(namespace_of(0)), ""},
  };
  for (const OfficeRow& row : table) {
    std::string may;
    for (const auto& [letter, act] : kActs) {
      if (decide({.subject = row.subject}, act, "acme", row.place).is_allowed()) may += letter;
    }
    EXPECT_EQ(may, row.may) << row.why;
  }
}

TEST(Office, OverOnesOwnAccountIsAPersons) {
  for (const Act act : {Act::keep_profile, Act::keep_credentials}) {
    EXPECT_TRUE(decide({.subject = user()}, act).is_allowed());
    EXPECT_FALSE(decide({.subject = robot()}, act).is_allowed());
    EXPECT_FALSE(decide({.subject = {}}, act).is_allowed());
  }
}

TEST(Office, OfAnOrganisationMattersWhereAnOwnerComesOrGoes) {
  using meta::Role;
  const std::optional<Role> none;
  EXPECT_EQ(act_on_member(none, Role::admin), Act::administer_namespace);
  EXPECT_EQ(act_on_member(Role::admin, none), Act::administer_namespace);
  EXPECT_EQ(act_on_member(none, Role::owner), Act::appoint_owners);
  EXPECT_EQ(act_on_member(Role::owner, Role::owner), Act::appoint_owners);
  EXPECT_EQ(act_on_member(Role::owner, Role::reader), Act::appoint_owners);
  EXPECT_EQ(act_on_member(Role::owner, none), Act::appoint_owners);
}

struct CoverRow {
  std::string_view why;
  Narrowing narrowing;
  std::string_view covers;  // letters of kActs, of the namespace acme; p: the profile, c: the credentials
};
Narrowing narrow(Narrowing out = {}) {
  out.is_narrow = true;
  return out;
}

TEST(Office, IsLeftByTheScopeThatNamesIt) {  // A16
  using Registry = Narrowing::Registry;
  const CoverRow table[] = {
      {"not narrow", {}, "nmolraspc"},
      {"narrowed to nothing", narrow(), ""},
      {"a namespace", narrow({.namespaces = {"acme"}}), "nmo"},
      {"another one", narrow({.namespaces = {"acm"}}), ""},
      {"the profile", narrow({.profile = true}), "p"},
      {"to look at the registry", narrow({.registry = Registry::read}), "l"},
      {"to administer it, and to become nobody else", narrow({.registry = Registry::write}), "lr"},
  };
  std::vector<std::pair<char, Act>> acts(std::begin(kActs), std::end(kActs));
  acts.insert(acts.end(), {{'p', Act::keep_profile}, {'c', Act::keep_credentials}});
  const Subject admin = user(true);
  for (const CoverRow& row : table) {
    std::string covers;
    for (const auto& [letter, act] : acts) {
      const Asker asker{.subject = admin, .narrowing = &row.narrowing};
      if (decide(asker, act, "acme", place(organization())).is_allowed()) covers += letter;
    }
    EXPECT_EQ(covers, row.covers) << row.why;
  }
}

TEST(Office, IsNoMoreByAScopeThanWithoutOne) {  // A16
  const Narrowing all = narrow({.namespaces = {"acme"}, .profile = true, .registry = Narrowing::Registry::write});
  const Subject plain = user();
  for (const auto& [letter, act] : kActs) {
    const Asker asker{.subject = plain, .narrowing = &all};
    EXPECT_FALSE(decide(asker, act, "acme", place(organization())).is_allowed()) << letter;
  }
}

TEST(Office, IsNotForANarrowSecretNorForAJob) {  // A16
  const Narrowing nothing = narrow();
  const Subject admin = user(true);
  for (const auto& [letter, act] : kActs) {
    const Decision by_secret = decide({.subject = admin, .narrowing = &nothing}, act);
    EXPECT_EQ(by_secret.why, Decision::Why::narrowed) << letter;
    EXPECT_EQ(by_secret.cause.kind, Kind::administrator) << letter << ": what the subject is, is told all the same";
    EXPECT_EQ(decide({.subject = admin, .is_job = true}, act).why, Decision::Why::of_a_job) << letter;
  }
  EXPECT_EQ(decide({.subject = user(), .narrowing = &nothing}, Act::administer_registry).why, Decision::Why::no_office)
      << "no other secret would help";
  EXPECT_EQ(decide({.subject = user(), .narrowing = &nothing}, Act::administer_namespace).why, Decision::Why::narrowed)
      << "what the namespace says is not told (A10)";
}

TEST(Office, IsToldInASentence) {
  const struct {
    Cause cause;
    std::string_view ns;
    std::string_view sentence;
    std::string_view changeable_by;
  } table[] = {
      {{.kind = Kind::administrator}, "acme", "ann is an administrator of the registry", "another administrator"},
      {{.kind = Kind::own_namespace}, "ann", "the namespace ann is ann's", "an administrator"},
      {{.kind = Kind::role, .role = meta::Role::owner},
       "acme",
       "ann is an owner of acme",
       "owners of acme or an administrator"},
      {{.kind = Kind::own_account}, "", "the account is ann's own", "an administrator"},
      {{}, "acme", "no office gives it", "owners of acme or an administrator"},
      {{}, "", "no office gives it", "an administrator"},
  };
  for (const auto& row : table) {
    EXPECT_EQ(describe(row.cause, user(), row.ns), row.sentence);
    EXPECT_EQ(changeable_by(row.cause, row.ns), row.changeable_by) << row.sentence;
  }
}

// ---- narrowing (A16: a token narrows, never widens)

Narrowing narrowing(const std::vector<std::pair<std::string, Rights>>& parts) {
  Narrowing out;
  out.is_narrow = true;
  for (const auto& [pattern, rights] : parts)
    out.parts.push_back({*RepoPattern::parse(pattern, RepoPattern::FirstComponent::any), rights});
  return out;
}

TEST(Narrowing, LeavesWhatAPartNames) {
  const Narrowing some = narrowing({{"acme/web", Right::read}, {"acme/**", Right::write}, {"**", Right::admin}});
  EXPECT_EQ(some.apply(Rights::all(), "acme/web"), Right::read | Right::write | Right::admin) << "parts unite";
  EXPECT_EQ(some.apply(Rights::all(), "acme/api"), Right::write | Right::admin);
  EXPECT_EQ(some.apply(Rights::all(), "acmes/web"), Rights(Right::admin)) << "S9";
}

TEST(Narrowing, NeverAddsARight) {
  for (std::int64_t bits = 0; bits < 32; ++bits) {
    const Rights before = Rights::from_bits(bits);
    EXPECT_EQ(narrowing({{"**", Rights::all()}}).apply(before, "a"), before);
    EXPECT_EQ(narrowing({{"**", Right::read}}).apply(before, "a") | before, before);
  }
}

TEST(Narrowing, WithoutPartsLeavesNothingAndWithoutNarrowingEverything) {
  EXPECT_TRUE(narrowing({}).apply(Rights::all(), "a").empty());
  EXPECT_EQ(Narrowing().apply(Rights::all(), "a"), Rights::all());
}

}  // namespace
}  // namespace berth::auth
