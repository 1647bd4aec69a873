#include "base/log.h"

#include "base/json.h"

#include <gtest/gtest.h>

namespace berth {
namespace {

/// The lines that `write` puts on standard error.
std::vector<std::string> lines_of(LogLevel level, const std::function<void(const Log&)>& write) {
  ::testing::internal::CaptureStderr();
  {
    const Log log(level);
    write(log);
  }
  const std::string text = ::testing::internal::GetCapturedStderr();
  std::vector<std::string> out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    out.push_back(text.substr(at, end - at));
    at = end == std::string::npos ? text.size() : end + 1;
  }
  return out;
}

TEST(Log, ALineIsOneJsonObject) {
  const auto lines = lines_of(LogLevel::info, [](const Log& log) {
    log.info("manifest.put", {f("repo", "team/app"), f("bytes", std::uint64_t{12}), f("ms", -1)});
  });
  ASSERT_EQ(lines.size(), 1U);
  const auto line = json::parse(lines[0]);
  ASSERT_TRUE(line.has_value()) << lines[0];
  EXPECT_EQ(line->find("event")->string(), "manifest.put");
  EXPECT_EQ(line->find("level")->string(), "info");
  EXPECT_EQ(line->find("repo")->string(), "team/app");
  EXPECT_NE(lines[0].find(R"("bytes":12)"), std::string::npos) << "a number, not a string";
  EXPECT_NE(lines[0].find(R"("ms":-1)"), std::string::npos);
}

TEST(Log, WhatComesFromOutsideCannotForgeALine) {  // S23
  for (const std::string& hostile :
       {std::string("a\nb"), std::string("a\"b\\"), std::string("a\r\n{\"level\":\"error\"}"), std::string("a\0b", 3),
        std::string("%v %n {}"), std::string("\xff\xfe"), std::string("\x1b[31m")}) {
    const auto lines = lines_of(LogLevel::info, [&](const Log& log) { log.info("x", {f("err", hostile)}); });
    ASSERT_EQ(lines.size(), 1U) << ::testing::PrintToString(hostile);
    EXPECT_TRUE(json::parse(lines[0]).has_value()) << lines[0];
    EXPECT_EQ(lines[0].find('\x1b'), std::string::npos) << "a terminal must not obey it";
  }
}

TEST(Log, LevelsBelowTheChosenOneAreSilent) {
  const auto all = [](const Log& log) {
    log.debug("d", {});
    log.info("i", {});
    log.warn("w", {});
    log.error("e", {});
  };
  EXPECT_EQ(lines_of(LogLevel::debug, all).size(), 4U);
  EXPECT_EQ(lines_of(LogLevel::info, all).size(), 3U);
  EXPECT_EQ(lines_of(LogLevel::warn, all).size(), 2U);
  EXPECT_EQ(lines_of(LogLevel::error, all).size(), 1U);
  EXPECT_EQ(lines_of(LogLevel::off, all).size(), 0U);
  EXPECT_TRUE(Log(LogLevel::info).enabled(LogLevel::warn));
  EXPECT_FALSE(Log(LogLevel::info).enabled(LogLevel::debug));
}

}  // namespace
}  // namespace berth
