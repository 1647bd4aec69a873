// A refusal reaches the client although it is still sending (H7). This one listens only when it is stopped.
#include "server/pushes.h"
#include "support/running_clock.h"
#include "support/test_server.h"

namespace berth::test {
namespace {

constexpr std::size_t kLarge = 20 * 1024 * 1024;  // far beyond what is read away after an answer
constexpr std::size_t kSmall = 300 * 1024;        // well within

struct Refusal {
  const char* method;
  std::string target;
  Fields fields;
  int status;
  const char* why;
};

std::vector<Refusal> refusals(WireClient& client) {
  const std::string session = open_session(client, "team/app");
  return {
      {"PUT", "/v2/team/app/manifests/v1", {}, 413, "a manifest that is too large (M2)"},
      {"PATCH", "/v2/team/app/blobs/uploads/00000000000000000000000000000000", {}, 404, "no such session"},
      {"PATCH", session, {{"Content-Range", concat("7-", kLarge + 6)}}, 416, "a chunk out of place (U5)"},
      {"PUT", session, {}, 400, "no digest to close with (U8)"},
      {"POST", "/v2/Team/app/blobs/uploads/?digest=" + sha256_of("x"), {}, 400, "no such name (G1)"},
      {"POST", "/v2/team/app/blobs/uploads/?digest=sha256:x", {}, 400, "no such digest (G3)"},
      {"PUT", "/v2/_catalog", {}, 405, "the wrong method (H8)"},
  };
}

TestServer::Options attentive(api::Anonymous anonymous = api::Anonymous::write) {
  TestServer::Options options{.anonymous = anonymous};
  options.http.tick_interval_ms = 5;
  return options;
}

void expect_refusals(bool chunked) {
  TestServer server(attentive());
  const RunningClock soon(server.clock);
  WireClient client(server.port());
  const std::string body(kLarge, 'x');
  for (const Refusal& row : refusals(client)) {
    WireRequest request{.method = row.method, .target = row.target, .fields = row.fields, .body = body};
    if (chunked) request.chunk_bytes = 1024 * 1024;
    const WireResponse response = client.ask(request);
    EXPECT_EQ(response.status, row.status) << row.why << ": " << response.problem;
    EXPECT_EQ(response.field("Content-Type"), "application/json") << row.why;
    EXPECT_TRUE(response.body.starts_with(R"({"errors":[{"code":")")) << row.why;
  }
}

TEST(EarlyAnswer, ReachesAClientWithALongBody) { expect_refusals(false); }        // H7
TEST(EarlyAnswer, ReachesAClientWithALongChunkedBody) { expect_refusals(true); }  // H7

TEST(EarlyAnswer, ReachesACallerWhoMayNotPush) {  // H7, H8
  TestServer server(attentive(api::Anonymous::read));
  const RunningClock soon(server.clock);
  WireClient client(server.port());
  const std::string body(kLarge, 'x');
  const WireResponse refused = client.ask("POST", "/v2/team/app/blobs/uploads/?digest=" + sha256_of(body), body);
  EXPECT_EQ(refused.status, 401);
  EXPECT_TRUE(refused.field("WWW-Authenticate"));
}

TEST(EarlyAnswer, ReachesAClientOfAFullDisk) {  // H7, S22
  TestServer server(attentive());
  const RunningClock soon(server.clock);
  server.set_disk(TestServer::Disk::full);
  server.server().run_housekeeping();
  WireClient client(server.port());
  const std::string body(kLarge, 'x');
  const WireResponse refused = client.ask("POST", "/v2/team/app/blobs/uploads/?digest=" + sha256_of(body), body);
  EXPECT_EQ(refused.status, 503);
  EXPECT_TRUE(refused.field("Retry-After"));
}

TEST(EarlyAnswer, KeepsTheConnectionIfTheBodyIsShort) {  // H7, H6
  TestServer server;
  WireClient client(server.port());
  for (const std::size_t chunk_bytes : {0UZ, 10'000UZ}) {
    const WireRequest request{.method = "PATCH",
                              .target = "/v2/team/app/blobs/uploads/none",
                              .body = std::string(kSmall, 'x'),
                              .chunk_bytes = chunk_bytes};
    EXPECT_EQ(client.ask(request).status, 404);
    EXPECT_TRUE(client.is_open());
    EXPECT_EQ(client.ask("GET", "/v2/").status, 200);
  }
  EXPECT_EQ(client.connections_opened(), 1u);
}

}  // namespace
}  // namespace berth::test
