// What is on the disk, and what is not, after requests over the wire.
#include "server/pushes.h"
#include "support/sqlite_probe.h"
#include "support/test_server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace berth::test {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> files_below(const std::string& folder) {
  std::vector<fs::path> out;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_directory()) out.push_back(entry.path());
  }
  return out;
}

/// Bytes of disk that the files below take, reserved ones included.
std::uint64_t disk_usage(const std::string& folder) {
  std::uint64_t total = 0;
  for (const fs::path& path : files_below(folder)) {
    struct ::stat st{};
    if (::lstat(path.c_str(), &st) == 0) total += static_cast<std::uint64_t>(st.st_blocks) * 512;
  }
  return total;
}

TEST(Storage, TwoAlgorithmsAndTwoRepositoriesShareOneManifestBody) {  // M4
  TestServer server;
  WireClient client(server.port());
  const std::string bytes = image("shared");
  for (const char* repo : {"team/a", "team/b"}) {
    ASSERT_EQ(push_blob(client, repo, kConfig).status, 201);
    ASSERT_EQ(push_manifest(client, repo, sha256_of(bytes), bytes).status, 201);
    ASSERT_EQ(push_manifest(client, repo, sha512_of(bytes), bytes).status, 201);
    ASSERT_EQ(push_manifest(client, repo, "v1", bytes).status, 201);
  }
  const SqliteProbe probe(server.database_path());
  EXPECT_EQ(probe.number("SELECT count(*) FROM manifest_body"), 1);
  EXPECT_EQ(probe.number("SELECT count(*) FROM manifest"), 4);
}

TEST(Storage, NoUserStringBecomesAFileName) {  // S14
  TestServer server;
  WireClient client(server.port());
  const std::string blob = noise(1000, 1);
  ASSERT_EQ(push_blob(client, "evil/passwd/uploads", blob).status, 201);
  ASSERT_EQ(push_blob(client, "evil/passwd/uploads", kConfig).status, 201);
  ASSERT_EQ(push_manifest(client, "evil/passwd/uploads", "evil..passwd", image("evil")).status, 201);
  const std::string location = open_session(client, "evil/passwd/uploads");
  ASSERT_EQ(client.ask("PATCH", location, "evil").status, 202);
  const std::string id = location.substr(location.rfind('/') + 1);
  for (const fs::path& path : files_below(server.data_dir())) {
    const std::string name = fs::relative(path, server.data_dir()).string();
    EXPECT_EQ(name.find("evil"), std::string::npos) << name;
    EXPECT_EQ(name.find("passwd"), std::string::npos) << name;
    EXPECT_EQ(name.find(id), std::string::npos) << name << ": the session's id is known to the client";
  }
}

TEST(Storage, SymbolicLinksAreNotFollowed) {  // S14
  TestServer server;
  WireClient client(server.port());
  const std::string blob = noise(1000, 1);
  ASSERT_EQ(push_blob(client, "team/app", blob).status, 201);
  client.close();
  server.stop();
  const auto files = files_below(server.data_dir() + "/blobs");
  ASSERT_EQ(files.size(), 1u);
  const TempDir elsewhere(TempDir::Where::memory);
  fs::rename(files[0], elsewhere / "secret");
  fs::create_symlink(elsewhere / "secret", files[0]);
  server.start();
  WireClient again(server.port());
  const WireResponse response = again.ask("GET", blob_path("team/app", blob));
  EXPECT_NE(response.status, 200);
  EXPECT_EQ(response.body.find(blob), std::string::npos);
}

TEST(Storage, UrlsOfLayersAreNeverAskedFor) {  // S16, V8
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ::sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ::socklen_t length = sizeof address;
  ASSERT_EQ(::bind(listener, reinterpret_cast<const ::sockaddr*>(&address), length), 0);
  ASSERT_EQ(::listen(listener, 8), 0);
  ASSERT_EQ(::getsockname(listener, reinterpret_cast<::sockaddr*>(&address), &length), 0);

  TestServer server;
  WireClient client(server.port());
  ASSERT_EQ(push_blob(client, "team/app", kConfig).status, 201);
  const std::string absent = noise(500, 1);
  const std::string manifest =
      R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":)" +
      descriptor_of("application/vnd.oci.image.config.v1+json", kConfig) +
      R"(,"layers":[{"mediaType":"application/vnd.oci.image.layer.nondistributable.v1.tar","digest":")" +
      sha256_of(absent) + R"(","size":500,"urls":["http://127.0.0.1:)" + std::to_string(ntohs(address.sin_port)) +
      R"(/layer"]}]})";
  ASSERT_EQ(push_manifest(client, "team/app", "v1", manifest).status, 201);
  EXPECT_EQ(client.ask("GET", "/v2/team/app/manifests/v1").body, manifest);
  EXPECT_EQ(client.ask("GET", blob_path("team/app", absent)).status, 404);
  server.clock.advance_ms(25LL * 3600 * 1000);
  server.server().run_housekeeping();
  ::pollfd entry{.fd = listener, .events = POLLIN, .revents = 0};
  EXPECT_EQ(::poll(&entry, 1, 0), 0) << "somebody connected to the layer's url";
  ::close(listener);
}

TEST(Storage, AnAnnouncedLengthHoldsNoDiskOnceTheClientIsGone) {  // S1, S22
  TestServer server;
  WireClient client(server.port());
  const std::string location = open_session(client, "team/app");
  client.send(head_bytes({.method = "PATCH", .target = location, .fields = {{"Content-Length", "150000000"}}}) + "abc");
  client.finish_sending();
  EXPECT_EQ(client.read_response("PATCH").status, 400);
  EXPECT_EQ(client.ask("GET", location).field("Range"), "0-2");
  EXPECT_LT(disk_usage(server.data_dir() + "/uploads"), 1'000'000u);
}

TEST(Storage, AnUploadInProgressHoldsWhatCameAndNotMuchMore) {  // S1, S22
  TestServer server;
  WireClient client(server.port());
  const std::string location = open_session(client, "team/app");
  const WireRequest request{.method = "PATCH",
                            .target = location,
                            .fields = {{"Content-Length", "150000000"}, {"Expect", "100-continue"}},
                            .body = "x"};
  client.send(head_bytes(request));
  ASSERT_EQ(client.read_response("PATCH").status, 100);  // the server has prepared itself
  EXPECT_LT(disk_usage(server.data_dir() + "/uploads"), 70'000'000u);
}

TEST(Storage, RefusedAndCancelledUploadsLeaveNoBytes) {  // U8, U12, S6
  TestServer server;
  WireClient client(server.port());
  const std::string blob = noise(100'000, 1);
  EXPECT_EQ(client.ask("POST", "/v2/team/app/blobs/uploads/?digest=" + sha256_of("other"), blob).status, 400);
  const std::string location = open_session(client, "team/app");
  EXPECT_EQ(client.ask("PATCH", location, blob).status, 202);
  EXPECT_EQ(client.ask("DELETE", location).status, 204);
  const std::string idle = open_session(client, "team/app");
  EXPECT_EQ(client.ask("PATCH", idle, blob).status, 202);
  EXPECT_EQ(files_below(server.data_dir() + "/uploads").size(), 1u);
  server.clock.advance_ms(25LL * 3600 * 1000);
  server.server().run_housekeeping();
  EXPECT_TRUE(files_below(server.data_dir() + "/uploads").empty());
  EXPECT_TRUE(files_below(server.data_dir() + "/blobs").empty());
}

/// When the collector may look at the only candidate there is.
std::int64_t due(const TestServer& server) {
  return SqliteProbe(server.database_path()).number("SELECT max(due) FROM gc_queue WHERE kind = 1");
}

TEST(Lease, WhoHearsThatABlobIsThereHasTimeToUseIt) {  // S27
  constexpr std::int64_t kHour = 3'600'000;
  struct Row {
    const char* what;
    std::function<int(WireClient&, const std::string&)> ask;
    int status;
  };
  const Row rows[] = {
      {"HEAD", [](auto& c, auto& b) { return c.ask("HEAD", blob_path("team/app", b)).status; }, 200},
      {"GET", [](auto& c, auto& b) { return c.ask("GET", blob_path("team/app", b)).status; }, 200},
      {"push", [](auto& c, auto& b) { return push_blob(c, "team/app", b).status; }, 201},
      {"mount",
       [](auto& c, auto& b) {
         return c.ask("POST", "/v2/team/app/blobs/uploads/?mount=" + sha256_of(b) + "&from=team/app").status;
       },
       201},
  };
  for (const Row& row : rows) {
    TestServer server;
    {
      WireClient client(server.port());
      ASSERT_EQ(push_blob(client, "team/app", kConfig).status, 201);
    }
    EXPECT_GE(due(server), server.clock.now_ms() + 24 * kHour) << "what nobody refers to yet stays for a day";
    server.clock.advance_ms(23 * kHour + kHour / 2);
    WireClient client(server.port());
    EXPECT_EQ(row.ask(client, kConfig), row.status) << row.what;
    EXPECT_GE(due(server), server.clock.now_ms() + kHour) << row.what << ": the answer is not worth an hour";
    server.clock.advance_ms(kHour - 1000);
    server.server().run_housekeeping();
    WireClient later(server.port());
    EXPECT_EQ(push_manifest(later, "team/app", "v1", image("x")).status, 201) << row.what;
    EXPECT_EQ(SqliteProbe(server.database_path()).number("SELECT count(*) FROM gc_queue WHERE kind = 1"), 0)
        << "what a manifest needs is no candidate";
  }
}

/// The most memory this process has held since reset_peak().
void reset_peak() { std::ofstream("/proc/self/clear_refs") << "5"; }
std::size_t peak_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stoul(line.substr(6));
  }
  return 0;
}

TEST(Uploads, TakeTheSameMemoryHoweverLongTheyAre) {  // U13, S2
  constexpr std::size_t kPieces = 128;
  TestServer server;
  WireClient client(server.port());
  const std::string piece = noise(1024 * 1024, 1);
  const std::string location = open_session(client, "team/app");
  ASSERT_EQ(client.ask("PATCH", location, piece).status, 202);
  reset_peak();
  const std::size_t before = peak_kib();
  client.send(head_bytes(
      {.method = "PATCH", .target = location, .fields = {{"Content-Length", std::to_string(kPieces * piece.size())}}}));
  for (std::size_t i = 0; i < kPieces; ++i) ASSERT_TRUE(client.send(piece));
  const WireResponse done = client.read_response("PATCH");
  EXPECT_EQ(done.status, 202);
  EXPECT_EQ(done.field("Range"), concat("0-", (kPieces + 1) * piece.size() - 1));
  EXPECT_LT(peak_kib() - before, 32u * 1024) << "KiB for an upload of " << kPieces << " MiB";
}

TEST(Indexes, MayBeNestedDeeply) {  // S21, V9, D2
  constexpr int kDepth = 40;
  TestServer server;
  WireClient client(server.port());
  ASSERT_EQ(push_blob(client, "team/app", kConfig).status, 201);
  std::vector<std::string> chain{image("leaf")};
  ASSERT_EQ(push_manifest(client, "team/app", sha256_of(chain[0]), chain[0]).status, 201);
  for (int i = 0; i < kDepth; ++i) {
    const std::string type =
        i == 0 ? "application/vnd.oci.image.manifest.v1+json" : "application/vnd.oci.image.index.v1+json";
    chain.push_back(R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[)" +
                    descriptor_of(type, chain.back()) + "]}");
    ASSERT_EQ(push_manifest(client, "team/app", sha256_of(chain.back()), chain.back()).status, 201) << i;
  }
  for (std::size_t i = 0; i + 1 < chain.size(); ++i) {
    EXPECT_EQ(client.ask("DELETE", "/v2/team/app/manifests/" + sha256_of(chain[i])).status, 405) << i;
  }
  for (std::size_t i = chain.size(); i-- > 0;) {
    EXPECT_EQ(client.ask("DELETE", "/v2/team/app/manifests/" + sha256_of(chain[i])).status, 202) << i;
  }
}

}  // namespace
}  // namespace berth::test
