#pragma once
// What every blob store does, whatever is behind it. A backend joins with one line in its test:
//
//   INSTANTIATE_TEST_SUITE_P(Posix, BlobStoreSuite, ::testing::Values(&make_posix_backend));

#include "blob/blob_store.h"
#include "support/run_task.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace berth::blob {

/// A store under test, and what only its test may do to it.
class Backend {
 public:
  virtual ~Backend() = default;
  virtual BlobStore& store() = 0;
  virtual BlobMaintenance& files() = 0;
  /// The process ends and another one opens the same store.
  virtual void reopen() = 0;
  /// Behind the store's back: cuts the stored bytes, or changes one of them.
  virtual void shorten(const BlobKey& key, std::size_t size_bytes) = 0;
  virtual void flip_byte(const BlobKey& key, std::size_t offset) = 0;
};

class BlobStoreSuite : public ::testing::TestWithParam<std::unique_ptr<Backend> (*)()> {
 protected:
  static oci::Digest digest(std::string_view text) { return oci::digest_of(oci::Algorithm::sha256, text); }
  BlobStore& store() { return backend_->store(); }
  BlobMaintenance& files() { return backend_->files(); }

  static Result<void> append(Staged& staged, UploadHashes& hashes, std::uint64_t offset, std::string_view text) {
    auto ticket = staged.append(offset, std::as_bytes(std::span(text)), std::make_shared<UploadHashes>(hashes));
    BERTH_TRY(hashes, test::run_task(ticket.get()));
    return {};
  }
  /// begin, append, seal: what happens before the metadata commit.
  BlobKey stage(std::string_view text, std::uint64_t inc) {
    UploadHashes hashes;
    const auto staged = store().begin(inc);
    EXPECT_TRUE(append(*staged, hashes, 0, text).has_value());
    EXPECT_TRUE(staged->seal(text.size()).has_value());
    EXPECT_EQ(oci::Digest::sha256(hashes.sha256.sum()), digest(text));
    return {digest(text), inc};
  }
  BlobKey put(std::string_view text, std::uint64_t inc) {
    const BlobKey key = stage(text, inc);
    EXPECT_TRUE(files().ensure_placed(key).has_value());
    return key;
  }
  Result<std::string> read(const BlobKey& key, std::uint64_t size) {
    BERTH_TRY(const auto source, test::run_task(store().open(key, size)));
    std::string out(source->size_bytes(), '\0');
    BERTH_TRYV(test::run_task(source->read_at(0, std::as_writable_bytes(std::span(out)))));
    return out;
  }
  template <class T>
  static Errc code_of(const Result<T>& result) {
    EXPECT_FALSE(result.has_value());
    return result.has_value() ? Errc::internal : result.error().code;
  }

  std::unique_ptr<Backend> backend_ = GetParam()();
};

TEST_P(BlobStoreSuite, WhatIsPlacedIsReadAtAnyOffset) {
  const BlobKey key = put("0123456789", 1);
  EXPECT_EQ(read(key, 10).value(), "0123456789");
  const auto source = test::run_task(store().open(key, 10)).value();
  std::string part(3, '\0');
  ASSERT_TRUE(test::run_task(source->read_at(7, std::as_writable_bytes(std::span(part)))).has_value());
  EXPECT_EQ(part, "789");
  EXPECT_EQ(code_of(test::run_task(source->read_at(8, std::as_writable_bytes(std::span(part))))), Errc::corrupt);
  EXPECT_TRUE(test::run_task(source->prefetch(0, 1000)).has_value());
}

TEST_P(BlobStoreSuite, TheEmptyBlobIsABlob) {  // U9
  EXPECT_EQ(read(put("", 1), 0).value(), "");
}

TEST_P(BlobStoreSuite, PiecesAddUpAndAreHashedOnTheWay) {
  UploadHashes hashes;
  hashes.sha512.emplace();
  const auto staged = store().begin(7);
  ASSERT_TRUE(test::run_task(staged->reserve(10)).has_value());
  ASSERT_TRUE(append(*staged, hashes, 0, "0123").has_value());
  ASSERT_TRUE(append(*staged, hashes, 4, "456789").has_value());
  ASSERT_TRUE(staged->seal(10).has_value());
  const auto wide = oci::digest_of(oci::Algorithm::sha512, "0123456789");
  EXPECT_EQ(oci::Digest::sha256(hashes.sha256.sum()), digest("0123456789"));
  EXPECT_EQ(oci::Digest::sha512(hashes.sha512->sum()), wide);
  EXPECT_EQ(oci::Digest::sha512(test::run_task(staged->sha512(10)).value()), wide) << "read again (U8)";
  ASSERT_TRUE(files().ensure_placed({wide, 7}).has_value());
  EXPECT_EQ(read({wide, 7}, 10).value(), "0123456789");
}

TEST_P(BlobStoreSuite, BytesAreReadableBetweenSealAndPlace) {
  const BlobKey key = stage("early", 1);
  EXPECT_EQ(read(key, 5).value(), "early");
  ASSERT_TRUE(files().ensure_placed(key).has_value());
  EXPECT_EQ(read(key, 5).value(), "early");
}

TEST_P(BlobStoreSuite, PlacingAgainIsHarmless) {
  const BlobKey key = put("once", 1);
  EXPECT_TRUE(files().ensure_placed(key).has_value());
  EXPECT_TRUE(files().ensure_placed(key).has_value());
  EXPECT_EQ(read(key, 4).value(), "once");
  EXPECT_EQ(code_of(files().ensure_placed({digest("nowhere"), 2})), Errc::file_unknown);
}

TEST_P(BlobStoreSuite, TruncateForgetsAFailedPiece) {
  UploadHashes hashes;
  const auto staged = store().begin(1);
  ASSERT_TRUE(append(*staged, hashes, 0, "good").has_value());
  UploadHashes lost;
  ASSERT_TRUE(append(*staged, lost, 4, "half a piece").has_value());
  ASSERT_TRUE(test::run_task(staged->truncate(4)).has_value());
  ASSERT_TRUE(append(*staged, hashes, 4, "!").has_value());
  ASSERT_TRUE(staged->seal(5).has_value());
  EXPECT_EQ(read({digest("good!"), 1}, 5).value(), "good!");
}

TEST_P(BlobStoreSuite, SealKeepsExactlyTheBytesNamed) {
  UploadHashes hashes;
  const auto staged = store().begin(1);
  ASSERT_TRUE(append(*staged, hashes, 0, "0123456789").has_value());
  ASSERT_TRUE(staged->seal(4).has_value());
  EXPECT_EQ(read({digest("0123"), 1}, 4).value(), "0123");
  EXPECT_EQ(code_of(staged->seal(99)), Errc::corrupt) << "bytes that were never written";
}

TEST_P(BlobStoreSuite, BytesOfTheWrongLengthAreNeverServed) {
  const BlobKey key = put("0123456789", 1);
  EXPECT_EQ(code_of(test::run_task(store().open(key, 9))), Errc::corrupt);
  backend_->shorten(key, 5);
  EXPECT_EQ(code_of(test::run_task(store().open(key, 10))), Errc::corrupt);
}

TEST_P(BlobStoreSuite, AnotherIncarnationIsAnotherBlob) {
  const BlobKey first = put("same", 1);
  const BlobKey second = put("same", 2);
  ASSERT_TRUE(files().remove(first).has_value());
  EXPECT_EQ(code_of(read(first, 4)), Errc::file_unknown);
  EXPECT_EQ(read(second, 4).value(), "same") << "a late delete never hits newer bytes";
}

TEST_P(BlobStoreSuite, RemovingTakesTheBytesUnderEitherNameAndMayBeRepeated) {
  const BlobKey placed = put("placed", 1);
  const BlobKey staged = stage("staged", 2);
  for (const BlobKey& key : {placed, staged}) {
    EXPECT_TRUE(files().remove(key).has_value());
    EXPECT_TRUE(files().remove(key).has_value());
    EXPECT_EQ(code_of(read(key, 6)), Errc::file_unknown);
  }
}

TEST_P(BlobStoreSuite, AnOpenBlobIsServedThoughItGoesAway) {
  const BlobKey key = put("slow download", 1);
  const auto source = test::run_task(store().open(key, 13)).value();
  ASSERT_TRUE(files().remove(key).has_value());
  std::string out(13, '\0');
  ASSERT_TRUE(test::run_task(source->read_at(0, std::as_writable_bytes(std::span(out)))).has_value());
  EXPECT_EQ(out, "slow download");
  EXPECT_EQ(code_of(read(key, 13)), Errc::file_unknown) << "nobody new gets it";
}

TEST_P(BlobStoreSuite, ADiscardedUploadLeavesNothing) {
  const BlobKey key = stage("unwanted", 1);
  ASSERT_TRUE(test::run_task(store().discard(1)).has_value());
  ASSERT_TRUE(test::run_task(store().discard(1)).has_value());
  EXPECT_TRUE(files().list_staged()->empty());
  EXPECT_EQ(code_of(read(key, 8)), Errc::file_unknown);
}

TEST_P(BlobStoreSuite, AnUploadWithoutBytesCostsNothing) {
  const auto staged = store().begin(1);
  EXPECT_TRUE(files().list_staged()->empty());
  EXPECT_TRUE(test::run_task(store().discard(1)).has_value());
}

TEST_P(BlobStoreSuite, StagedFilesAreListedUntilPlaced) {
  const BlobKey key = stage("12345", 0x0123456789abcdef);
  const auto staged = files().list_staged().value();
  ASSERT_EQ(staged.size(), 1U);
  EXPECT_EQ(staged[0].inc, 0x0123456789abcdefU);
  EXPECT_EQ(staged[0].size_bytes, 5U);
  EXPECT_TRUE(files().list_shard(oci::Algorithm::sha256, std::to_integer<unsigned>(key.digest.raw()[0]))->empty());
  ASSERT_TRUE(files().ensure_placed(key).has_value());
  EXPECT_TRUE(files().list_staged()->empty());
}

TEST_P(BlobStoreSuite, EveryPlacedFileIsInOneOfTheShards) {
  for (std::uint64_t i = 1; i <= 20; ++i) put("blob " + std::to_string(i), i);
  std::size_t found = 0;
  for (unsigned shard = 0; shard < 256; ++shard) {
    for (const auto& file : files().list_shard(oci::Algorithm::sha256, shard).value()) {
      EXPECT_EQ(file.key.digest, digest("blob " + std::to_string(file.key.inc)));
      EXPECT_EQ(file.size_bytes, file.key.inc < 10 ? 6U : 7U);
      EXPECT_GT(file.modified_ms, 0);
      ++found;
    }
    EXPECT_TRUE(files().list_shard(oci::Algorithm::sha512, shard)->empty());
  }
  EXPECT_EQ(found, 20U);
}

TEST_P(BlobStoreSuite, InspectTellsSizeAndHash) {
  const BlobKey key = put("0123456789", 1);
  std::size_t paced = 0;
  const BlobMaintenance::Pace pace = [&](std::size_t bytes) {
    paced += bytes;
    return true;
  };
  auto content = files().inspect(key, &pace).value();
  EXPECT_TRUE(content.present && content.digest_matches);
  EXPECT_EQ(content.size_bytes, 10U);
  EXPECT_EQ(paced, 10U);
  backend_->flip_byte(key, 3);
  content = files().inspect(key, &pace).value();
  EXPECT_TRUE(content.present);
  EXPECT_FALSE(content.digest_matches);
  EXPECT_FALSE(files().inspect({digest("nowhere"), 9}, &pace)->present);
  const BlobMaintenance::Pace stop = [](std::size_t) { return false; };
  EXPECT_EQ(code_of(files().inspect(key, &stop)), Errc::unavailable);
}

TEST_P(BlobStoreSuite, QuarantinedBytesAreNeverServedAndNeverDeleted) {
  const BlobKey key = put("suspicious", 1);
  ASSERT_EQ(read(key, 10).value(), "suspicious");  // now kept open
  ASSERT_TRUE(files().quarantine(key).has_value());
  EXPECT_EQ(code_of(read(key, 10)), Errc::file_unknown);
  EXPECT_FALSE(files().inspect(key, nullptr)->present);
  EXPECT_TRUE(files().quarantine(key).has_value()) << "harmless when repeated";
  const BlobKey again = put("suspicious", 2);
  EXPECT_EQ(read(again, 10).value(), "suspicious");
}

TEST_P(BlobStoreSuite, ASessionGoesOnInTheNextProcess) {
  UploadHashes hashes;
  {
    const auto staged = store().begin(5);
    ASSERT_TRUE(append(*staged, hashes, 0, "0123").has_value());
    UploadHashes unsaved = hashes;
    ASSERT_TRUE(append(*staged, unsaved, 4, "4567").has_value());  // its hash state is lost with the process
  }
  backend_->reopen();
  EXPECT_EQ(files().rehash_staged(5, 4, hashes, nullptr).value(), 8U);
  const auto staged = store().begin(5);
  ASSERT_TRUE(append(*staged, hashes, 8, "89").has_value());
  ASSERT_TRUE(staged->seal(10).has_value());
  EXPECT_EQ(oci::Digest::sha256(hashes.sha256.sum()), digest("0123456789"));
  EXPECT_EQ(read({digest("0123456789"), 5}, 10).value(), "0123456789");
}

TEST_P(BlobStoreSuite, AStagedFileShorterThanRecordedIsRefused) {
  stage("0123", 5);
  UploadHashes hashes;
  EXPECT_EQ(code_of(files().rehash_staged(5, 5, hashes, nullptr)), Errc::size_invalid);
  EXPECT_EQ(files().rehash_staged(6, 0, hashes, nullptr).value(), 0U) << "a session that has no file yet";
  EXPECT_FALSE(files().rehash_staged(6, 1, hashes, nullptr).has_value()) << "a session whose file is gone";
}

TEST_P(BlobStoreSuite, BytesBehindAFileThatVanishedAreNotTakenForTheWhole) {
  UploadHashes hashes;
  {
    const auto staged = store().begin(5);
    ASSERT_TRUE(append(*staged, hashes, 0, "0123").has_value());
  }
  ASSERT_TRUE(files().remove_staged(5).has_value());
  const auto staged = store().begin(5);
  const bool appended = append(*staged, hashes, 4, "4567").has_value();
  const bool sealed = appended && staged->seal(8).has_value();
  EXPECT_FALSE(sealed) << "the hash is right, the file has a hole where the first bytes were";
}

TEST_P(BlobStoreSuite, PlacedBlobsAreThereAfterReopening) {
  const BlobKey key = put("durable", 1);
  ASSERT_TRUE(files().sync_staging().has_value());
  ASSERT_TRUE(files().settle().has_value());
  backend_->reopen();
  EXPECT_EQ(read(key, 7).value(), "durable");
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(BlobStoreSuite);

}  // namespace berth::blob
