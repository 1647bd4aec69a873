// What it costs to know who asks, and what he may do, does not depend on how many accounts and grants there are: the
// same statements and the same steps within them among ten users as among ten thousand with a hundred thousand grants.
#include "support/accounts_fixture.h"
#include "support/sqlite_steps.h"

namespace berth::auth {
namespace {

class DecisionCost : public test::AccountsFixture {
 protected:
  DecisionCost() {
    add_admin("root");
    add_user("ann");
    add_org("acme", "root");
    add_member("acme", "ann", meta::Role::reader);
    for (const char* team : {"acme/devs", "acme/ops"}) {
      add_team(team);
      add_to_team(team, "ann");
      grant(team, "acme/**", Right::read);
    }
    grant("ann", "acme/web", Right::write);
    grant("ann", "acme/web-*", Right::write);
    add_robot("acme+ci");
    add_repo("acme/web", meta::Visibility::internal);
    secret_ = add_secret("ann", meta::TokenKind::access).text;
  }

  /// Others of the same organisation, each with ten grants in it, its teams and a secret.
  void add_crowd(int users) {
    const std::string crowd = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " +
                              std::to_string(users) +
                              "), ten(k) AS (SELECT value FROM json_each('[0,1,2,3,4,5,6,7,8,9]')) ";
    const std::string acme = "(SELECT id FROM ns WHERE name = 'acme')";
    probe_.force(
        "BEGIN;" + crowd +
        "INSERT INTO principal(id, kind, name, created_at) SELECT 1000 + i, 1, 'user' || i, 0 FROM n;" + crowd +
        "INSERT INTO org_member(ns_id, principal_id, role) SELECT " + acme + ", 1000 + i, 1 FROM n;" + crowd +
        "INSERT INTO team_member(team_id, principal_id) SELECT id, 1000 + i FROM n, principal WHERE kind = 3;" + crowd +
        "INSERT INTO grant_(principal_id, ns_id, pattern, allow, deny, created_at) SELECT 1000 + i, " + acme +
        ", 'acme/r' || k, 1, 0, 0 FROM n, ten;" + crowd +
        "INSERT INTO token(hash, principal_id, kind, scope, created_at) SELECT CAST('x' || i AS BLOB), 1000 + i, 1, "
        "'{}', "
        "0 FROM n; COMMIT;");
    settle();
  }
  /// Nothing that was known before counts.
  void settle() {
    expect_ok(change([](sql::Connection&) { return Result<void>(); }));
  }

  /// Each way to ask, with nothing at hand.
  std::vector<test::SqliteSteps::Count> costs() {
    std::vector<test::SqliteSteps::Count> out;
    const auto measure = [&](auto ask) {
      settle();
      ask();  // prepares the statements
      settle();
      test::SqliteSteps::take();
      ask();
      out.push_back(test::SqliteSteps::take());
    };
    for (const std::string_view who : {"ann", "acme+ci", ""}) {
      const Subject asks = subject(who);
      for (const std::string_view name : {"acme/web", "acme/none", "none/none"})
        measure([&] { EXPECT_TRUE(directory_.ruling(asks, repo(name)).has_value()); });
    }
    measure([&] { EXPECT_EQ(who(sign_in("ann", secret_)), "ann"); });
    const std::string token = "Bearer " + must(tokens_.issue(*must(sign_in("ann", secret_)), {})).text;
    measure([&] { EXPECT_EQ(who(authenticate(token)), "ann"); });
    return out;
  }

  std::string secret_;
};

/// Its connections are opened before anything else of the fixture.
class CountedSteps {
 protected:
  test::SqliteSteps steps_;
};
class DecisionCostTest : public CountedSteps, public DecisionCost {};

TEST_F(DecisionCostTest, IsTheSameAmongTenThousandUsersWithAHundredThousandGrants) {
  add_crowd(10);
  const auto few = costs();
  ASSERT_EQ(probe_.number("SELECT count(*) FROM grant_"), 104);
  probe_.force(
      "DELETE FROM principal WHERE id > 1000; DELETE FROM org_member WHERE principal_id > 1000; DELETE FROM "
      "team_member WHERE principal_id > 1000; DELETE FROM grant_ WHERE principal_id > 1000; DELETE FROM token "
      "WHERE principal_id > 1000;");
  add_crowd(10'000);
  ASSERT_EQ(probe_.number("SELECT count(*) FROM grant_"), 100'004);
  const auto many = costs();
  for (std::size_t i = 0; i < few.size(); ++i) {
    EXPECT_EQ(few[i].statements, many[i].statements) << i;
    EXPECT_EQ(few[i].steps, many[i].steps) << i;
    EXPECT_GT(few[i].steps, 0) << i << ": the counter counts";
  }
}

TEST_F(DecisionCostTest, TheCounterSeesAScan) {
  const auto count = [&] {
    test::SqliteSteps::take();
    must(look([](sql::Connection& db) -> Result<std::int64_t> {
      std::int64_t seen = 0;
      BERTH_TRYV(db.query("SELECT count(*) FROM principal WHERE display_name = 'x'", {},
                          [&](const sql::Row& row) { seen = row.int64(0); }));
      return seen;
    }));
    return test::SqliteSteps::take().steps;
  };
  const auto before = count();
  add_crowd(100);
  EXPECT_GT(count(), before + 100);
}

}  // namespace
}  // namespace berth::auth
