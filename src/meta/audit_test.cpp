#include "meta/audit.h"

#include "base/hex.h"
#include "base/random.h"
#include "support/meta_fixture.h"

#include <algorithm>

namespace berth::meta {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Audit : public test::MetaFixture {
 protected:
  static constexpr std::int64_t kEverything = 1'000'000;

  /// Each a second after the one before.
  void add(AuditEntry entry) {
    entry.at_ms = now_ += 1000;
    const auto done = append_audit(*db_, std::move(entry));
    ASSERT_TRUE(done.has_value()) << done.error().cause;
  }
  void add_about(std::string target, std::string actor = "ann", std::string action = "manifest.push") {
    AuditEntry entry;
    entry.actor = std::move(actor);
    entry.action = std::move(action);
    entry.target = std::move(target);
    add(std::move(entry));
  }
  void add_some(int count) {
    for (int i = 0; i < count; ++i) add_about("acme/web:" + std::to_string(i));
  }
  std::vector<AuditEntry> everything() { return read_audit(*db_, 0, kEverything).value(); }
  /// "1 to 5", or what is wrong.
  std::string verdict() {
    const auto anchor = audit_anchor(*db_);
    if (!anchor) return anchor.error().cause;
    AuditVerifier verifier(*anchor);
    for (const AuditEntry& entry : read_audit(*db_, anchor->seq, kEverything).value()) {
      if (const auto wrong = verifier.check(entry)) return *wrong;
    }
    return std::to_string(anchor->seq + 1) + " to " + std::to_string(verifier.seq());
  }
  /// Whether an entry of that hash is there.
  bool has(const crypto::Sha256Sum& hash) {
    const auto entries = everything();
    return std::ranges::find(entries, hash, &AuditEntry::hash) != entries.end();
  }
  std::int64_t forget_before(std::int64_t at_ms, std::int64_t limit = kEverything) {
    return forget_audit(*db_, at_ms, limit).value();
  }
  std::int64_t time_of(std::int64_t seq) const { return kStart + seq * 1000; }

  /// Page after page, as the API asks for them.
  std::vector<std::int64_t> listed(const AuditFilter& filter, std::int64_t limit, std::int64_t scan_max) {
    std::vector<std::int64_t> out;
    std::int64_t last = 0;
    do {
      const auto page = list_audit(*db_, filter, last, limit, scan_max, last).value();
      EXPECT_LE(std::ssize(page), limit);
      for (const AuditEntry& entry : page) out.push_back(entry.seq);
    } while (last != 0);
    return out;
  }
};

TEST_F(Audit, EntriesAreAChainFromTheFirstOn) {
  EXPECT_EQ(verdict(), "1 to 0");
  add_some(3);
  const auto entries = everything();
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries[0].prev, crypto::Sha256Sum{});
  EXPECT_EQ(entries[1].prev, entries[0].hash);
  EXPECT_EQ(entries[2].prev, entries[1].hash);
  EXPECT_EQ(verdict(), "1 to 3");
}

TEST_F(Audit, EveryFieldComesBackAsItWasWritten) {
  AuditEntry entry;
  entry.actor = "ann";
  entry.actor_id = 7;
  entry.action = "tag.move";
  entry.target = "acme/web:1.0";
  entry.allowed = false;
  entry.rule = "grant 12";
  entry.peer = "192.0.2.7";
  entry.request = "r1";
  entry.detail = R"({"via":3})";
  add(entry);
  const AuditEntry found = everything().front();
  EXPECT_EQ(audit_line(found),
            R"({"seq":1,"at_ms":1700000001000,"actor":"ann","actor_id":7,"action":"tag.move","target":"acme/web:1.0",)"
            R"("allowed":false,"rule":"grant 12","peer":"192.0.2.7","request_id":"r1","detail":{"via":3},"prev":")" +
                std::string(64, '0') + R"(","hash":")" + to_hex(found.hash) + "\"}");
}

TEST_F(Audit, ARefusalIsFoundByItsRequest) {
  const auto add_of = [&](std::string request, std::string target, bool allowed) {
    AuditEntry entry;
    entry.request = std::move(request);
    entry.target = std::move(target);
    entry.allowed = allowed;
    add(std::move(entry));
  };
  add_of("r1", "acme/web", false);
  add_of("r1", "acme/api", true);
  add_of("r2", "acme/web", false);
  add_of("r1", "acme/app", false);
  const auto targets = [&](std::string_view request, std::int64_t limit) {
    std::vector<std::string> out;
    for (const AuditEntry& entry : find_refusals(*db_, request, limit).value()) out.push_back(entry.target);
    return out;
  };
  EXPECT_THAT(targets("r1", 20), ElementsAre("acme/app", "acme/web"));
  EXPECT_THAT(targets("r1", 1), ElementsAre("acme/app"));
  EXPECT_THAT(targets("r3", 20), IsEmpty());
}

// What a line says without its last member is what was hashed: whoever has the export can check it by himself.
TEST_F(Audit, ALineIsWhatWasHashed) {
  add_some(1);
  const AuditEntry entry = everything().front();
  const std::string line = audit_line(entry);
  const std::string hashed = line.substr(0, line.rfind(",\"hash\":"));
  EXPECT_EQ(crypto::sha256(std::as_bytes(std::span(hashed))), entry.hash);
}

constexpr struct {
  const char* change;
  const char* verdict;
} kTampering[] = {
    {"UPDATE audit SET at = at + 1 WHERE seq = 2", "entry 2 was changed"},
    {"UPDATE audit SET actor = 'eve' WHERE seq = 2", "entry 2 was changed"},
    {"UPDATE audit SET actor_id = 9 WHERE seq = 2", "entry 2 was changed"},
    {"UPDATE audit SET action = 'sign_in' WHERE seq = 2", "entry 2 was changed"},
    {"UPDATE audit SET target = 'acme/other' WHERE seq = 2", "entry 2 was changed"},
    {"UPDATE audit SET allowed = 1 - allowed WHERE seq = 2", "entry 2 was changed"},
    {"UPDATE audit SET rule = 'administrator' WHERE seq = 2", "entry 2 was changed"},
    {"UPDATE audit SET peer = '192.0.2.8' WHERE seq = 2", "entry 2 was changed"},
    {"UPDATE audit SET request = 'r2' WHERE seq = 2", "entry 2 was changed"},
    {"UPDATE audit SET detail = '{\"x\":1}' WHERE seq = 2", "entry 2 was changed"},
    {"UPDATE audit SET hash = zeroblob(32) WHERE seq = 2", "entry 2 was changed"},
    {"UPDATE audit SET prev = zeroblob(32) WHERE seq = 2", "entry 2 does not follow the one before it"},
    {"UPDATE audit SET prev = x'00' WHERE seq = 2", "entry 2 does not follow the one before it"},
    {"DELETE FROM audit WHERE seq = 1", "entries 1 to 1 are missing"},
    {"DELETE FROM audit WHERE seq IN (2, 3)", "entries 2 to 3 are missing"},
    {"UPDATE audit SET seq = 9 WHERE seq = 2; UPDATE audit SET seq = 2 WHERE seq = 3; "
     "UPDATE audit SET seq = 3 WHERE seq = 9",
     "entry 2 does not follow the one before it"},
    {"DELETE FROM audit WHERE seq = 3; UPDATE audit SET seq = 3 WHERE seq = 4; "
     "UPDATE audit SET seq = 4 WHERE seq = 5",
     "entry 3 does not follow the one before it"},
};

TEST_F(Audit, WhatWasChangedRemovedOrSwappedIsNamed) {
  add_some(5);
  for (const auto& row : kTampering) {
    probe_.force("CREATE TABLE kept AS SELECT * FROM audit");
    probe_.force(row.change);
    EXPECT_EQ(verdict(), row.verdict) << row.change;
    probe_.force("DELETE FROM audit; INSERT INTO audit SELECT * FROM kept; DROP TABLE kept");
    ASSERT_EQ(verdict(), "1 to 5");
  }
}

TEST_F(Audit, AChangedEntryWithANewHashDoesNotFitTheNextOne) {
  add_some(3);
  AuditEntry forged = everything()[1];
  forged.actor = "eve";
  const std::string line = audit_line(forged);
  const std::string hashed = line.substr(0, line.rfind(",\"hash\":"));
  const auto hash = crypto::sha256(std::as_bytes(std::span(hashed)));
  probe_.force("UPDATE audit SET actor = 'eve', hash = x'" + to_hex(hash) + "' WHERE seq = 2");
  EXPECT_EQ(verdict(), "entry 3 does not follow the one before it");
}

// The chain alone cannot tell; a hash that was kept elsewhere can.
TEST_F(Audit, WhatWasCutOffAtTheEndShowsAgainstAHeadThatWasKept) {
  add_some(3);
  const auto head = everything().back().hash;
  EXPECT_TRUE(has(head));
  probe_.force("DELETE FROM audit WHERE seq = 3");
  EXPECT_EQ(verdict(), "1 to 2");
  EXPECT_FALSE(has(head));
  add_about("acme/web:other");
  EXPECT_EQ(verdict(), "1 to 3") << "and grows on";
  EXPECT_FALSE(has(head));
}

TEST_F(Audit, WhatIsForgottenIsNoGap) {
  add_some(5);
  EXPECT_EQ(forget_before(time_of(4)), 3);
  EXPECT_EQ(verdict(), "4 to 5");
  EXPECT_EQ(audit_anchor(*db_)->seq, 3);
  EXPECT_EQ(forget_before(time_of(4)), 0) << "what is not older stays";
  add_some(1);
  EXPECT_EQ(verdict(), "4 to 6");
}

TEST_F(Audit, ALittleIsForgottenAtATime) {
  add_some(5);
  EXPECT_EQ(forget_before(time_of(5), 2), 2);
  EXPECT_EQ(verdict(), "3 to 5");
  EXPECT_EQ(forget_before(time_of(5), 2), 2);
  EXPECT_EQ(forget_before(time_of(5), 2), 0);
  EXPECT_EQ(verdict(), "5 to 5");
}

TEST_F(Audit, TheChainGoesOnBehindOneThatWasForgottenToItsEnd) {
  add_some(3);
  const auto head = everything().back().hash;
  EXPECT_EQ(forget_before(time_of(100)), 3);
  EXPECT_EQ(verdict(), "4 to 3");
  add_some(1);
  EXPECT_EQ(everything().front().seq, 4);
  EXPECT_EQ(everything().front().prev, head);
  EXPECT_EQ(verdict(), "4 to 4");
}

// An entry that is older than one before it, as after a clock was set back, waits for that one.
TEST_F(Audit, NothingIsForgottenOutOfOrder) {
  add_some(1);
  now_ -= 10'000;
  add_some(1);
  EXPECT_EQ(forget_before(time_of(1)), 0);
  EXPECT_EQ(verdict(), "1 to 2");
}

TEST_F(Audit, AChangedAnchorIsNoticed) {
  add_some(5);
  ASSERT_EQ(forget_before(time_of(4)), 3);
  const std::string was = probe_.rows("SELECT value FROM meta WHERE key = 'audit_anchor'").front();
  const struct {
    std::string value;
    const char* verdict;
  } rows[] = {
      {"3 " + std::string(64, '0'), "entry 4 does not follow the one before it"},
      {"2 " + was.substr(2), "entries 3 to 3 are missing"},
      {"4 " + was.substr(2), "entry 5 does not follow the one before it"},
      {"3", "the audit anchor cannot be read"},
      {"3 xyz", "the audit anchor cannot be read"},
  };
  for (const auto& row : rows) {
    probe_.force("UPDATE meta SET value = '" + row.value + "' WHERE key = 'audit_anchor'");
    EXPECT_EQ(verdict(), row.verdict) << row.value;
  }
  probe_.force("DELETE FROM meta WHERE key = 'audit_anchor'");
  EXPECT_EQ(verdict(), "entries 1 to 3 are missing");
  probe_.force("INSERT INTO meta(key, value) VALUES('audit_anchor', '" + was + "')");
  EXPECT_EQ(verdict(), "4 to 5");
}

TEST_F(Audit, ATargetIsFoundWithWhatIsBelowIt) {
  for (const char* target : {"acme/web", "acme/web:1.0", "acme/web@sha256:aa", "acme/web/sub:1", "acme/web-shop:1",
                             "acme/webs", "acme", "users/ann", "users/ann/password", "users/anna"})
    add_about(target);
  const struct {
    const char* target;
    std::vector<std::int64_t> found;  // newest first
  } rows[] = {
      {"acme/web", {4, 3, 2, 1}}, {"acme/web:1.0", {2}}, {"acme", {7, 6, 5, 4, 3, 2, 1}},
      {"users/ann", {9, 8}},      {"acme/we", {}},       {"acme/web@sha256", {3}},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(listed({.target = row.target}, 50, 1000), row.found) << row.target;
    EXPECT_EQ(listed({.target = row.target}, 1, 1000), row.found) << row.target << ", one a page";
    EXPECT_EQ(listed({.target = row.target}, 50, 2), row.found) << row.target << ", with more targets than are merged";
  }
}

TEST_F(Audit, APageMayBeEmptyAndNotTheLast) {
  add_some(10);
  add_about("acme/web:x", "bob");
  const AuditFilter filter{.actor = "ann", .action = "sign_in"};
  std::int64_t last = 0;
  EXPECT_THAT(list_audit(*db_, filter, 0, 5, 4, last).value(), IsEmpty());
  EXPECT_EQ(last, 7) << "four of ann's were looked at: 10 to 7";
  EXPECT_THAT(list_audit(*db_, filter, 4, 5, 4, last).value(), IsEmpty());
  EXPECT_EQ(last, 0) << "nothing is left";
}

TEST_F(Audit, NothingOlderThanAskedForIsLookedAt) {
  add_some(10);
  std::int64_t last = 0;
  const auto found = list_audit(*db_, {.since_ms = time_of(8)}, 0, 50, 1000, last).value();
  EXPECT_EQ(found.size(), 3U);
  EXPECT_EQ(last, 0);
}

/// As the filter is documented, entry by entry.
bool is_wanted(const AuditEntry& entry, const AuditFilter& filter) {
  const auto is_below = [&] {
    if (!entry.target.starts_with(filter.target)) return false;
    const std::string rest = entry.target.substr(filter.target.size());
    return rest.empty() || rest.front() == ':' || rest.front() == '@' || rest.front() == '/';
  };
  return (filter.actor.empty() || entry.actor == filter.actor) &&
         (filter.action.empty() || entry.action == filter.action) && (filter.target.empty() || is_below()) &&
         entry.at_ms >= filter.since_ms;
}

// Property: whatever is asked for, in pages of whatever size, comes whole, once, newest first.
TEST_F(Audit, PagesTogetherAreWhatTheFilterSays) {
  const std::vector<std::string> actors = {"ann", "bob", ""};
  const std::vector<std::string> actions = {"manifest.push", "tag.move", "sign_in"};
  const std::vector<std::string> targets = {"acme/web",   "acme/web:1", "acme/web:2", "acme/web@sha256:a",
                                            "acme/web/x", "acme/web-x", "acme",       "ann"};
  SeededRandom random(7);
  const auto any = [&](const std::vector<std::string>& of) { return of[random.u64() % of.size()]; };
  for (int i = 0; i < 300; ++i) add_about(any(targets), any(actors), any(actions));
  const auto entries = everything();
  for (int round = 0; round < 200; ++round) {
    AuditFilter filter;
    if (random.u64() % 2 == 0) filter.actor = any(actors);
    if (random.u64() % 2 == 0) filter.action = any(actions);
    if (random.u64() % 3 != 0) filter.target = any(targets);
    if (random.u64() % 4 == 0) filter.since_ms = time_of(static_cast<std::int64_t>(random.u64() % 300));
    std::vector<std::int64_t> wanted;
    for (const AuditEntry& entry : entries) {
      if (is_wanted(entry, filter)) wanted.insert(wanted.begin(), entry.seq);
    }
    const auto limit = static_cast<std::int64_t>(1 + random.u64() % 60);
    const auto scan_max = static_cast<std::int64_t>(1 + random.u64() % 90);
    ASSERT_EQ(listed(filter, limit, scan_max), wanted)
        << "round " << round << ": actor '" << filter.actor << "', action '" << filter.action << "', target '"
        << filter.target << "', since " << filter.since_ms << ", " << limit << " a page of " << scan_max;
  }
}

TEST_F(Audit, AnExportGoesOnWhereTheLastPieceEnded) {
  add_some(5);
  const auto seqs = [&](std::int64_t after, std::int64_t limit) {
    std::vector<std::int64_t> out;
    for (const AuditEntry& entry : read_audit(*db_, after, limit).value()) out.push_back(entry.seq);
    return out;
  };
  EXPECT_THAT(seqs(0, 3), ElementsAre(1, 2, 3));
  EXPECT_THAT(seqs(3, 3), ElementsAre(4, 5));
  EXPECT_THAT(seqs(5, 3), IsEmpty());
}

}  // namespace
}  // namespace berth::meta
