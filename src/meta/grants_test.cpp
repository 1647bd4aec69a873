#include "meta/grants.h"

#include "meta/principals.h"
#include "support/meta_fixture.h"

namespace berth::meta {
namespace {

class Grants : public test::MetaFixture {
 protected:
  PrincipalId insert(std::string_view name, PrincipalKind kind = PrincipalKind::user) {
    Principal row;
    row.kind = kind;
    row.name = name;
    return insert_principal(*db_, row, stamp()).value();
  }
  NamespaceId claim(std::string_view name, NamespaceKind kind = NamespaceKind::organization) {
    Namespace row;
    row.name = name;
    row.kind = kind;
    return claim_namespace(*db_, row, stamp()).value();
  }
  GrantId put(NamespaceId ns, PrincipalId to, std::string_view pattern, std::int64_t allow, std::int64_t deny = 0) {
    return put_grant(*db_, ns, {0, to, "", std::string(pattern), allow, deny}, stamp()).value();
  }
  static std::vector<std::string> printed(const std::vector<GrantRow>& rows) {
    std::vector<std::string> out;
    for (const GrantRow& row : rows) {
      out.push_back(row.principal_name + " " + row.pattern + " " + std::to_string(row.allow) + "-" +
                    std::to_string(row.deny));
    }
    return out;
  }
  Standing standing(std::optional<PrincipalId> who, std::string_view name) {
    return load_standing(*db_, who, repo(name)).value();
  }

  NamespaceId acme_ = claim("acme");
  PrincipalId ann_ = insert("ann");
};

TEST_F(Grants, OneForEachPrincipalAndPattern) {
  const PrincipalId bob = insert("bob");
  const GrantId first = put(acme_, ann_, "acme/**", 1);
  EXPECT_EQ(put(acme_, ann_, "acme/**", 2, 4), first) << "the bits are replaced";
  EXPECT_NE(put(acme_, bob, "acme/**", 1), first);
  EXPECT_NE(put(acme_, ann_, "acme/*", 1), first);
  EXPECT_EQ(count_grants(*db_, ann_, acme_).value(), 2);
  EXPECT_EQ(count_grants(*db_, ann_, acme_ + 1).value(), 0);
  EXPECT_THAT(printed(list_grants(*db_, acme_, 0, 9).value()),
              ::testing::ElementsAre("ann acme/** 2-4", "bob acme/** 1-0", "ann acme/* 1-0"));
  EXPECT_THAT(printed(list_grants(*db_, acme_, first, 1).value()), ::testing::ElementsAre("bob acme/** 1-0"));
}

TEST_F(Grants, AreRemovedInTheirNamespaceOnly) {
  const GrantId id = put(acme_, ann_, "acme/**", 1);
  EXPECT_FALSE(remove_grant(*db_, acme_ + 1, id).value()) << "S13";
  EXPECT_TRUE(remove_grant(*db_, acme_, id).value());
  EXPECT_FALSE(remove_grant(*db_, acme_, id).value());
}

TEST_F(Grants, OnANameGoAlongWithIt) {
  const PrincipalId bob = insert("bob");
  const PrincipalId eve = insert("eve");
  put(acme_, ann_, "acme/web", 1 | 2);
  put(acme_, bob, "acme/web", 1 | 2, 8);
  put(acme_, ann_, "acme/web*", 4);
  put(acme_, bob, "acme/site", 8 | 16, 2);
  put(acme_, eve, "acme/site", 1);
  EXPECT_EQ(move_grants(*db_, acme_ + 1, "acme/web", "acme/site").value(), 0) << "S13";
  EXPECT_EQ(move_grants(*db_, acme_, "acme/web", "acme/site").value(), 2);
  EXPECT_THAT(printed(list_grants(*db_, acme_, 0, 9).value()),
              ::testing::UnorderedElementsAre("ann acme/site 3-0", "bob acme/site 17-10", "ann acme/web* 4-0",
                                              "eve acme/site 1-0"))
      << "two on one name are one, which denies what either denied";
}

TEST_F(Grants, OnANameEndWithIt) {
  put(acme_, ann_, "acme/web", 1);
  put(acme_, insert("bob"), "acme/web", 0, 1);
  put(acme_, ann_, "acme/web/x", 1);
  put(acme_, ann_, "acme/**", 1);
  EXPECT_EQ(drop_grants_on(*db_, acme_ + 1, "acme/web").value(), 0) << "S13";
  EXPECT_EQ(drop_grants_on(*db_, acme_, "acme/web").value(), 2);
  EXPECT_THAT(printed(list_grants(*db_, acme_, 0, 9).value()),
              ::testing::UnorderedElementsAre("ann acme/web/x 1-0", "ann acme/** 1-0"));
}

TEST_F(Grants, AStandingHoldsWhatADecisionNeeds) {
  const NamespaceId other = claim("other");
  const PrincipalId bob = insert("bob");
  const PrincipalId devs = insert("acme/devs", PrincipalKind::team);
  const PrincipalId ops = insert("acme/ops", PrincipalKind::team);
  ASSERT_TRUE(add_team_member(*db_, devs, ann_).value());
  ASSERT_TRUE(add_team_member(*db_, ops, bob).value());
  ASSERT_TRUE(put_org_member(*db_, acme_, ann_, Role::writer).has_value());
  put(acme_, ann_, "acme/web", 1);
  put(acme_, devs, "acme/**", 2);
  put(acme_, bob, "acme/**", 4);
  put(acme_, ops, "acme/**", 8);
  put(other, ann_, "other/**", 16);
  repo_id("acme/web");

  const Standing own = standing(ann_, "acme/web");
  EXPECT_EQ(own.place->ns->name, "acme");
  EXPECT_EQ(own.repo, Visibility::closed);
  EXPECT_EQ(own.place->role, Role::writer);
  EXPECT_THAT(printed(own.place->grants), ::testing::ElementsAre(" acme/web 1-0", " acme/** 2-0"));
  EXPECT_EQ(own.place->grants[1].principal, devs);
  const Standing anonymous = standing(std::nullopt, "acme/web");
  EXPECT_EQ(anonymous.repo, Visibility::closed);
  EXPECT_FALSE(anonymous.place->role);
  EXPECT_TRUE(anonymous.place->grants.empty());
  EXPECT_FALSE(standing(ann_, "acme/new").repo) << "A10: there is none";
  EXPECT_FALSE(standing(ann_, "none/web").place->ns);
  EXPECT_THAT(printed(standing(ann_, "other/x").place->grants), ::testing::ElementsAre(" other/** 16-0"));
  EXPECT_FALSE(standing(ann_, "other/x").place->role);
}

// A repository that was deleted is as one that never was.
TEST_F(Grants, ADeletedRepositoryHasNoVisibility) {
  repo_id("acme/web");
  probe_.force("UPDATE repo SET visibility = 2, deleted_at = 1");
  EXPECT_FALSE(standing(std::nullopt, "acme/web").repo);
}

// What is read is the repository or the one behind it.
TEST_F(Grants, ARepositoryLendsItsVisibilityToNoOtherName) {
  repo_id("acme/web");
  probe_.force("UPDATE repo SET visibility = 2");
  for (const std::string_view name : {"acme/a", "acme/we", "acme/wea", "acme/web/x", "acme/web-1", "acme/z"})
    EXPECT_FALSE(standing(std::nullopt, name).repo) << name;
  EXPECT_TRUE(standing(std::nullopt, "acme/web").repo);
}

// It is quoted, and names what is taken back.
TEST_F(Grants, ANumberIsGivenOutOnce) {
  const GrantId first = put(acme_, ann_, "acme/web", 1);
  ASSERT_TRUE(remove_grant(*db_, acme_, first).value());
  EXPECT_NE(put(acme_, ann_, "acme/web", 1), first);
}

// A row that was left over must not make a user's namespace an organisation's.
TEST_F(Grants, RolesAreOfOrganisations) {
  const NamespaceId bob = claim("bob", NamespaceKind::user);
  ASSERT_TRUE(put_org_member(*db_, bob, ann_, Role::owner).has_value());
  EXPECT_FALSE(standing(ann_, "bob/x").place->role);
}

}  // namespace
}  // namespace berth::meta
