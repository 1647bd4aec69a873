// What the server tells its operator: health, readiness, metrics.
#include "server/pushes.h"
#include "support/test_server.h"

#include <gmock/gmock.h>

namespace berth::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

struct Operator : ::testing::Test {
  TestServer server;
  WireClient client{server.port()};

  std::string metrics() { return client.ask("GET", "/metrics").body; }
};

TEST_F(Operator, HealthIsAlwaysWellWhileItAnswers) {
  const WireResponse response = client.ask("GET", "/healthz");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, R"({"status":"ok"})");
  EXPECT_EQ(response.field("Cache-Control"), "no-store");
  server.set_disk(TestServer::Disk::full);
  server.server().run_housekeeping();
  EXPECT_EQ(client.ask("GET", "/healthz").status, 200);
  EXPECT_EQ(client.ask("HEAD", "/healthz").status, 200);
}

TEST_F(Operator, ReadinessNamesWhatIsWrong) {
  EXPECT_EQ(client.ask("GET", "/readyz").status, 200);
  const struct {
    TestServer::Disk disk;
    const char* says;
  } rows[] = {{TestServer::Disk::nearly_full, "nearly full"}, {TestServer::Disk::full, "only deletes"}};
  for (const auto& row : rows) {
    server.set_disk(row.disk);
    server.server().run_housekeeping();
    const WireResponse response = client.ask("GET", "/readyz");
    EXPECT_EQ(response.status, 503);
    EXPECT_THAT(response.body, AllOf(HasSubstr("not ready"), HasSubstr(row.says)));
    EXPECT_TRUE(response.field("Retry-After").has_value());  // H8
  }
}

TEST_F(Operator, TheyAreForReadingAndOpenToMonitorsWithoutAnAccount) {
  TestServer closed({.anonymous = api::Anonymous::off});
  WireClient stranger(closed.port());
  for (const char* path : {"/healthz", "/readyz", "/metrics"}) {
    EXPECT_EQ(stranger.ask("GET", path).status, 200) << path;
    const WireResponse refused = client.ask("POST", path);
    EXPECT_EQ(refused.status, 405) << path;
    EXPECT_EQ(refused.field("Allow"), "GET, HEAD") << path;
  }
  EXPECT_EQ(stranger.ask("GET", "/v2/").status, 401);
}

TEST_F(Operator, EveryRequestIsCountedByRouteMethodAndCode) {
  client.ask("GET", "/v2/");
  client.ask("GET", "/v2/");
  client.ask("GET", "/v2/team/app/manifests/none");
  client.ask("POST", "/v2/team/app/blobs/uploads/");
  client.ask("GET", "/nowhere");
  client.ask("BREW", "/v2/");
  EXPECT_THAT(metrics(),
              AllOf(HasSubstr("berth_http_requests_total{route=\"base\",method=\"GET\",code=\"200\"} 2\n"),
                    HasSubstr("berth_http_requests_total{route=\"manifest\",method=\"GET\",code=\"404\"} 1\n"),
                    HasSubstr("berth_http_requests_total{route=\"upload_start\",method=\"POST\",code=\"202\"} 1\n"),
                    HasSubstr("berth_http_requests_total{route=\"none\",method=\"GET\",code=\"404\"} 1\n"),
                    HasSubstr("berth_http_requests_total{route=\"base\",method=\"other\",code=\"405\"} 1\n"),
                    HasSubstr("berth_http_request_duration_seconds_count{route=\"base\"} 3\n"),
                    HasSubstr("berth_upload_sessions 1\n"), HasSubstr("berth_http_connections 1\n")));
}

TEST_F(Operator, MetricsNameNothingThatIsStored) {
  push_blob(client, "secret-project/app", "layer");
  client.ask("GET", "/v2/secret-project/app/tags/list");
  EXPECT_THAT(metrics(), Not(HasSubstr("secret")));
}

TEST_F(Operator, MetricsSeeBytesSyncsAndCaches) {
  const std::string before = metrics();
  EXPECT_THAT(before, HasSubstr("berth_blob_sync_duration_seconds_count 0\n"));
  push_blob(client, "team/app", std::string(100'000, 'x'));
  const std::string digest = sha256_of(std::string(100'000, 'x'));
  client.ask("HEAD", "/v2/team/app/blobs/" + digest);
  client.ask("HEAD", "/v2/team/app/blobs/" + digest);
  const std::string after = metrics();
  EXPECT_THAT(after, Not(HasSubstr("berth_blob_sync_duration_seconds_count 0\n")));
  EXPECT_THAT(after, HasSubstr("berth_cache_hits_total{cache=\"links\"} 1\n"));
  EXPECT_THAT(after, HasSubstr("berth_cache_misses_total{cache=\"links\"} 1\n"));
  server.clock.advance_ms(60'000);
  server.server().run_housekeeping();
  EXPECT_THAT(metrics(),
              AllOf(HasSubstr("berth_store_repositories 1\n"), HasSubstr("berth_store_used_bytes 100000\n")));
}

TEST_F(Operator, AFailureCarriesAnIdThatTheOperatorCanFind) {
  server.set_disk(TestServer::Disk::full);
  server.server().run_housekeeping();
  const WireResponse refused = client.ask("POST", "/v2/team/app/blobs/uploads/");
  EXPECT_EQ(refused.status, 503);
  EXPECT_TRUE(refused.field("X-Request-Id").has_value());
}

}  // namespace
}  // namespace berth::test
