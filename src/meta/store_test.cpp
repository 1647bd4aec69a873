#include "meta/store.h"

#include "support/faulty_sqlite_disk.h"
#include "support/store_fixture.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace berth::meta {
namespace {

using ::testing::ElementsAre;

class MetaStore : public test::StoreFixture {
 protected:
  using Tasks = std::vector<io::Task<Result<int>>>;
  static std::vector<Errc> codes(const std::vector<Result<int>>& results) {
    std::vector<Errc> out;
    for (const auto& result : results) {
      if (!result) out.push_back(result.error().code);
    }
    return out;
  }
};

TEST_F(MetaStore, WhatQueuesUpDuringACommitIsOneCommit) {
  open();
  const auto before = store_->commit_count();
  hold_writer();
  Tasks tasks;
  for (int i = 0; i < 300; ++i) tasks.push_back(put("k" + std::to_string(i), i));
  tasks.push_back(go_on());
  const auto results = test::run_tasks(std::move(tasks));
  EXPECT_EQ(store_->commit_count() - before, 2U) << "the one that held the writer, and one for all 300";
  for (int i = 0; i < 300; ++i) ASSERT_EQ(results[static_cast<std::size_t>(i)].value(), i) << "to the right caller";
  EXPECT_EQ(probe_.number("SELECT count(*) FROM meta WHERE key LIKE 'k%'"), 300);
}

TEST_F(MetaStore, ManyWritesAtOnceFailEachAlone) {
  open();
  std::vector<Store::WriteFn> writes;
  for (int i = 0; i < 200; ++i) {
    writes.emplace_back([i](sql::Connection& db) -> Result<void> {
      BERTH_TRYV(db.execute("INSERT INTO meta(key, value) VALUES('k' || $1, 'v')", {std::int64_t{i}}));
      if (i % 2 != 0) return fail(Errc::denied);
      return {};
    });
  }
  const auto outcomes = store_->write_each_blocking(std::move(writes));
  ASSERT_EQ(outcomes.size(), 200U);
  for (std::size_t i = 0; i < outcomes.size(); ++i) EXPECT_EQ(outcomes[i].has_value(), i % 2 == 0) << "in their order";
  EXPECT_EQ(probe_.number("SELECT count(*) FROM meta WHERE key LIKE 'k%'"), 100);
}

TEST_F(MetaStore, ABatchIsBounded) {
  open({}, {.batch_ops_max = 10});
  const auto before = store_->commit_count();
  hold_writer();
  Tasks tasks;
  for (int i = 0; i < 25; ++i) tasks.push_back(put("k" + std::to_string(i), i));
  tasks.push_back(go_on());
  test::run_tasks(std::move(tasks));
  EXPECT_EQ(store_->commit_count() - before, 1U + 3U);
}

TEST_F(MetaStore, ABatchIsBoundedInBytesToo) {
  open({}, {.batch_bytes_max = 100});
  constexpr struct {
    std::vector<std::size_t> (*bytes)();
    std::uint64_t batches;
    std::string_view why;
  } kRows[] = {
      {[] { return std::vector<std::size_t>{50, 50, 0, 0}; }, 1, "exactly full"},
      {[] { return std::vector<std::size_t>{50, 0, 51, 0}; }, 2, "one too many"},
      {[] { return std::vector<std::size_t>{1000, 1000, 1}; }, 3, "each more than a batch holds"},
      {[] { return std::vector<std::size_t>{1, 1000}; }, 2, "the small one does not wait for the large one"},
  };
  for (const auto& row : kRows) {
    const auto before = store_->commit_count();
    hold_writer();
    Tasks tasks;
    for (const std::size_t bytes : row.bytes()) tasks.push_back(put("k", 1, {.bytes = bytes}));
    tasks.push_back(go_on());
    for (const auto& result : test::run_tasks(std::move(tasks))) EXPECT_TRUE(result.has_value());
    EXPECT_EQ(store_->commit_count() - before, 1U + row.batches) << row.why;
  }
}

TEST_F(MetaStore, AClosureThatFailsIsUndoneAloneAndTheOthersStay) {
  open();
  hold_writer();
  Tasks tasks;
  for (int i = 0; i < 9; ++i) {
    const std::string key = "k" + std::to_string(i);
    tasks.push_back(i % 3 == 1 ? put_and_fail(key) : put(key, i));
  }
  tasks.push_back(go_on());
  const auto results = test::run_tasks(std::move(tasks));
  for (int i = 0; i < 9; ++i) {
    const auto& result = results[static_cast<std::size_t>(i)];
    EXPECT_EQ(result.has_value(), i % 3 != 1) << i;
    EXPECT_EQ(has("k" + std::to_string(i)), i % 3 != 1) << i;
    if (!result) EXPECT_EQ(result.error().code, Errc::referenced);
  }
}

TEST_F(MetaStore, ABatchWaitsForTheDiskIfAnyOfItsAnswersDoes) {
  open();
  ASSERT_TRUE(put_now("relaxed", {.ack = Ack::process}).has_value());
  EXPECT_FALSE(watch_->take_last_commit());
  ASSERT_TRUE(put_now("durable").has_value());
  EXPECT_TRUE(watch_->take_last_commit());
  hold_writer();
  Tasks tasks;
  tasks.push_back(put("a", 1, {.ack = Ack::process}));
  tasks.push_back(put("b", 1, {.ack = Ack::durable}));
  tasks.push_back(put("c", 1, {.ack = Ack::process}));
  tasks.push_back(go_on());
  test::run_tasks(std::move(tasks));
  EXPECT_TRUE(watch_->take_last_commit());
}

TEST_F(MetaStore, StagedNamesAreSyncedOnceBeforeTheCommitOfABatchThatNamesThem) {
  std::vector<std::uint64_t> at_commits;
  open({.sync_staging = [&]() -> Result<void> {
    at_commits.push_back(store_->commit_count());
    return {};
  }});
  ASSERT_TRUE(put_now("no files").has_value());
  EXPECT_TRUE(at_commits.empty());
  hold_writer();
  Tasks tasks;
  for (int i = 0; i < 5; ++i) tasks.push_back(put("k" + std::to_string(i), i, {.needs_staging_sync = i % 2 == 0}));
  tasks.push_back(go_on());
  const auto before = store_->commit_count();
  test::run_tasks(std::move(tasks));
  EXPECT_THAT(at_commits, ElementsAre(before + 1)) << "after the batch of the holder, before its own";
}

TEST_F(MetaStore, NothingIsCommittedIfTheStagedNamesCannotBeSynced) {
  bool broken = true;
  open({.sync_staging = [&]() -> Result<void> {
    if (broken) return fail(Errc::io_failed, "sync");
    return {};
  }});
  const auto refused = put_now("a", {.needs_staging_sync = true});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::io_failed);
  EXPECT_FALSE(has("a"));
  broken = false;
  EXPECT_TRUE(put_now("a", {.needs_staging_sync = true}).has_value());
}

TEST_F(MetaStore, AFullDiskFreesTheReserveAndLetsOnlyReclaimingWritesThrough) {
  int freed = 0;
  open({.release_reserve = [&] { ++freed; }});
  hold_writer([this] { fail_at(3, Errc::no_space); });  // its RELEASE, its COMMIT, then the BEGIN of the batch
  Tasks tasks;
  tasks.push_back(put("normal", 1));
  tasks.push_back(put("reclaim", 2, {.space = Space::reclaim}));
  tasks.push_back(put("normal too", 3));
  tasks.push_back(go_on());
  const auto results = test::run_tasks(std::move(tasks));
  EXPECT_THAT(codes(results), ElementsAre(Errc::no_space, Errc::no_space));
  EXPECT_EQ(results[1].value(), 2);
  EXPECT_TRUE(has("reclaim"));
  EXPECT_FALSE(has("normal") || has("normal too"));
  EXPECT_EQ(freed, 1);
  EXPECT_TRUE(put_now("afterwards").has_value());
}

TEST_F(MetaStore, AFullDiskKeepsTheReserveUntilSomethingMakesRoom) {
  int freed = 0;
  int noticed = 0;
  open({.on_no_space = [&] { ++noticed; }, .release_reserve = [&] { ++freed; }});
  hold_writer([this] { fail_at(3, Errc::no_space); });  // its RELEASE, its COMMIT, then the BEGIN of the batch
  Tasks tasks;
  tasks.push_back(put("normal", 1));
  tasks.push_back(put("normal too", 2));
  tasks.push_back(go_on());
  EXPECT_THAT(codes(test::run_tasks(std::move(tasks))), ElementsAre(Errc::no_space, Errc::no_space));
  EXPECT_EQ(noticed, 1);
  EXPECT_EQ(freed, 0) << "another program filling the disk would take it";
}

TEST_F(MetaStore, TheEnginesOwnFullDiskInTheMiddleOfABatchIsTheSame) {
  int freed = 0;
  sql::Connection* writer = nullptr;
  open({.release_reserve = [&] {
    ++freed;
    (void)writer->run_script("PRAGMA max_page_count=100000");
  }});
  const auto limited = store_->write_blocking([&](sql::Connection& db) -> Result<void> {
    writer = &db;
    return {};
  });
  ASSERT_TRUE(limited.has_value());
  hold_writer([&] { (void)writer->run_script("PRAGMA max_page_count=1"); });  // the size it has now
  Tasks tasks;
  tasks.push_back(put("before", 1));
  tasks.push_back(store_->write([](sql::Connection& db) -> Result<int> {
    BERTH_TRYV(put_setting(db, "large", std::string(500'000, 'x')));
    return 2;
  }));
  tasks.push_back(put("reclaim", 3, {.space = Space::reclaim}));
  tasks.push_back(go_on());
  const auto results = test::run_tasks(std::move(tasks));
  EXPECT_THAT(codes(results), ElementsAre(Errc::no_space, Errc::no_space));
  EXPECT_TRUE(has("reclaim"));
  EXPECT_FALSE(has("before")) << "answered with an error, so not kept";
  EXPECT_EQ(freed, 1);
}

TEST_F(MetaStore, AFailedCommitFailsEveryWriteOfTheBatchAndKeepsNone) {
  open();
  hold_writer([this] { fail_at(10, Errc::io_failed); });  // RELEASE COMMIT | BEGIN 2x(SAVEPOINT x RELEASE) COMMIT
  Tasks tasks;
  tasks.push_back(put("a", 1));
  tasks.push_back(put("b", 2));
  tasks.push_back(go_on());
  const auto results = test::run_tasks(std::move(tasks));
  EXPECT_THAT(codes(results), ElementsAre(Errc::io_failed, Errc::io_failed));
  EXPECT_FALSE(has("a") || has("b"));
  EXPECT_TRUE(put_now("c").has_value());
}

TEST_F(MetaStore, AfterAFailedSyncWritesAreRefusedAndReadsGoOnUntilARestart) {
  open();
  ASSERT_TRUE(put_now("old").has_value());
  fail_at(5, Errc::sync_failed);  // BEGIN SAVEPOINT put RELEASE COMMIT
  const auto failed = put_now("new");
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().code, Errc::sync_failed);
  const auto refused = put_now("newer", {.space = Space::reclaim});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::unavailable);
  EXPECT_TRUE(store_->peek([](sql::Connection& db) { return get_setting(db, "old"); })->has_value());
  store_.reset();
  open();
  EXPECT_TRUE(put_now("newest").has_value());
}

TEST_F(MetaStore, ASyncThatFailedInsideAStatementIsNoBetterIfItsClosureCarriedOn) {
  open();
  fail_at(3, Errc::sync_failed);  // BEGIN SAVEPOINT put
  const auto failed = store_->write_blocking([](sql::Connection& db) -> Result<void> {
    EXPECT_FALSE(put_setting(db, "lost", "x").has_value());
    return put_setting(db, "kept", "x");
  });
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().code, Errc::sync_failed);
  EXPECT_FALSE(has("kept"));
  EXPECT_TRUE(store_->outcome_unknown());
  EXPECT_EQ(put_now("later").error().code, Errc::unavailable);
}

TEST_F(MetaStore, APeekSeesWhatSomebodyWasToldOf) {
  open();
  const auto count = [&] {
    return store_->peek([](sql::Connection& db) -> Result<std::int64_t> {
      std::int64_t out = -1;
      BERTH_TRYV(db.query("SELECT count(*) FROM meta WHERE key LIKE 'k%'", {},
                          [&](const sql::Row& row) { out = row.int64(0); }));
      return out;
    });
  };
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(count().value(), i);
    ASSERT_TRUE(put_now("k" + std::to_string(i), {.touches = Touches::nothing()}).has_value());
  }
  fail_at(5, Errc::io_failed);  // BEGIN SAVEPOINT put RELEASE COMMIT
  ASSERT_FALSE(put_now("k10").has_value());
  EXPECT_EQ(count().value(), 10);
}

TEST_F(MetaStore, APeekIsOfOneMoment) {
  open();
  ASSERT_TRUE(put_now("k0").has_value());
  const auto seen = store_->peek([&](sql::Connection& db) -> Result<std::optional<std::string>> {
    BERTH_TRYV(get_setting(db, "k0"));
    EXPECT_TRUE(put_now("k1").has_value());
    return get_setting(db, "k1");
  });
  EXPECT_FALSE(seen->has_value());
  EXPECT_TRUE(store_->peek([](sql::Connection& db) { return get_setting(db, "k1"); })->has_value());
}

// SQLite begins its log anew once all of it is in the database, when nobody looks at it.
TEST_F(MetaStore, WhatReadersLookAtDoesNotKeepTheLogGrowing) {
  constexpr int kWrites = 400;
  constexpr std::size_t kBytes = 200'000;
  const auto look = [this] { EXPECT_TRUE(store_->peek([](sql::Connection& db) { return get_setting(db, "k"); })); };
  for (const std::string_view when : {"between writes", "while the log is brought into the database"}) {
    const bool is_between = when == "between writes";
    watch_->on_maintain = [&] {
      if (!is_between) look();
    };
    open();
    for (int i = 0; i < kWrites; ++i) {
      const std::string value(kBytes, static_cast<char>('a' + i % 26));  // pages that stay the same are not written
      const auto put = [&](sql::Connection& db) { return put_setting(db, "k", value); };
      ASSERT_TRUE(store_->write_blocking(put, {.ack = Ack::process}).has_value());
      if (is_between) look();
    }
    EXPECT_LT(std::filesystem::file_size(path() + "-wal"), kWrites * kBytes * 2 / 3) << when;
    store_.reset();
    std::filesystem::remove(path());
  }
}

class MetaStoreOnABadDisk : public MetaStore {
 protected:
  void TearDown() override { store_.reset(); }  // closes through the disk

  /// More than the cache holds, and enough for the log to be brought into the database.
  static Result<void> put_long(sql::Connection& db) {
    std::string value;
    value.resize(34'000'000, 'x');
    return put_setting(db, "long", value);
  }
  /// What the writer does after it has answered is done.
  void settle() {
    (void)store_->write_blocking([](sql::Connection&) -> Result<void> { return {}; }, {.ack = Ack::process});
  }

  test::FaultySqliteDisk disk_;
};

TEST_F(MetaStoreOnABadDisk, ASyncThatFailsBetweenTransactionsEndsTheWritesAsWell) {
  for (auto* file : {&disk_.log, &disk_.database}) {
    open();
    file->sync_errno = EIO;
    EXPECT_TRUE(store_->write_blocking(put_long, {.ack = Ack::process}).has_value()) << "promises no more than a kill";
    settle();
    disk_.repair();
    const auto refused = put_now("later");
    ASSERT_FALSE(refused.has_value()) << "this commit would stand on log pages that may be gone";
    EXPECT_EQ(refused.error().code, Errc::unavailable);
    EXPECT_FALSE(has("later"));
    store_.reset();
    open();
    EXPECT_TRUE(put_now("after a restart").has_value());
    store_.reset();
    std::filesystem::remove(path());
  }
}

TEST_F(MetaStoreOnABadDisk, AfterAFailedSyncAStopDoesNotTouchTheDatabaseFile) {
  open();
  ASSERT_TRUE(put_now("a").has_value());
  disk_.log.sync_errno = EIO;
  EXPECT_EQ(put_now("b").error().code, Errc::sync_failed);
  disk_.repair();
  const auto writes = disk_.database.writes.load();
  const auto log_bytes = std::filesystem::file_size(path() + "-wal");
  store_->stop();
  EXPECT_EQ(disk_.database.writes, writes);
  EXPECT_EQ(std::filesystem::file_size(path() + "-wal"), log_bytes);
}

TEST_F(MetaStoreOnABadDisk, ADatabaseFileThatCannotGrowIsNoticedAndCostsNeitherTheReserveNorAWrite) {
  int freed = 0;
  int noticed = 0;
  open({.on_no_space = [&] { ++noticed; }, .release_reserve = [&] { ++freed; }});
  disk_.database.write_errno = ENOSPC;
  ASSERT_TRUE(store_->write_blocking(put_long).has_value());
  EXPECT_TRUE(put_now("next").has_value()) << "the log has room";
  store_->stop();
  EXPECT_GE(noticed, 1);
  EXPECT_EQ(freed, 0);
  disk_.repair();
  store_.reset();
  open();
  EXPECT_TRUE(has("long") && has("next"));
}

TEST_F(MetaStoreOnABadDisk, ABatchThatTheEngineUndidByItselfIsAnsweredAsUndone) {
  open();
  for (const auto& [error, expected] : {std::pair(EIO, Errc::io_failed), std::pair(ENOSPC, Errc::no_space)}) {
    hold_writer();
    Tasks tasks;
    tasks.push_back(put("before", 1));
    tasks.push_back(store_->write([this, code = error](sql::Connection& db) -> Result<int> {
      disk_.log.write_errno = code;
      BERTH_TRYV(put_long(db));
      return 2;
    }));
    tasks.push_back(put("after", 3));
    tasks.push_back(go_on());
    const auto results = test::run_tasks(std::move(tasks));
    disk_.repair();
    EXPECT_THAT(codes(results), ElementsAre(expected, expected, expected));
    EXPECT_FALSE(has("before") || has("long") || has("after"));
    EXPECT_TRUE(put_now("next").has_value());
  }
}

TEST_F(MetaStoreOnABadDisk, AFullDiskAtTheStartFreesTheReserveAndIsTriedAgain) {
  disk_.log.write_errno = ENOSPC;  // met by the migrations
  int freed = 0;
  open({.release_reserve = [&] {
    ++freed;
    disk_.repair();
  }});
  EXPECT_EQ(freed, 1);
  EXPECT_TRUE(put_now("a").has_value());
}

TEST_F(MetaStoreOnABadDisk, ADiskThatStaysFullAtTheStartIsCalledByItsName) {
  disk_.log.write_errno = ENOSPC;
  int freed = 0;
  const auto opened = Store::open({.path = path()}, {.release_reserve = [&] { ++freed; }}, clock_, log_);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, Errc::no_space);
  EXPECT_THAT(opened.error().message, ::testing::HasSubstr("free some space"));
  EXPECT_EQ(freed, 1);
}

TEST_F(MetaStore, AFullQueueRefusesInsteadOfGrowing) {
  open({}, {.queue_max = 3});
  hold_writer();
  Tasks tasks;
  for (int i = 0; i < 5; ++i) tasks.push_back(put("k" + std::to_string(i), i));
  tasks.push_back(go_on());
  EXPECT_EQ(store_->queue_depth(), 0U);
  const auto results = test::run_tasks(std::move(tasks));
  EXPECT_THAT(codes(results), ElementsAre(Errc::unavailable, Errc::unavailable));
  EXPECT_TRUE(results[2].has_value());
  EXPECT_FALSE(has("k3"));
}

TEST_F(MetaStore, StopRunsWhatIsQueuedThenRefuses) {
  open();
  hold_writer();
  for (int i = 0; i < 100; ++i) {
    store_->write_later([i](sql::Connection& db) { return put_setting(db, "k" + std::to_string(i), ""); });
  }
  EXPECT_EQ(store_->queue_depth(), 100U);
  held_->count_down();
  store_->stop();
  EXPECT_EQ(probe_.number("SELECT count(*) FROM meta WHERE key LIKE 'k%'"), 100);
  EXPECT_THAT(codes(test::run_tasks([&] {
                Tasks tasks;
                tasks.push_back(put("late", 1));
                return tasks;
              }())),
              ElementsAre(Errc::unavailable));
  EXPECT_EQ(put_now("late").error().code, Errc::unavailable);
  store_->stop();  // idempotent
}

TEST_F(MetaStore, ReadersSeeWholeBatchesOnly) {
  open();
  Tasks tasks;
  for (int i = 0; i < 200; ++i) {
    const std::string key = "pair" + std::to_string(i);
    tasks.push_back(store_->write([key](sql::Connection& db) -> Result<int> {
      BERTH_TRYV(put_setting(db, key + "a", ""));
      BERTH_TRYV(put_setting(db, key + "b", ""));
      return 0;
    }));
    tasks.push_back(store_->read([](sql::Connection& db) -> Result<int> {
      std::int64_t n = 0;
      BERTH_TRYV(db.query("SELECT count(*) FROM meta WHERE key LIKE 'pair%'", {},
                          [&](const sql::Row& row) { n = row.int64(0); }));
      return static_cast<int>(n % 2);
    }));
  }
  const auto results = test::run_tasks(std::move(tasks));
  for (std::size_t i = 0; i < results.size(); ++i) ASSERT_EQ(results[i].value(), 0) << i;
}

TEST_F(MetaStore, AWriteIsSeenByTheNextRead) {
  open();
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(put_now("k" + std::to_string(i)).has_value());
    const auto found = store_->peek([&](sql::Connection& db) { return get_setting(db, "k" + std::to_string(i)); });
    ASSERT_TRUE(found.value().has_value()) << i;
  }
}

TEST_F(MetaStore, ReadsUseTheConnectionsOpenedAtTheStartAndOpenMoreOnlyBeyondThem) {
  int opened = 0;
  Store::Hooks hooks;
  hooks.wrap = [&](std::unique_ptr<sql::Connection> inner) {
    ++opened;
    return inner;
  };
  auto store = Store::open({.path = path(), .readers_ready = 2}, std::move(hooks), clock_, log_).value();
  ASSERT_EQ(opened, 3) << "the writer's and two";
  const auto nested = [&](auto self, int depth) -> Result<int> {  // each read holds its connection while the next runs
    return store->peek([&](sql::Connection&) -> Result<int> { return depth > 1 ? self(self, depth - 1) : opened; });
  };
  EXPECT_EQ(nested(nested, 2).value(), 3);
  EXPECT_EQ(nested(nested, 3).value(), 4);
}

TEST_F(MetaStore, WhatWasCommittedIsThereAfterReopening) {
  open();
  ASSERT_TRUE(put_now("a").has_value());
  store_.reset();
  open();
  EXPECT_TRUE(store_->peek([](sql::Connection& db) { return get_setting(db, "a"); })->has_value());
}

TEST_F(MetaStore, ADamagedFileIsRefusedAsCorrupt) {
  std::ofstream(path()) << std::string(8192, 'x');
  const auto opened = Store::open({.path = path()}, {}, clock_, log_);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, Errc::corrupt);
}

}  // namespace
}  // namespace berth::meta
