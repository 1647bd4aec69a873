// New limits for a server that runs: connections stay open, and what comes over them next is held to the new ones.
#include "app/descriptors.h"
#include "app/token_keys.h"
#include "server/pushes.h"
#include "support/sqlite_probe.h"
#include "support/test_server.h"

#include <gmock/gmock.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

namespace berth::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// The configuration in force, with a limit changed.
app::ServeConfig with_manifests_up_to(TestServer& server, std::size_t bytes) {
  app::ServeConfig next = server.server().config();
  next.limits.manifest_bytes_max = bytes;
  return next;
}

TEST(Reload, ANewLimitHoldsOnAConnectionThatIsOpen) {  // M2, G8
  TestServer server;
  WireClient client(server.port());
  ASSERT_EQ(push_blob(client, "team/app", kConfig).status, 201);
  const std::string manifest = image(std::string(100'000, 'x'));
  const std::string target = "/v2/" + std::string(10'000, 'a');
  ASSERT_EQ(push_manifest(client, "team/app", "before", manifest).status, 201);
  ASSERT_EQ(client.ask("GET", target).status, 404);

  app::ServeConfig next = with_manifests_up_to(server, 64 * 1024);
  next.http.target_bytes_max = 8 * 1024;
  next.http.idle_timeout_ms = 5'000;
  const auto report = server.server().reload(next);
  ASSERT_TRUE(report.has_value()) << report.error().message;
  EXPECT_THAT(report->applied, ElementsAre("limits.manifest", "limits.url", "limits.idle_timeout"));
  EXPECT_THAT(report->need_restart, IsEmpty());

  EXPECT_EQ(push_manifest(client, "team/app", "after", manifest).status, 413);
  EXPECT_EQ(push_manifest(client, "team/app", "after", image("x")).status, 201);
  EXPECT_EQ(client.ask("GET", "/v2/team/app/manifests/before").body, manifest) << "what is stored stays";
  EXPECT_EQ(client.connections_opened(), 1U);
  EXPECT_EQ(client.ask("GET", target).status, 414) << "also for heads, whose parser had the old limit";
}

TEST(Reload, LimitsOfCallersHoldFromTheNextRequest) {
  TestServer server;
  WireClient client(server.port());
  app::ServeConfig next = server.server().config();
  next.subject_limits.requests_per_second = 1;
  next.subject_limits.requests_burst = 1;
  const auto report = server.server().reload(next);
  ASSERT_TRUE(report.has_value()) << report.error().message;
  EXPECT_THAT(report->applied, ElementsAre("limits.subject_requests", "limits.subject_requests_burst"));
  EXPECT_EQ(client.ask("GET", "/v2/").status, 200);
  EXPECT_EQ(client.ask("GET", "/v2/").status, 429);
  EXPECT_EQ(client.ask("GET", "/healthz").status, 200) << "what watches the server is not limited";
  next.subject_limits.requests_per_second = 0;
  ASSERT_TRUE(server.server().reload(next).has_value());
  EXPECT_EQ(client.ask("GET", "/v2/").status, 200);
}

TEST(Reload, ANewMaximumOfConnectionsHoldsForTheNextOne) {  // S22
  constexpr std::size_t kFew = 8;
  TestServer server;
  std::vector<std::unique_ptr<WireClient>> open;
  const auto status_of_one_more = [&] {
    open.push_back(std::make_unique<WireClient>(server.port()));
    return open.back()->ask("GET", "/healthz").status;
  };
  const auto set_max = [&](std::size_t count) {
    app::ServeConfig next = server.server().config();
    next.http.connections_max = count;
    const auto report = server.server().reload(next);
    ASSERT_TRUE(report.has_value()) << report.error().message;
    EXPECT_THAT(report->applied, ElementsAre("limits.connections"));
  };
  while (open.size() <= kFew) EXPECT_EQ(status_of_one_more(), 200);
  set_max(kFew);
  EXPECT_EQ(status_of_one_more(), 503);
  open.pop_back();
  for (const auto& client : open) EXPECT_EQ(client->ask("GET", "/healthz").status, 200) << "those that are open stay";
  set_max(kFew + 2);
  EXPECT_EQ(status_of_one_more(), 200);
  EXPECT_EQ(status_of_one_more(), 503);
  for (const auto& client : open) EXPECT_EQ(client->connections_opened(), 1U);
}

TEST(Reload, ThereAreNoMoreConnectionsThanDescriptorsForThem) {
  TestServer server({.adjust = [](app::ServeConfig& config) { config.descriptors_max = app::kDescriptorsMin; }});
  const std::size_t most = app::plan_descriptors(app::kDescriptorsMin)->connections_max;
  EXPECT_EQ(server.server().config().http.connections_max, most);
  app::ServeConfig next = server.server().config();
  next.http.connections_max = 100'000;
  ASSERT_TRUE(server.server().reload(next).has_value());
  EXPECT_EQ(server.server().config().http.connections_max, most);
  next.http.connections_max = 50;
  ASSERT_TRUE(server.server().reload(next).has_value());
  EXPECT_EQ(server.server().config().http.connections_max, 50U);
}

TEST(Reload, WhatMustNotBeStartedChangesNothing) {
  TestServer server;
  app::ServeConfig next = with_manifests_up_to(server, 64 * 1024);
  next.listen = {{"0.0.0.0", 0}};
  next.anonymous = std::nullopt;
  EXPECT_EQ(server.server().reload(next).error().code, Errc::parameter_invalid);
  EXPECT_EQ(server.server().config().limits.manifest_bytes_max, registry::Limits{}.manifest_bytes_max);
  WireClient client(server.port());
  ASSERT_EQ(push_blob(client, "team/app", kConfig).status, 201);
  EXPECT_EQ(push_manifest(client, "team/app", "v1", image(std::string(100'000, 'x'))).status, 201);
}

TEST(Reload, ANewKeyIsOnRecordOnceWhoeverTakesItOver) {  // A12
  TestServer server;
  const auto rotate = [&] {
    server.clock.advance_ms(1000);
    const auto kid = app::rotate_token_keys(server.data_dir(), server.clock, 1'000'000);
    ASSERT_TRUE(kid.has_value()) << kid.error().message;
  };
  const auto reload = [&] {
    const app::ServeConfig same = server.server().config();
    ASSERT_TRUE(server.server().reload(same).has_value());
  };
  const SqliteProbe probe(server.database_path());
  const auto recorded = [&] {
    return probe.rows("SELECT actor, target, json_extract(detail, '$.keys') FROM audit WHERE action = 'keys.rotated'");
  };
  reload();
  EXPECT_THAT(recorded(), IsEmpty()) << "the first key was made with the folder";
  rotate();
  EXPECT_THAT(recorded(), IsEmpty()) << "the server does not know yet";
  reload();
  EXPECT_THAT(recorded(), ElementsAre("(owner of the data folder)|keys|2"));
  reload();
  EXPECT_EQ(recorded().size(), 1U);
  server.stop();
  server.start();
  EXPECT_EQ(recorded().size(), 1U) << "a start finds what is known";
  server.stop();
  rotate();
  server.start();
  EXPECT_EQ(recorded().back(), "(owner of the data folder)|keys|3") << "or what is not";
  EXPECT_EQ(recorded().size(), 2U);
}

TEST(Reload, TheSameAgainChangesNothing) {
  TestServer server;
  const app::ServeConfig same = server.server().config();
  const auto report = server.server().reload(same);
  ASSERT_TRUE(report.has_value());
  EXPECT_THAT(report->applied, IsEmpty());
  EXPECT_THAT(report->need_restart, IsEmpty());
}

TEST(Reload, RequestsThatRunMeanwhileSeeTheOldLimitOrTheNew) {
  TestServer server;
  const std::string large = image(std::string(100'000, 'x'));
  WireClient setup(server.port());
  ASSERT_EQ(push_blob(setup, "team/app", kConfig).status, 201);
  std::atomic<bool> done{false};
  std::atomic<int> accepted{0};
  std::atomic<int> refused{0};
  std::vector<std::thread> pushers;
  for (int i = 0; i < 2; ++i) {
    pushers.emplace_back([&] {
      WireClient client(server.port());
      while (!done) {
        const int status = push_manifest(client, "team/app", "v1", large).status;
        EXPECT_TRUE(status == 201 || status == 413) << status;
        ++(status == 201 ? accepted : refused);
      }
      EXPECT_EQ(client.connections_opened(), 1U);
    });
  }
  for (int round = 0; accepted < 20 || refused < 20; ++round) {
    EXPECT_TRUE(
        server.server().reload(with_manifests_up_to(server, round % 2 == 0 ? 64 * 1024 : 1024 * 1024)).has_value());
  }
  done = true;
  for (std::thread& thread : pushers) thread.join();
}

}  // namespace
}  // namespace berth::test
