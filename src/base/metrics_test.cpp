#include "base/metrics.h"

#include <gmock/gmock.h>

#include <thread>

namespace berth {
namespace {

using ::testing::HasSubstr;

TEST(Metrics, CountersGaugesAndTheirLabels) {
  Metrics metrics;
  auto& gets = metrics.counter("berth_http_requests_total", "Requests answered.", {{"method", "GET"}, {"code", "200"}});
  metrics.counter("berth_http_requests_total", "(the first help counts)", {{"method", "PUT"}, {"code", "201"}}).add(3);
  metrics.read("berth_disk_free_bytes", "Room on the disk.", Metrics::Kind::gauge, {}, [] { return 1.5e9; });
  gets.add();
  gets.add(2);
  EXPECT_EQ(metrics.text(),
            "# HELP berth_http_requests_total Requests answered.\n"
            "# TYPE berth_http_requests_total counter\n"
            "berth_http_requests_total{method=\"GET\",code=\"200\"} 3\n"
            "berth_http_requests_total{method=\"PUT\",code=\"201\"} 3\n"
            "# HELP berth_disk_free_bytes Room on the disk.\n"
            "# TYPE berth_disk_free_bytes gauge\n"
            "berth_disk_free_bytes 1500000000\n");
}

TEST(Metrics, AHistogramIsCumulativeAndInSeconds) {
  Metrics metrics;
  auto& histogram = metrics.histogram("berth_x_seconds", "X.", {{"route", "blob"}});
  for (const std::int64_t us : {std::int64_t{0}, std::int64_t{100}, std::int64_t{101}, std::int64_t{2'000'000},
                                std::int64_t{999'000'000}, std::int64_t{-5}}) {
    histogram.observe_us(us);
  }
  const std::string text = metrics.text();
  EXPECT_THAT(text, HasSubstr("# TYPE berth_x_seconds histogram\n"));
  EXPECT_THAT(text, HasSubstr("berth_x_seconds_bucket{route=\"blob\",le=\"0.0001\"} 3\n")) << "bounds are inclusive";
  EXPECT_THAT(text, HasSubstr("berth_x_seconds_bucket{route=\"blob\",le=\"0.00025\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("berth_x_seconds_bucket{route=\"blob\",le=\"5\"} 5\n"));
  EXPECT_THAT(text, HasSubstr("berth_x_seconds_bucket{route=\"blob\",le=\"300\"} 5\n"));
  EXPECT_THAT(text, HasSubstr("berth_x_seconds_bucket{route=\"blob\",le=\"+Inf\"} 6\n"));
  EXPECT_THAT(text, HasSubstr("berth_x_seconds_count{route=\"blob\"} 6\n"));
  EXPECT_THAT(text, HasSubstr("berth_x_seconds_sum{route=\"blob\"} 1001.000201\n"));
}

TEST(Metrics, WhatAPersonWroteCannotForgeALine) {
  Metrics metrics;
  metrics.counter("a_total", "one\ntwo \\", {{"v", "x\"}\nb_total 1"}});
  EXPECT_EQ(metrics.text(),
            "# HELP a_total one\\ntwo \\\\\n# TYPE a_total counter\na_total{v=\"x\\\"}\\nb_total 1\"} 0\n");
}

TEST(Metrics, EveryThreadCounts) {
  Metrics metrics;
  auto& counter = metrics.counter("a_total", "A.");
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        for (int k = 0; k < 1000; ++k) counter.add();
      });
    }
  }
  EXPECT_EQ(counter.value(), 8000U);
}

}  // namespace
}  // namespace berth
