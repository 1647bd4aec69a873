// What a start costs does not depend on how much is stored: the same file operations and the same statements, whether
// ten blobs, manifests and tags wait or a thousand.
#include "app/server.h"
#include "blob/fs_store.h"
#include "meta/blobs.h"
#include "meta/manifests.h"
#include "meta/repos.h"
#include "meta/store.h"
#include "meta/tags.h"
#include "sql/connection.h"
#include "support/counting_files.h"
#include "support/manifest_text.h"
#include "support/run_task.h"
#include "support/sqlite_probe.h"
#include "support/temp_dir.h"
#include "support/watched_connection.h"

#include <gtest/gtest.h>

#include <fstream>

namespace berth::app {
namespace {

struct Cost {
  std::map<std::string, std::int64_t> files;
  std::int64_t statements = 0;
  std::int64_t connections = 0;
};

class StartBound : public ::testing::Test {
 protected:
  ServeConfig config(const std::string& path) const {
    ServeConfig out;
    out.listen = {{"127.0.0.1", 0}};
    out.data_dir = path;
    out.log_level = LogLevel::off;
    out.threads = 1;
    out.scrub_bytes_per_second = 0;
    return out;
  }

  /// Starts and stops a server over the folder.
  Cost start(const std::string& path) {
    test::CallCounts counts;
    const auto watch = std::make_shared<test::SqlWatch>();
    ServerSeams seams;
    seams.housekeeping = false;
    seams.wrap_files = [&](std::unique_ptr<io::FileSystem> real) -> std::unique_ptr<io::FileSystem> {
      return std::make_unique<test::CountingFiles>(std::move(real), counts);
    };
    seams.wrap_connection = [&](std::unique_ptr<sql::Connection> inner) -> std::unique_ptr<sql::Connection> {
      return std::make_unique<test::WatchedConnection>(std::move(inner), watch);
    };
    auto server = Server::start(config(path), std::move(seams));
    EXPECT_TRUE(server.has_value()) << server.error().message << server.error().cause;
    Cost cost{counts.get(), watch->statements, watch->connections};
    if (server) (*server)->stop();
    return cost;
  }

  /// Puts `count` blobs with files, images and tags into the store.
  static void fill(const std::string& path, int count) {
    const auto files = *io::open_posix_file_system(path);
    io::BlockingPool disk("disk", 1, 100);
    const auto blobs = *blob::FsStore::open_store(*files, disk);
    const ManualClock clock;
    const Log log(LogLevel::off);
    const auto store = *meta::Store::open({.path = path + "/meta.db"}, {}, clock, log);
    for (int i = 0; i < count; ++i) {
      const std::string text = "blob " + std::to_string(i);
      const auto digest = oci::digest_of(oci::Algorithm::sha256, text);
      const auto inc = static_cast<std::uint64_t>(i + 1);
      auto ticket =
          blobs->begin(inc)->append(0, std::as_bytes(std::span(text)), std::make_shared<blob::UploadHashes>());
      ASSERT_TRUE(test::run_task(ticket.get()).has_value());
      ASSERT_TRUE(blobs->ensure_placed({digest, inc}).has_value());
    }
    const auto done = store->write_blocking([&](sql::Connection& db) { return push_images(db, count); });
    ASSERT_TRUE(done.has_value()) << done.error().cause;
  }

  static Result<void> push_images(sql::Connection& db, int count) {
    const meta::Stamp stamp{1'700'000'000'000, std::nullopt};
    for (int i = 0; i < count; ++i) {
      const auto repo = *oci::RepoName::parse("team/app" + std::to_string(i % 10));
      const test::Piece piece = test::piece_of("blob " + std::to_string(i));
      BERTH_TRYV(meta::commit_blob(db, repo, {piece.digest, piece.size, static_cast<std::uint64_t>(i + 1)}, stamp));
      BERTH_TRY(const auto id, meta::ensure_repo(db, repo, stamp));
      BERTH_TRY(const auto target, meta::find_edge_target(db, id, piece.digest));
      const std::string text = test::image_text({piece});
      BERTH_TRY(const auto parsed, oci::parse_manifest(text, ""));
      const auto digest = oci::digest_of(oci::Algorithm::sha256, text);
      BERTH_TRY(const auto manifest, meta::put_manifest(db, id, {digest, text, parsed, {target->blob}, {}}, stamp));
      BERTH_TRYV(meta::set_tag(db, id, *oci::Tag::parse("v" + std::to_string(i)), manifest, digest, stamp));
    }
    return {};
  }

  test::TempDir dir_{test::TempDir::Where::memory};
};

TEST_F(StartBound, TenObjectsOrAThousandCostTheSame) {
  std::vector<Cost> costs;
  for (const int count : {10, 1000}) {
    const std::string path = dir_ / std::to_string(count);
    start(path);  // makes the folder a store
    fill(path, count);
    ASSERT_EQ(test::SqliteProbe(path + "/meta.db").number("SELECT count(*) FROM tag"), count);
    costs.push_back(start(path));
  }
  EXPECT_EQ(costs[0].files, costs[1].files);
  EXPECT_EQ(costs[0].statements, costs[1].statements);
  EXPECT_EQ(costs[0].connections, costs[1].connections);
}

TEST_F(StartBound, ACleanStartTouchesAHandfulOfFiles) {
  const std::string path = dir_ / "data";
  start(path);
  fill(path, 50);
  const Cost cost = start(path);
  std::int64_t calls = 0;
  std::int64_t lists = 0;
  for (const auto& [call, count] : cost.files) {
    calls += count;
    if (call == "list") lists += count;
  }
  EXPECT_LE(calls, 10) << ::testing::PrintToString(cost.files);
  EXPECT_LE(lists, 2) << ::testing::PrintToString(cost.files);
  EXPECT_LE(cost.statements, 20);
}

TEST_F(StartBound, NoFolderOfBlobsIsListedHoweverItIsNamed) {
  std::vector<Cost> costs;
  for (const int count : {0, 200}) {
    const std::string path = dir_ / std::to_string(count);
    start(path);
    // As if many blobs lay in the first and in the last shard of each algorithm.
    for (const char* shard : {"sha256/00", "sha256/ff", "sha512/00", "sha512/ff"}) {
      for (int i = 0; i < count; ++i) {
        std::ofstream(path + "/blobs/" + shard + "/" + std::to_string(i)) << "x";
      }
    }
    costs.push_back(start(path));
  }
  EXPECT_EQ(costs[0].files, costs[1].files);
}

}  // namespace
}  // namespace berth::app
