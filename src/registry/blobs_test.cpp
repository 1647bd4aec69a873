#include "registry/blobs.h"

#include "blob/blob_paths.h"
#include "meta/gc_queue.h"
#include "support/registry_world.h"

#include <gmock/gmock.h>

namespace berth::registry {
namespace {

using test::code_of;

class Blobs : public ::testing::Test {
 protected:
  Blobs() { world_.start(); }
  static oci::RepoName repo(std::string_view name) { return test::RegistryWorld::repo(name); }
  static oci::Digest digest(std::string_view text) { return test::RegistryWorld::digest(text); }
  Result<std::uint64_t> head(std::string_view name, std::string_view text) {
    return test::run_task(world_.blobs->head(repo(name), digest(text)));
  }
  std::string only_file() const { return world_.fs.files().front(); }
  std::uint64_t inc_of(std::string_view text) const {
    return static_cast<std::uint64_t>(
        world_.probe().number("SELECT inc FROM blob WHERE size = " + std::to_string(text.size())));
  }
  std::int64_t due() const { return world_.probe().number("SELECT max(due) FROM gc_queue"); }

  test::RegistryWorld world_;
};

TEST_F(Blobs, ADigestExistsWhereItIsLinked) {  // S4
  ASSERT_TRUE(world_.push_blob("app", "layer").has_value());
  EXPECT_EQ(head("app", "layer").value(), 5U);
  EXPECT_EQ(code_of(head("app", "other")), Errc::blob_unknown);
  EXPECT_EQ(code_of(head("other", "layer")), Errc::name_unknown);
  ASSERT_TRUE(world_.push_blob("other", "x").has_value());
  EXPECT_EQ(code_of(head("other", "layer")), Errc::blob_unknown);
}

TEST_F(Blobs, APositiveAnswerIsALease) {  // E3, S27
  ASSERT_TRUE(world_.push_blob("app", "layer").has_value());
  const std::int64_t first_due = due();
  ASSERT_TRUE(head("app", "layer").has_value());
  EXPECT_EQ(due(), first_due) << "far from due: no write";
  world_.clock.advance_ms(meta::kLinkGraceMs - meta::kLeaseMs / 2);
  ASSERT_TRUE(head("app", "layer").has_value());
  EXPECT_GE(due(), world_.clock.now_ms() + meta::kLeaseMs) << "extended before the answer";
}

TEST_F(Blobs, ADeletedOneIsGoneHereAtOnceAndStaysElsewhere) {  // D3
  ASSERT_TRUE(world_.push_blob("app", "layer").has_value());
  ASSERT_TRUE(world_.push_blob("lib", "layer").has_value());
  ASSERT_EQ(world_.pull_blob("app", digest("layer")).value(), "layer");  // kept open by the store
  ASSERT_TRUE(test::run_task(world_.blobs->remove(repo("app"), digest("layer"))).has_value());
  EXPECT_EQ(code_of(world_.pull_blob("app", digest("layer"))), Errc::blob_unknown);
  EXPECT_EQ(code_of(test::run_task(world_.blobs->remove(repo("app"), digest("layer")))), Errc::blob_unknown);
  EXPECT_EQ(code_of(test::run_task(world_.blobs->remove(repo("none"), digest("layer")))), Errc::name_unknown);
  EXPECT_EQ(world_.pull_blob("lib", digest("layer")).value(), "layer");
  world_.restart();
  EXPECT_EQ(code_of(head("app", "layer")), Errc::blob_unknown);
}

TEST_F(Blobs, ADownloadGoesOnThoughTheBlobIsDeleted) {
  ASSERT_TRUE(world_.push_blob("app", "slow").has_value());
  const auto view = test::run_task(world_.blobs->open(repo("app"), digest("slow"))).value();
  ASSERT_TRUE(test::run_task(world_.blobs->remove(repo("app"), digest("slow"))).has_value());
  std::string out(4, '\0');
  ASSERT_TRUE(test::run_task(view.source->read_at(0, std::as_writable_bytes(std::span(out)))).has_value());
  EXPECT_EQ(out, "slow");
}

TEST_F(Blobs, BytesOfTheWrongLengthAreNeverServedAndRepairedByAPush) {  // S7
  ASSERT_TRUE(world_.push_blob("app", "0123456789").has_value());
  ASSERT_TRUE(world_.push_blob("lib", "0123456789").has_value());
  world_.fs.shorten(only_file(), 4);
  EXPECT_EQ(code_of(world_.pull_blob("app", digest("0123456789"))), Errc::corrupt);
  EXPECT_THAT(only_file(), ::testing::StartsWith(blob::kQuarantineDir)) << "set aside, not deleted";
  EXPECT_EQ(code_of(world_.pull_blob("app", digest("0123456789"))), Errc::blob_unknown);
  EXPECT_EQ(code_of(head("lib", "0123456789")), Errc::blob_unknown);
  ASSERT_TRUE(world_.push_blob("lib", "0123456789").has_value());
  EXPECT_EQ(world_.pull_blob("app", digest("0123456789")).value(), "0123456789");
}

TEST_F(Blobs, BytesThatVanishedAreTheSame) {
  ASSERT_TRUE(world_.push_blob("app", "layer").has_value());
  ASSERT_TRUE(world_.fs.unlink(only_file()).has_value());
  EXPECT_EQ(code_of(world_.pull_blob("app", digest("layer"))), Errc::corrupt);
  EXPECT_EQ(code_of(world_.pull_blob("app", digest("layer"))), Errc::blob_unknown);
  ASSERT_TRUE(world_.push_blob("app", "layer").has_value());
  EXPECT_EQ(world_.pull_blob("app", digest("layer")).value(), "layer");
}

TEST_F(Blobs, APushIsAcknowledgedOnlyOntoBytesThatAreThere) {  // S7
  for (const bool vanished : {false, true}) {
    const std::string text = vanished ? "vanished" : "shortened";
    ASSERT_TRUE(world_.push_blob("app", text).has_value());
    const std::string file = blob::final_path({digest(text), inc_of(text)});
    if (vanished) {
      ASSERT_TRUE(world_.fs.unlink(file).has_value());
    } else {
      world_.fs.shorten(file, 4);
    }
    // Nobody has read it since: the push is the first to notice.
    ASSERT_TRUE(world_.push_blob("lib", text).has_value()) << text;
    EXPECT_EQ(world_.pull_blob("lib", digest(text)).value_or("-"), text);
    EXPECT_EQ(world_.pull_blob("app", digest(text)).value_or("-"), text);
  }
}

TEST_F(Blobs, APushWhileDamagedBytesAreSetAsideKeepsItsOwn) {  // S7
  ASSERT_TRUE(world_.push_blob("app", "0123456789").has_value());
  world_.disk_threads = 2;
  world_.restart();
  world_.fs.shorten(only_file(), 4);
  world_.fs.on_operation([&](const test::FaultFs::Operation& operation) {
    if (operation.call != "rename" || operation.path.starts_with("uploads")) return;
    world_.fs.on_operation({});
    EXPECT_TRUE(world_.push_blob("lib", "0123456789").has_value());
  });
  EXPECT_EQ(code_of(world_.pull_blob("app", digest("0123456789"))), Errc::corrupt);
  EXPECT_EQ(world_.pull_blob("lib", digest("0123456789")).value_or("-"), "0123456789");
}

TEST_F(Blobs, ReadsGoOnWhereNothingCanBeWritten) {  // E3
  ASSERT_TRUE(world_.push_blob("app", "layer").has_value());
  world_.clock.advance_ms(meta::kLinkGraceMs);
  world_.store->stop();  // every write is refused from now on
  EXPECT_EQ(head("app", "layer").value_or(0), 5U);
}

TEST_F(Blobs, AReadErrorIsNotTakenForDamage) {
  ASSERT_TRUE(world_.push_blob("app", "layer").has_value());
  world_.fs.fail_at(1, Errc::io_failed);
  EXPECT_EQ(code_of(world_.pull_blob("app", digest("layer"))), Errc::io_failed);
  EXPECT_EQ(world_.pull_blob("app", digest("layer")).value(), "layer") << "the next attempt may be luckier";
}

TEST_F(Blobs, MountsLinkWithoutCopying) {  // X1, X2, X3
  ASSERT_TRUE(world_.push_blob("lib", "layer").has_value());
  const auto mount = [&](std::string_view target, std::optional<std::string_view> source) {
    const auto from = source ? std::optional(repo(*source)) : std::nullopt;
    return test::run_task(world_.uploads->mount(repo(target), from, digest("layer"))).value();
  };
  EXPECT_FALSE(mount("app", "none"));
  EXPECT_EQ(code_of(head("app", "layer")), Errc::name_unknown);
  EXPECT_TRUE(mount("app", "lib"));
  EXPECT_TRUE(mount("third", std::nullopt));
  EXPECT_EQ(world_.pull_blob("app", digest("layer")).value(), "layer");
  EXPECT_EQ(world_.fs.files().size(), 1U);
  world_.space.set(SpaceLevel::stop);
  EXPECT_EQ(code_of(test::run_task(world_.uploads->mount(repo("new"), repo("lib"), digest("layer")))), Errc::no_space);
}

}  // namespace
}  // namespace berth::registry
