// Sessions across restarts, expiry, full disks and failing ones.
#include "registry/uploads.h"
#include "support/registry_world.h"

#include <gmock/gmock.h>

namespace berth::registry {
namespace {

using test::code_of;
using test::MemorySource;
using ::testing::IsEmpty;

class UploadRecovery : public ::testing::Test {
 protected:
  UploadRecovery() { world_.start(); }
  static oci::Digest digest(std::string_view text) { return test::RegistryWorld::digest(text); }
  Result<UploadState> status(const std::string& id) {
    return test::run_task(world_.uploads->status({test::RegistryWorld::repo("app"), id}));
  }
  bool is_stored(std::string_view text) { return world_.pull_blob("app", digest(text)).value_or("-") == text; }
  std::string begin(const std::string& text) {
    const std::string id = world_.start_upload("app").value();
    EXPECT_TRUE(world_.append("app", id, text).has_value());
    return id;
  }
  /// Another request comes and goes while the next one reads the session's file.
  void finish_during_the_next_open(const std::string& id, const std::string& text) {
    world_.fs.on_operation([this, id, text](const test::FaultFs::Operation& operation) {
      if (operation.call != "open") return;
      world_.fs.on_operation({});
      EXPECT_TRUE(world_.finish("app", id, digest(text)).has_value());
    });
  }
  void expire() { ASSERT_TRUE(world_.uploads->expire(100).has_value()); }

  test::RegistryWorld world_;
};

TEST_F(UploadRecovery, AConfirmedChunkSurvivesARestart) {  // U7, U11
  const std::string id = begin("0123");
  world_.restart();
  EXPECT_EQ(status(id)->offset_bytes, 4U);
  ASSERT_TRUE(world_.append("app", id, "4567").has_value());
  world_.restart();
  ASSERT_TRUE(world_.finish("app", id, digest("0123456789"), "89").has_value());
  EXPECT_TRUE(is_stored("0123456789"));
}

TEST_F(UploadRecovery, AWideHashGoesOnAfterARestart) {  // U13
  const auto wide = oci::digest_of(oci::Algorithm::sha512, "01234567");
  const std::string id =
      test::run_task(world_.uploads->start(test::RegistryWorld::repo("app"), oci::Algorithm::sha512)).value().id;
  ASSERT_TRUE(world_.append("app", id, "0123").has_value());
  world_.restart();
  ASSERT_TRUE(world_.finish("app", id, wide, "4567").has_value());
  EXPECT_EQ(world_.pull_blob("app", wide).value(), "01234567");
}

TEST_F(UploadRecovery, BytesBeyondTheSavedStateAreHashedAgain) {
  const std::string id = begin("0123");
  // More bytes reach the file, but the process dies before their row is saved.
  const auto file = *world_.fs.open(world_.fs.files().front(), io::FileSystem::Mode::read_write);
  ASSERT_TRUE(file->write_at(4, std::as_bytes(std::span(std::string_view("45")))).has_value());
  world_.restart();
  EXPECT_EQ(status(id)->offset_bytes, 6U);
  EXPECT_TRUE(world_.finish("app", id, digest("01234567"), "67").has_value());
}

TEST_F(UploadRecovery, ASessionWithoutBytesMayBeResumedToo) {
  const std::string id = world_.start_upload("app").value();
  world_.restart();
  EXPECT_EQ(status(id)->offset_bytes, 0U);
  EXPECT_TRUE(world_.finish("app", id, digest("0123"), "0123").has_value());
}

TEST_F(UploadRecovery, ASessionWhoseFileLostBytesIsNotResumed) {
  const std::string id = world_.start_upload("app").value();
  world_.clock.advance_ms(60'000);  // its row is written again from time to time only
  ASSERT_TRUE(world_.append("app", id, "0123").has_value());
  world_.stop();
  world_.fs.shorten(world_.fs.files().front(), 2);
  world_.start();
  EXPECT_FALSE(status(id).has_value());
  EXPECT_FALSE(world_.finish("app", id, digest("0123")).has_value());
  EXPECT_FALSE(is_stored("0123"));
}

TEST_F(UploadRecovery, TwoRequestsThatResumeAtOnceShareOneSession) {
  const std::string id = begin("0123");
  world_.restart();
  MemorySource first("45");
  MemorySource second("67");
  const UploadKey key{test::RegistryWorld::repo("app"), id};
  std::vector<io::Task<Result<UploadState>>> tasks;
  tasks.push_back(world_.uploads->append(key, {}, first));
  tasks.push_back(world_.uploads->append(key, {}, second));
  const auto results = test::run_tasks(std::move(tasks));
  EXPECT_TRUE(results[0].has_value() && results[1].has_value());
  EXPECT_EQ(status(id)->offset_bytes, 8U);
  EXPECT_EQ(world_.uploads->open_sessions(), 1U);
  const std::string whole = world_.fs.content(world_.fs.files().front()).value();
  EXPECT_TRUE(whole == "01234567" || whole == "01236745") << whole;
  EXPECT_TRUE(world_.finish("app", id, digest(whole)).has_value());
}

TEST_F(UploadRecovery, ASessionFinishedWhileAnotherRequestResumesItIsFinished) {  // U10
  const std::string id = begin("0123");
  world_.disk_threads = 2;
  world_.restart();
  finish_during_the_next_open(id, "0123");  // the client's first attempt; it repeats its closing request
  const auto repeated = world_.finish("app", id, digest("0123"));
  EXPECT_TRUE(repeated.has_value()) << to_string(repeated.error().code) << " " << repeated.error().cause;
  EXPECT_TRUE(is_stored("0123"));
  EXPECT_EQ(world_.uploads->open_sessions(), 0U);
}

TEST_F(UploadRecovery, IdleSessionsExpireWithTheirBytes) {  // U12
  const std::string idle = begin("0123");
  world_.clock.advance_ms(world_.limits.session_idle_ms - 10);
  const std::string busy = begin("4567");
  world_.clock.advance_ms(20);
  EXPECT_EQ(world_.uploads->expire(100).value(), 1U);
  EXPECT_EQ(code_of(status(idle)), Errc::upload_unknown);
  EXPECT_EQ(status(busy)->offset_bytes, 4U);
  EXPECT_EQ(world_.fs.files().size(), 1U);
  EXPECT_EQ(world_.probe().number("SELECT count(*) FROM upload"), 1);
}

TEST_F(UploadRecovery, EachChunkRenewsTheSession) {  // U12
  const std::string id = begin("0123");
  for (int i = 0; i < 3; ++i) {
    world_.clock.advance_ms(world_.limits.session_idle_ms - 10);
    expire();
    ASSERT_TRUE(world_.append("app", id, "x").has_value()) << i;
  }
}

TEST_F(UploadRecovery, SessionsOfAnEarlierProcessExpireToo) {  // U12
  begin("0123");
  world_.restart();
  world_.clock.advance_ms(world_.limits.session_idle_ms + 10);
  EXPECT_EQ(world_.uploads->expire(100).value(), 1U);
  EXPECT_THAT(world_.fs.files(), IsEmpty());
  EXPECT_EQ(world_.probe().number("SELECT count(*) FROM upload"), 0);
}

TEST_F(UploadRecovery, ABodyWithoutALengthStopsWhereTheDiskIsNearlyFull) {
  const std::string id = world_.start_upload("app").value();
  world_.space.set_room(200'000);
  const auto stopped = world_.append("app", id, std::string(5'000'000, 'x'), {.piece_bytes = 50'000});
  EXPECT_EQ(code_of(stopped), Errc::no_space);
  EXPECT_LE(world_.fs.content(world_.fs.files().front()).value().size(), 200'000U);
  world_.space.set_room(INT64_MAX);
  const std::uint64_t kept = status(id)->offset_bytes;
  const std::string whole(5'000'000, 'x');
  EXPECT_TRUE(world_.finish("app", id, digest(whole), whole.substr(kept)).has_value())
      << "it goes on when there is room";
}

TEST_F(UploadRecovery, ABodyThatEndsAsTheDiskBecomesNearlyFullIsWhole) {
  const std::string id = world_.start_upload("app").value();
  const std::string text(64 * 1024, 'x');  // a whole buffer: the end is met by a read of its own
  const auto fill_up = [&](std::size_t at) {
    if (at == text.size()) world_.space.set(SpaceLevel::hard);
  };
  const auto done = world_.append("app", id, text, {.on_read = fill_up});
  ASSERT_TRUE(done.has_value());
  EXPECT_EQ(done->offset_bytes, text.size());
}

TEST_F(UploadRecovery, OnANearlyFullDiskIdleSessionsDoNotKeepEverybodyElseOut) {
  const std::string idle = begin("0123");
  world_.clock.advance_ms(world_.limits.session_idle_pressed_ms - 10);
  const std::string retried = begin("4567");
  const std::string finished = begin("89");
  ASSERT_TRUE(world_.finish("app", finished, digest("89")).has_value());
  world_.clock.advance_ms(20);
  expire();
  EXPECT_TRUE(status(idle).has_value()) << "there is room";
  world_.space.set(SpaceLevel::hard);
  expire();
  EXPECT_EQ(code_of(status(idle)), Errc::upload_unknown);
  EXPECT_EQ(status(retried)->offset_bytes, 4U);
  EXPECT_TRUE(world_.finish("app", finished, digest("89")).has_value()) << "a tombstone holds no space (U10)";

  world_.restart();  // those of an earlier process, too
  world_.clock.advance_ms(world_.limits.session_idle_pressed_ms);
  expire();
  EXPECT_EQ(code_of(status(retried)), Errc::upload_unknown);
  EXPECT_EQ(world_.fs.files().size(), 1U) << "the finished one";
}

TEST_F(UploadRecovery, WithoutAFreeDescriptorAResumedSessionKeepsItsBytes) {
  const std::string id = begin("0123");
  world_.restart();
  ASSERT_EQ(status(id)->offset_bytes, 4U);
  world_.fs.fail_from(1, Errc::unavailable);  // as EMFILE comes out of the file system
  EXPECT_EQ(code_of(world_.append("app", id, "45")), Errc::unavailable);
  EXPECT_EQ(code_of(world_.finish("app", id, digest("0123"))), Errc::unavailable);
  world_.fs.heal();
  EXPECT_TRUE(world_.finish("app", id, digest("012345"), "45").has_value());
}

TEST_F(UploadRecovery, ASessionFinishedWhileAnotherRequestResumesItIsNoGhost) {  // U11
  const std::string id = begin("0123");
  world_.disk_threads = 2;
  world_.restart();
  finish_during_the_next_open(id, "0123");  // both rebuild the session, and this one is faster
  EXPECT_EQ(code_of(world_.append("app", id, "4567")), Errc::upload_unknown);
  EXPECT_EQ(world_.uploads->open_sessions(), 0U);
  EXPECT_EQ(world_.fs.files().size(), 1U) << "and no new staged file";
  EXPECT_TRUE(is_stored("0123"));
}

TEST_F(UploadRecovery, ManyRefusedRepositoriesLeaveNothingBehind) {
  world_.limits.sessions_max = 1;
  const std::string id = world_.start_upload("app").value();
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(code_of(world_.start_upload("other" + std::to_string(i))), Errc::too_many_requests);
  }
  ASSERT_TRUE(test::run_task(world_.uploads->cancel({test::RegistryWorld::repo("app"), id})).has_value());
  EXPECT_TRUE(world_.start_upload("other1").has_value());
}

TEST_F(UploadRecovery, ASessionResumedWhileItsBytesAreRemovedIsNeverAcknowledged) {  // U12
  // On a nearly full disk sessions go before their time: a client may come back at any moment of that.
  for (const std::string_view moment : {"open", "unlink"}) {
    const std::string id = begin("0123");
    world_.disk_threads = 2;
    world_.restart();
    world_.space.set(SpaceLevel::hard);
    world_.clock.advance_ms(world_.limits.session_idle_pressed_ms + 10);
    bool acknowledged = false;
    world_.fs.on_operation([&](const test::FaultFs::Operation& operation) {
      if (operation.call != moment) return;
      world_.fs.on_operation({});
      if (moment == "open") {
        expire();  // while the closing request reads the session's file
      } else {
        acknowledged = world_.finish("app", id, digest("0123")).has_value();  // while housekeeping removes it
      }
    });
    if (moment == "open") {
      acknowledged = world_.finish("app", id, digest("0123")).has_value();
    } else {
      expire();
    }
    world_.space.set(SpaceLevel::fine);
    if (acknowledged) EXPECT_TRUE(is_stored("0123")) << moment;
    if (!acknowledged) EXPECT_EQ(code_of(world_.finish("app", id, digest("0123"))), Errc::upload_unknown) << moment;
    expire();
    EXPECT_EQ(world_.fs.files().size(), acknowledged ? 1U : 0U) << moment;
  }
}

TEST_F(UploadRecovery, ASessionThatEndsIsFoundClosedUntilItsBytesAreGone) {  // U8
  const std::string id = begin("0123");
  world_.disk_threads = 2;
  bool tried = false;
  world_.fs.on_operation([&](const test::FaultFs::Operation& operation) {
    if (operation.call != "unlink") return;
    world_.fs.on_operation({});
    tried = true;
    EXPECT_EQ(code_of(status(id)), Errc::upload_unknown);
  });
  EXPECT_EQ(code_of(world_.finish("app", id, digest("something else"))), Errc::digest_mismatch);
  EXPECT_TRUE(tried);
  EXPECT_EQ(world_.uploads->open_sessions(), 0U);
  EXPECT_THAT(world_.fs.files(), IsEmpty());
}

TEST_F(UploadRecovery, BytesThatCannotBeRemovedWithTheirSessionAreRemovedLater) {
  const std::string id = begin("0123");
  world_.fs.on_operation([&](const test::FaultFs::Operation& operation) {
    if (operation.call != "unlink") return;
    world_.fs.on_operation({});
    world_.fs.fail_at(1, Errc::io_failed);
  });
  ASSERT_TRUE(test::run_task(world_.uploads->cancel({test::RegistryWorld::repo("app"), id})).has_value());
  EXPECT_EQ(world_.fs.files().size(), 1U);
  expire();
  EXPECT_THAT(world_.fs.files(), IsEmpty());
  EXPECT_EQ(world_.probe().number("SELECT count(*) FROM upload"), 0);
}

TEST_F(UploadRecovery, TombstonesExpireAndTheirBlobsStay) {  // U10
  const std::string id = begin("0123");
  ASSERT_TRUE(world_.finish("app", id, digest("0123")).has_value());
  ASSERT_TRUE(world_.store->write_blocking([&](sql::Connection& db) { return meta::mark_placed(db, id); }).has_value());
  world_.clock.advance_ms(world_.limits.session_idle_ms);
  EXPECT_EQ(world_.uploads->expire(100).value(), 1U);
  EXPECT_TRUE(is_stored("0123"));
}

TEST_F(UploadRecovery, AFileThatCannotBeRemovedIsTriedAgain) {
  begin("0123");
  world_.clock.advance_ms(world_.limits.session_idle_ms + 10);
  begin("another");
  world_.clock.advance_ms(world_.limits.session_idle_ms + 10);
  world_.fs.fail_at(1, Errc::io_failed);
  EXPECT_EQ(world_.uploads->expire(100).value(), 1U) << "the other one is not kept up";
  EXPECT_EQ(world_.fs.files().size(), 1U);
  EXPECT_EQ(world_.uploads->expire(100).value(), 1U);
  EXPECT_THAT(world_.fs.files(), IsEmpty());
}

TEST_F(UploadRecovery, ASessionResumedWhileItExpiresNeverYieldsWrongBytes) {  // U12
  const std::string id = begin("0123");
  world_.restart();
  world_.clock.advance_ms(world_.limits.session_idle_ms + 10);
  // The client comes back after housekeeping has decided and before it unlinks.
  world_.fs.on_operation([&](const test::FaultFs::Operation& operation) {
    if (operation.call != "unlink") return;
    world_.fs.on_operation({});
    (void)status(id);
  });
  expire();
  (void)world_.append("app", id, "4567");
  const auto done = world_.finish("app", id, digest("01234567"));
  if (done) EXPECT_EQ(world_.pull_blob("app", digest("01234567")).value_or("-"), "01234567") << "acknowledged";
}

TEST_F(UploadRecovery, AnExpiredSessionOfAnEarlierProcessIsUnknownBeforeItIsRemoved) {  // U12
  const std::string id = begin("0123");
  world_.restart();
  world_.clock.advance_ms(world_.limits.session_idle_ms + 10);
  EXPECT_EQ(code_of(status(id)), Errc::upload_unknown);
}

TEST_F(UploadRecovery, AFullDiskLeavesTheSessionAtItsLastGoodByte) {  // U11
  const std::string id = begin("0123");
  world_.fs.set_capacity_bytes(6);
  EXPECT_EQ(code_of(world_.append("app", id, "456789")), Errc::no_space);
  EXPECT_EQ(status(id)->offset_bytes, 4U);
  EXPECT_EQ(world_.fs.content(world_.fs.files().front()), "0123") << "cut back";
  world_.fs.set_capacity_bytes(UINT64_MAX);
  EXPECT_TRUE(world_.finish("app", id, digest("0123456789"), "456789").has_value());
  EXPECT_TRUE(is_stored("0123456789"));
}

TEST_F(UploadRecovery, AWriteThatFailsWhileOthersAreUnderWayLeavesALongSessionAtItsLastGoodByte) {  // U11
  std::string text(6'000'000, '\0');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 31 >> 7);
  for (const std::uint64_t capacity : {70'000U, 1'200'000U, 2'500'000U, 4'500'000U}) {
    const std::string id = world_.start_upload("app").value();
    world_.fs.set_capacity_bytes(world_.fs.used_bytes() + capacity);
    EXPECT_EQ(code_of(world_.append("app", id, text)), Errc::no_space);
    world_.fs.set_capacity_bytes(UINT64_MAX);
    const std::uint64_t kept = status(id)->offset_bytes;
    EXPECT_LE(kept, capacity);
    EXPECT_GT(kept + 1'100'000, capacity) << "a buffer less, not all of it";
    EXPECT_TRUE(world_.finish("app", id, digest(text), text.substr(kept)).has_value()) << capacity;
    EXPECT_TRUE(is_stored(text));
    text += 'x';
  }
}

TEST_F(UploadRecovery, ADeclaredLengthThatDoesNotFitIsRefusedBeforeItIsRead) {
  world_.fs.set_capacity_bytes(3'000'000);
  const std::string id = world_.start_upload("app").value();
  MemorySource body(std::string(5'000'000, 'x'));
  const auto refused = test::run_task(
      world_.uploads->append({test::RegistryWorld::repo("app"), id}, {.declared_length = 5'000'000}, body));
  EXPECT_EQ(code_of(refused), Errc::no_space);
  EXPECT_EQ(body.position(), 0U);
}

TEST_F(UploadRecovery, AFailedSyncDiscardsTheUpload) {
  const std::string id = begin("0123");
  world_.fs.on_operation([this](const test::FaultFs::Operation& operation) {
    if (operation.call == "sync") {
      world_.fs.on_operation({});
      world_.fs.fail_at(1, Errc::io_failed);
    }
  });
  EXPECT_EQ(code_of(world_.finish("app", id, digest("0123"))), Errc::io_failed);
  world_.fs.heal();
  EXPECT_EQ(code_of(world_.finish("app", id, digest("0123"))), Errc::upload_unknown)
      << "a second sync would lie: the bytes have to be sent again";
  EXPECT_THAT(world_.fs.files(), IsEmpty());
}

TEST_F(UploadRecovery, WhateverOperationFailsThePushIsWholeOrNotAtAll) {
  for (std::uint64_t n = 1;; ++n) {
    const std::string text = "blob number " + std::to_string(n);
    world_.fs.fail_at(n, Errc::io_failed);
    const auto done = world_.push_blob("app", text);
    const bool struck = world_.fs.struck();
    world_.fs.heal();
    EXPECT_EQ(is_stored(text), done.has_value()) << "operation " << n;
    if (!done) {
      EXPECT_EQ(done.error().code, Errc::io_failed) << "operation " << n;
      EXPECT_TRUE(world_.push_blob("app", text).has_value()) << "again, after operation " << n;
      EXPECT_TRUE(is_stored(text));
    }
    if (!struck) {
      EXPECT_TRUE(done.has_value());
      EXPECT_GT(n, 6U);
      return;
    }
  }
}

TEST_F(UploadRecovery, WhateverOperationFailsAChunkedPushCanBeFinishedOrStartedOver) {
  for (std::uint64_t n = 1;; ++n) {
    const std::string half = "number " + std::to_string(n);
    const std::string text = half + half;
    const std::string id = world_.start_upload("app").value();
    world_.fs.fail_at(n, Errc::no_space);
    if (!world_.append("app", id, half).has_value()) (void)world_.append("app", id, half);
    bool done = world_.finish("app", id, digest(text), half).has_value();
    const bool struck = world_.fs.struck();
    world_.fs.heal();
    if (!done) {
      const auto where = status(id);
      const std::uint64_t offset = where ? where->offset_bytes : 0;
      EXPECT_TRUE(!where || offset == half.size() || offset == text.size()) << n << ": " << offset;
      done = where ? world_.finish("app", id, digest(text), text.substr(offset)).has_value()
                   : world_.push_blob("app", text).has_value();
    }
    EXPECT_TRUE(done) << "operation " << n;
    EXPECT_TRUE(is_stored(text)) << "operation " << n;
    if (!struck) return;
  }
}

}  // namespace
}  // namespace berth::registry
