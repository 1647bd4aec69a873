#include "auth/audit_log.h"

#include "support/store_fixture.h"

namespace berth::auth {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int kBurst = 100;  // refusals that are written at once; after that ten a second

class AuditLogTest : public test::StoreFixture {
 protected:
  AuditLogTest() {
    open();
    audit_ = std::make_unique<AuditLog>(*store_, clock_);
  }

  void note(bool allowed, std::string detail = "{}") {
    meta::AuditEntry entry;
    entry.actor = "eve";
    entry.action = "pull";
    entry.allowed = allowed;
    entry.detail = std::move(detail);
    audit_->note(std::move(entry));
  }
  void refuse(int count) {
    for (int i = 0; i < count; ++i) note(false);
  }
  std::int64_t written() {
    EXPECT_TRUE(put_now("flush").has_value());  // the writer's queue is in order
    return probe_.number("SELECT count(*) FROM audit");
  }
  std::vector<std::string> details() {
    EXPECT_TRUE(put_now("flush").has_value());
    return probe_.rows("SELECT detail FROM audit WHERE detail <> '{}' ORDER BY seq");
  }

  std::unique_ptr<AuditLog> audit_;
};

TEST_F(AuditLogTest, AFloodOfRefusalsIsSampledAndTheNextEntrySaysHowManyWereLeftOut) {
  refuse(kBurst + 50);
  EXPECT_EQ(written(), kBurst);
  EXPECT_THAT(details(), IsEmpty());
  clock_.advance_ms(100);
  refuse(1);
  EXPECT_EQ(written(), kBurst + 1);
  EXPECT_THAT(details(), ElementsAre(R"({"left_out":50})"));
  clock_.advance_ms(100);
  refuse(1);
  EXPECT_EQ(written(), kBurst + 2);
  EXPECT_THAT(details(), ElementsAre(R"({"left_out":50})")) << "they are told of once";
}

TEST_F(AuditLogTest, TenRefusalsASecondAreWrittenWhileItGoesOn) {
  refuse(kBurst);
  for (int second = 1; second <= 5; ++second) {
    clock_.advance_ms(1000);
    refuse(1000);
    EXPECT_EQ(written(), kBurst + 10 * second);
  }
  clock_.advance_ms(60'000);
  refuse(1000);
  EXPECT_EQ(written(), kBurst + 50 + kBurst) << "and after a rest as many as at first";
}

TEST_F(AuditLogTest, WhatWasLeftOutIsSaidBesideWhatTheEntrySaysItself) {
  refuse(kBurst + 3);
  clock_.advance_ms(100);
  note(false, R"({"via":7})");
  EXPECT_THAT(details(), ElementsAre(R"({"via":7,"left_out":3})"));
}

TEST_F(AuditLogTest, WhatWasAllowedIsNeverLeftOut) {
  refuse(kBurst + 1);
  for (int i = 0; i < 50; ++i) note(true);
  EXPECT_EQ(written(), kBurst + 50);
  EXPECT_THAT(details(), IsEmpty()) << "nor does it tell of refusals";
}

TEST_F(AuditLogTest, WhatIsWrittenUnderFloodIsAChain) {
  refuse(kBurst + 10);
  clock_.advance_ms(500);
  refuse(10);
  EXPECT_EQ(written(), kBurst + 5);
  meta::AuditVerifier verifier(meta::AuditAnchor{});
  const auto entries = store_->peek([](sql::Connection& db) { return meta::read_audit(db, 0, 1000); });
  ASSERT_TRUE(entries.has_value());
  for (const meta::AuditEntry& entry : *entries) EXPECT_EQ(verifier.check(entry), std::nullopt);
}

TEST_F(AuditLogTest, AnEntrySaysWhoByWhatAndFromWhere) {
  Identity identity;
  identity.subject = {Subject::Kind::user, 7, "ann", false};
  identity.via = 12;
  const auto entry = audit_->entry(identity, "192.0.2.7", "r1");
  EXPECT_EQ(entry.at_ms, clock_.now_ms());
  EXPECT_EQ(entry.actor, "ann");
  EXPECT_EQ(entry.actor_id, 7);
  EXPECT_EQ(entry.peer, "192.0.2.7");
  EXPECT_EQ(entry.request, "r1");
  EXPECT_EQ(entry.detail, R"({"via":12})");
  identity.via = 0;
  identity.trust_rule = 3;
  EXPECT_EQ(audit_->entry(identity, "", "").detail, R"({"trust_rule":3})");
  EXPECT_EQ(audit_->entry(Identity{}, "", "").actor_id, std::nullopt);
}

}  // namespace
}  // namespace berth::auth
