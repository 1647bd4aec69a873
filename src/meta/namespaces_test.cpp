#include "meta/namespaces.h"

#include "meta/grants.h"
#include "meta/principals.h"
#include "support/meta_fixture.h"

namespace berth::meta {
namespace {

class Namespaces : public test::MetaFixture {
 protected:
  static Namespace row_of(std::string_view name, NamespaceKind kind, std::optional<PrincipalId> owner = {}) {
    Namespace out;
    out.name = name;
    out.kind = kind;
    out.owner = owner;
    return out;
  }
  NamespaceId claim(std::string_view name, NamespaceKind kind = NamespaceKind::organization,
                    std::optional<PrincipalId> owner = {}) {
    return claim_namespace(*db_, row_of(name, kind, owner), stamp()).value();
  }
  Namespace load(std::string_view name) { return find_namespace(*db_, name).value().value(); }
  PrincipalId user(std::string_view name) {
    Principal row;
    row.name = name;
    return insert_principal(*db_, row, stamp()).value();
  }
  static std::vector<std::string> printed(const std::vector<OrgMember>& members) {
    std::vector<std::string> out;
    for (const OrgMember& member : members) {
      out.push_back(member.name + " " + std::to_string(static_cast<int>(member.role)));
    }
    return out;
  }
};

TEST_F(Namespaces, AreClaimedOnce) {
  Namespace wanted = row_of("acme", NamespaceKind::organization);
  wanted.display_name = "Acme";
  wanted.visibility = Visibility::internal;
  const auto id = claim_namespace(*db_, wanted, stamp());
  ASSERT_TRUE(id.has_value());
  const Namespace found = find_namespace(*db_, *id).value().value();
  EXPECT_EQ(found.name, "acme");
  EXPECT_EQ(found.kind, NamespaceKind::organization);
  EXPECT_EQ(found.visibility, Visibility::internal);
  EXPECT_EQ(found.display_name, "Acme");
  EXPECT_EQ(found.owner, std::nullopt);
  const auto again = claim_namespace(*db_, row_of("acme", NamespaceKind::user, 5), stamp());
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, Errc::already_exists);
  EXPECT_EQ(load("acme").kind, NamespaceKind::organization);
  EXPECT_FALSE(find_namespace(*db_, "Acme").value()) << "S30";
}

TEST_F(Namespaces, OneThatNobodyOwnsIsTakenOverWithItsRepositories) {
  repo_id("acme/app");
  EXPECT_EQ(load("acme").kind, NamespaceKind::unowned);
  const NamespaceId before = load("acme").id;
  EXPECT_EQ(claim("acme", NamespaceKind::user, 5), before);
  EXPECT_EQ(load("acme").owner, 5);
  EXPECT_TRUE(has_repos(*db_, before).value());
  EXPECT_FALSE(has_repos(*db_, claim("empty")).value());
}

TEST_F(Namespaces, ReleasedTheyAreNobodysAndNobodyHasRightsInThem) {
  const NamespaceId id = claim("acme", NamespaceKind::user, 5);
  const NamespaceId other = claim("other");
  repo_id("acme/app");
  for (const NamespaceId ns : {id, other}) {
    ASSERT_TRUE(put_org_member(*db_, ns, 7, Role::owner).has_value());
    ASSERT_TRUE(put_grant(*db_, ns, {0, 7, "", "x", 31, 0}, stamp()).has_value());
  }
  ASSERT_TRUE(release_namespace(*db_, id).has_value());
  EXPECT_EQ(load("acme").kind, NamespaceKind::unowned);
  EXPECT_EQ(load("acme").owner, std::nullopt);
  EXPECT_TRUE(has_repos(*db_, id).value());
  EXPECT_THAT(probe_.rows("SELECT ns_id FROM org_member"), ::testing::ElementsAre(std::to_string(other)));
  EXPECT_THAT(probe_.rows("SELECT ns_id FROM grant_"), ::testing::ElementsAre(std::to_string(other))) << "S11";
}

TEST_F(Namespaces, AnUpdateCountsOnlyAtItsVersion) {
  claim("acme");
  Namespace row = load("acme");
  row.visibility = Visibility::open;
  row.display_name = "Acme";
  row.kind = NamespaceKind::user;
  row.owner = 9;
  ASSERT_TRUE(update_namespace(*db_, row).has_value());
  EXPECT_EQ(update_namespace(*db_, row).error().code, Errc::precondition_failed);
  const Namespace after = load("acme");
  EXPECT_EQ(after.visibility, Visibility::open);
  EXPECT_EQ(after.display_name, "Acme");
  EXPECT_EQ(after.version, row.version + 1);
  EXPECT_EQ(after.kind, NamespaceKind::organization) << "whose it is does not change by the way";
  EXPECT_EQ(after.owner, std::nullopt);
}

TEST_F(Namespaces, ListsGoByName) {
  for (const char* name : {"carl", "ann", "bob"}) claim(name);
  std::vector<std::string> names;
  for (const auto& ns : list_namespaces(*db_, "ann", 1).value()) names.push_back(ns.name);
  EXPECT_THAT(names, ::testing::ElementsAre("bob"));
}

// ---- organisations

TEST_F(Namespaces, MembersHaveOneRole) {
  const NamespaceId acme = claim("acme");
  const PrincipalId ann = user("ann");
  const PrincipalId bob = user("bob");
  ASSERT_TRUE(put_org_member(*db_, acme, ann, Role::reader).has_value());
  ASSERT_TRUE(put_org_member(*db_, acme, ann, Role::owner).has_value());
  ASSERT_TRUE(put_org_member(*db_, acme, bob, Role::writer).has_value());
  EXPECT_EQ(find_role(*db_, acme, ann).value(), Role::owner);
  EXPECT_EQ(find_role(*db_, acme + 1, ann).value(), std::nullopt);
  EXPECT_THAT(printed(list_org_members(*db_, acme, 0, 9).value()), ::testing::ElementsAre("ann 4", "bob 2"));
  EXPECT_THAT(printed(list_org_members(*db_, acme, ann, 9).value()), ::testing::ElementsAre("bob 2"));
  EXPECT_THAT(printed(list_org_members(*db_, acme, 0, 1).value()), ::testing::ElementsAre("ann 4"));
  EXPECT_EQ(list_orgs_of(*db_, bob).value().at(0).name, "acme");
  EXPECT_TRUE(remove_org_member(*db_, acme, bob).value());
  EXPECT_FALSE(remove_org_member(*db_, acme, bob).value());
  EXPECT_TRUE(list_orgs_of(*db_, bob).value().empty());
}

TEST_F(Namespaces, OwnersWhoAreDisabledDoNotCount) {
  const NamespaceId acme = claim("acme");
  const PrincipalId ann = user("ann");
  const PrincipalId bob = user("bob");
  ASSERT_TRUE(put_org_member(*db_, acme, ann, Role::owner).has_value());
  EXPECT_FALSE(has_owner_beside(*db_, acme, ann).value());
  ASSERT_TRUE(put_org_member(*db_, acme, bob, Role::admin).has_value());
  EXPECT_FALSE(has_owner_beside(*db_, acme, ann).value()) << "an admin is none";
  ASSERT_TRUE(put_org_member(*db_, acme, bob, Role::owner).has_value());
  EXPECT_TRUE(has_owner_beside(*db_, acme, ann).value());
  Principal row = find_principal(*db_, "bob").value().value();
  row.is_disabled = true;
  ASSERT_TRUE(update_principal(*db_, row).has_value());
  EXPECT_FALSE(has_owner_beside(*db_, acme, ann).value());
  EXPECT_TRUE(has_owner_beside(*db_, acme, bob).value());
}

TEST_F(Namespaces, TeamsAndLeavingThem) {
  const NamespaceId acme = claim("acme");
  const NamespaceId other = claim("other");
  const PrincipalId ann = user("ann");
  const auto team = [&](std::string_view name, NamespaceId ns) {
    Principal row;
    row.kind = PrincipalKind::team;
    row.name = name;
    row.ns = ns;
    return insert_principal(*db_, row, stamp()).value();
  };
  const PrincipalId devs = team("acme/devs", acme);
  const PrincipalId ops = team("acme/ops", acme);
  const PrincipalId others = team("other/devs", other);
  for (const PrincipalId id : {devs, ops, others}) {
    EXPECT_TRUE(add_team_member(*db_, id, ann).value());
    EXPECT_FALSE(add_team_member(*db_, id, ann).value()) << "again";
  }
  EXPECT_THAT(printed(list_team_members(*db_, devs, 0, 9).value()), ::testing::ElementsAre("ann 1"));
  EXPECT_TRUE(list_team_members(*db_, devs, ann, 9).value().empty());
  EXPECT_TRUE(remove_team_member(*db_, devs, ann).value());
  EXPECT_FALSE(remove_team_member(*db_, devs, ann).value());
  ASSERT_TRUE(leave_teams_of(*db_, acme, ann).has_value());
  EXPECT_THAT(probe_.rows("SELECT team_id FROM team_member"), ::testing::ElementsAre(std::to_string(others)));
}

}  // namespace
}  // namespace berth::meta
