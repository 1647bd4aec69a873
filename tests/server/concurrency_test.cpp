// Several clients at once. Where the order matters, the first one asks for 100-continue: the answer says that the
// server has begun to read its body, and so holds the session.
#include "server/pushes.h"
#include "support/sqlite_probe.h"
#include "support/test_server.h"

#include <filesystem>
#include <set>
#include <thread>
#include <vector>

namespace berth::test {
namespace {

/// Runs work(i, client) in `count` threads, each with a connection of its own.
template <class Work>
void in_parallel(const TestServer& server, std::size_t count, Work work) {
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < count; ++i) {
    threads.emplace_back([&server, &work, i] {
      WireClient client(server.port());
      work(i, client);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

std::size_t count_files(const std::string& folder) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) count += entry.is_regular_file();
  return count;
}

/// Sends the head and waits until the server asks for the body.
void begin_upload(WireClient& client, const WireRequest& request) {
  client.open();
  ASSERT_TRUE(client.send(head_bytes(request)));
  ASSERT_EQ(client.read_response(request.method).status, 100);
}

WireRequest patch(const std::string& location, const std::string& body) {
  return {.method = "PATCH", .target = location, .fields = {{"Expect", "100-continue"}}, .body = body};
}

TEST(Sessions, TwoWritersTakeTurns) {  // U11
  TestServer server;
  const std::string blob = noise(3000, 1);
  WireClient first(server.port());
  WireClient second(server.port());
  const std::string location = open_session(first, "team/app");
  const WireRequest slow = patch(location, blob.substr(0, 2000));
  begin_upload(first, slow);
  ASSERT_TRUE(first.send(std::string_view(blob).substr(0, 1000)));

  // Continues where the first one will end: refused if it were served now.
  const WireRequest next{
      .method = "PATCH", .target = location, .fields = {{"Content-Range", "2000-2999"}}, .body = blob.substr(2000)};
  second.open();
  ASSERT_TRUE(second.send(head_bytes(next) + next.body));
  EXPECT_FALSE(second.is_readable_within(50)) << "the second writer did not wait";

  ASSERT_TRUE(first.send(std::string_view(blob).substr(1000, 1000)));
  const WireResponse one = first.read_response("PATCH");
  EXPECT_EQ(one.status, 202);
  EXPECT_EQ(one.field("Range"), "0-1999");
  const WireResponse two = second.read_response("PATCH");
  EXPECT_EQ(two.status, 202);
  EXPECT_EQ(two.field("Range"), "0-2999");

  EXPECT_EQ(first.ask("PUT", location + "?digest=" + sha256_of(blob)).status, 201);
  EXPECT_EQ(first.ask("GET", blob_path("team/app", blob)).body, blob);
}

TEST(Sessions, TheSecondWriterOfTheSameChunkIsRefused) {  // U11, U5
  TestServer server;
  const std::string blob = noise(2000, 1);
  WireClient first(server.port());
  WireClient second(server.port());
  const std::string location = open_session(first, "team/app");
  WireRequest chunk = patch(location, blob.substr(0, 1000));
  chunk.fields.emplace_back("Content-Range", "0-999");
  begin_upload(first, chunk);

  const WireRequest same{
      .method = "PATCH", .target = location, .fields = {{"Content-Range", "0-999"}}, .body = blob.substr(0, 1000)};
  second.open();
  ASSERT_TRUE(second.send(head_bytes(same) + same.body));
  ASSERT_TRUE(first.send(chunk.body));
  EXPECT_EQ(first.read_response("PATCH").status, 202);
  const WireResponse refused = second.read_response("PATCH");
  EXPECT_EQ(refused.status, 416);
  EXPECT_EQ(refused.field("Range"), "0-999");
}

TEST(Sessions, StatusWaitsForAWriterThatIsAboutToEnd) {  // U7, U11
  TestServer server;
  WireClient writer(server.port());
  WireClient reader(server.port());
  const std::string location = open_session(writer, "team/app");
  const WireRequest slow = patch(location, noise(1000, 1));
  begin_upload(writer, slow);
  reader.open();
  ASSERT_TRUE(reader.send(head_bytes({.method = "GET", .target = location})));
  ASSERT_TRUE(writer.send(slow.body));
  EXPECT_EQ(writer.read_response("PATCH").status, 202);
  EXPECT_EQ(reader.read_response("GET").field("Range"), "0-999");
}

TestServer::Options impatient() {
  TestServer::Options options;
  options.limits.status_wait_ms = 20;
  return options;
}

TEST(Sessions, StatusDoesNotWaitForAWriterThatStandsStill) {  // U7, U11
  TestServer server(impatient());
  WireClient writer(server.port());
  WireClient reader(server.port());
  const std::string location = open_session(writer, "team/app");
  ASSERT_EQ(writer.ask("PATCH", location, noise(500, 1)).status, 202);
  begin_upload(writer, patch(location, noise(1000, 2)));  // and not a byte of it
  const WireResponse status = reader.ask("GET", location);
  EXPECT_EQ(status.status, 204);
  EXPECT_EQ(status.field("Range"), "0-499");
}

TEST(Sessions, OneThatIsBeingWrittenToCanBeCancelled) {  // U12, U11
  TestServer server(impatient());
  WireClient writer(server.port());
  WireClient other(server.port());
  const std::string location = open_session(writer, "team/app");
  ASSERT_EQ(writer.ask("PATCH", location, noise(500, 1)).status, 202);
  const std::string body = noise(1000, 2);
  begin_upload(writer, patch(location, body));
  EXPECT_EQ(other.ask("DELETE", location).status, 204);
  EXPECT_EQ(other.ask("GET", location).status, 404);
  EXPECT_EQ(other.ask("PUT", location + "?digest=" + sha256_of(body), body).status, 404);
  ASSERT_TRUE(writer.send(body));
  EXPECT_EQ(writer.read_response("PATCH").status, 404) << "what comes now belongs to nobody";
  server.clock.advance_ms(1'000);
  server.server().run_housekeeping();
  EXPECT_EQ(count_files(server.data_dir() + "/uploads"), 0U);
  EXPECT_EQ(other.ask("DELETE", location).status, 404);
}

TEST(Sessions, OneThatIsBeingFinishedAndCancelledIsEither) {  // U12, U11
  TestServer server(impatient());
  WireClient writer(server.port());
  WireClient other(server.port());
  const std::string location = open_session(writer, "team/app");
  WireRequest put = patch(location + "?digest=" + sha256_of(noise(1000, 2)), noise(1000, 2));
  put.method = "PUT";
  begin_upload(writer, put);
  ASSERT_EQ(other.ask("DELETE", location).status, 204);
  ASSERT_TRUE(writer.send(put.body));
  EXPECT_EQ(writer.read_response("PUT").status, 404);
  EXPECT_EQ(other.ask("HEAD", blob_path("team/app", put.body)).status, 404);
}

TEST(Sessions, ABrokenConnectionKeepsThePrefix) {  // U11, U7
  TestServer server;
  const std::string blob = noise(300'000, 1);
  for (const bool by_reset : {false, true}) {
    WireClient client(server.port());
    WireClient other(server.port());
    const std::string location = open_session(other, "team/app");
    begin_upload(client, patch(location, blob));
    ASSERT_TRUE(client.send(std::string_view(blob).substr(0, 200'000)));
    by_reset ? client.reset() : client.close();

    // Waits until the server has let go of the broken one.
    const WireResponse status = other.ask("GET", location);
    ASSERT_EQ(status.status, 204);
    const std::string range = status.field("Range").value_or("");
    ASSERT_TRUE(range.starts_with("0-"));
    const std::size_t kept = range == "0-0" ? 0 : std::stoul(range.substr(2)) + 1;
    EXPECT_LE(kept, 200'000u);
    if (!by_reset) EXPECT_EQ(kept, 200'000u);
    const std::string rest = blob.substr(kept);
    const Fields fields{{"Content-Range", concat(kept, "-", blob.size() - 1)}};
    EXPECT_EQ(other.ask("PUT", location + "?digest=" + sha256_of(blob), rest, fields).status, 201);
    EXPECT_EQ(other.ask("GET", blob_path("team/app", blob)).body, blob);
  }
}

TEST(Sessions, TwoClosingRequestsAtOnceBothSucceed) {  // U10, U11
  TestServer server;
  const std::string blob = noise(1000, 1);
  WireClient first(server.port());
  WireClient second(server.port());
  const std::string location = open_session(first, "team/app");
  WireRequest close = patch(location + "?digest=" + sha256_of(blob), blob);
  close.method = "PUT";
  begin_upload(first, close);
  second.open();
  ASSERT_TRUE(second.send(head_bytes({.method = "PUT", .target = close.target, .body = blob}) + blob));
  ASSERT_TRUE(first.send(blob));
  const WireResponse one = first.read_response("PUT");
  const WireResponse two = second.read_response("PUT");
  EXPECT_EQ(one.status, 201);
  EXPECT_EQ(two.status, 201);
  EXPECT_EQ(one.field("Location"), two.field("Location"));
}

TEST(Blobs, ParallelPushesOfTheSameBytesStoreThemOnce) {  // U8, U14
  TestServer server;
  const std::string blob = noise(200'000, 1);
  in_parallel(server, 32, [&](std::size_t i, WireClient& client) {
    EXPECT_EQ(push_blob(client, "team/app" + std::to_string(i % 4), blob).status, 201);
  });
  EXPECT_EQ(count_files(server.data_dir() + "/blobs"), 1u);
  EXPECT_EQ(count_files(server.data_dir() + "/uploads"), 0u);
  WireClient client(server.port());
  for (const char* repo : {"team/app0", "team/app1", "team/app2", "team/app3"}) {
    EXPECT_EQ(client.ask("GET", blob_path(repo, blob)).body, blob);
  }
}

TEST(Tags, ParallelMovesEndOnOneOfThemAndAllAreRemembered) {  // M1, P8
  constexpr std::size_t kPushes = 16;
  TestServer server;
  WireClient client(server.port());
  ASSERT_EQ(push_blob(client, "team/app", kConfig).status, 201);
  in_parallel(server, kPushes, [](std::size_t i, WireClient& each) {
    EXPECT_EQ(push_manifest(each, "team/app", "latest", image(std::to_string(i))).status, 201);
  });
  std::set<std::string> candidates;
  for (std::size_t i = 0; i < kPushes; ++i) candidates.insert(sha256_of(image(std::to_string(i))));
  const WireResponse now = client.ask("GET", "/v2/team/app/manifests/latest");
  EXPECT_EQ(sha256_of(now.body), now.field("Docker-Content-Digest"));
  EXPECT_TRUE(candidates.contains(sha256_of(now.body)));

  const SqliteProbe probe(server.database_path());
  EXPECT_EQ(probe.number("SELECT count(*) FROM tag_history WHERE name = 'latest'"), kPushes);
  EXPECT_EQ(probe.number("SELECT count(DISTINCT digest) FROM tag_history WHERE name = 'latest'"), kPushes);
  // Each move says where it came from, which is where the one before it went.
  EXPECT_EQ(probe.number("SELECT count(*) FROM tag_history a JOIN tag_history b ON b.id = "
                         "(SELECT min(id) FROM tag_history c WHERE c.id > a.id) WHERE b.prev_digest = a.digest"),
            kPushes - 1);
  const auto last = probe.rows("SELECT hex(digest) FROM tag_history ORDER BY id DESC LIMIT 1");
  const auto pin = probe.rows("SELECT hex(m.digest) FROM tag t JOIN manifest m ON m.id = t.manifest_id");
  EXPECT_EQ(last, pin);
}

TEST(Tags, OfManyThatMustBeFirstOneIs) {  // M6
  TestServer server;
  WireClient client(server.port());
  ASSERT_EQ(push_blob(client, "team/app", kConfig).status, 201);
  std::atomic<int> created = 0;
  std::atomic<int> refused = 0;
  in_parallel(server, 8, [&](std::size_t i, WireClient& each) {
    const int status = push_manifest(each, "team/app", "v1", image(std::to_string(i)), {{"If-None-Match", "*"}}).status;
    created += status == 201;
    refused += status == 412;
  });
  EXPECT_EQ(created, 1);
  EXPECT_EQ(refused, 7);
}

TEST(Tags, CompareAndSwapLosesNoUpdate) {  // M6
  constexpr int kEach = 5;
  TestServer server;
  WireClient client(server.port());
  ASSERT_EQ(push_blob(client, "team/app", kConfig).status, 201);
  ASSERT_EQ(push_manifest(client, "team/app", "v1", image("0")).status, 201);
  in_parallel(server, 4, [](std::size_t, WireClient& each) {
    for (int done = 0; done < kEach;) {
      const WireResponse now = each.ask("GET", "/v2/team/app/manifests/v1");
      const std::size_t at = now.body.rfind(":\"") + 2;
      const int count = std::stoi(now.body.substr(at));
      const Fields fields{{"If-Match", now.field("ETag").value_or("")}};
      const int status = push_manifest(each, "team/app", "v1", image(std::to_string(count + 1)), fields).status;
      done += status == 201;
      if (status != 201 && status != 412) return;
    }
  });
  EXPECT_EQ(client.ask("GET", "/v2/team/app/manifests/v1").body, image(std::to_string(4 * kEach)));
}

TEST(Deletes, AManifestAndTheDeletionOfItsBlobNeverBothSucceed) {  // D2, V7, S27
  for (int round = 0; round < 5; ++round) {
    TestServer server;
    WireClient client(server.port());
    ASSERT_EQ(push_blob(client, "team/app", kConfig).status, 201);
    int put = 0;
    int removed = 0;
    in_parallel(server, 2, [&](std::size_t i, WireClient& each) {
      if (i == 0) put = push_manifest(each, "team/app", "v1", image("x")).status;
      if (i == 1) removed = each.ask("DELETE", blob_path("team/app", kConfig)).status;
    });
    const bool consistent = (put == 201 && removed == 405) || (put == 400 && removed == 202);
    EXPECT_TRUE(consistent) << "PUT " << put << ", DELETE " << removed;
  }
}

}  // namespace
}  // namespace berth::test
