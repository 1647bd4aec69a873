#include "app/config_load.h"

#include "app/config_file.h"
#include "base/setting_text.h"
#include "support/temp_dir.h"

#include <gmock/gmock.h>

#include <fstream>
#include <set>

namespace berth::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(SettingText, Sizes) {
  const struct {
    std::string_view text;
    std::int64_t bytes;  // -1: refused
    std::string_view printed;
  } rows[] = {{"0", 0, "0"},
              {"1048576", 1048576, "1 MiB"},
              {"64 MiB", 64 << 20, "64 MiB"},
              {"64MiB", 64 << 20, "64 MiB"},
              {"1.5 KiB", 1536, "1536"},
              {"20 MB", 20'000'000, "20 MB"},
              {"10 TB", 10'000'000'000'000, "10 TB"},
              {"3 B", 3, "3"},
              {"", -1, ""},
              {"MiB", -1, ""},
              {"-1", -1, ""},
              {"1 mb", -1, ""},
              {"1  MiB", -1, ""},
              {".5 MiB", -1, ""},
              {"1. MiB", -1, ""},
              {"1e3", -1, ""},
              {"99999999999 TiB", -1, ""}};
  for (const auto& row : rows) {
    const auto parsed = parse_bytes(row.text);
    ASSERT_EQ(parsed.has_value(), row.bytes >= 0) << row.text;
    if (!parsed) continue;
    EXPECT_EQ(*parsed, row.bytes) << row.text;
    EXPECT_EQ(print_bytes(*parsed), row.printed) << row.text;
  }
}

TEST(SettingText, Durations) {
  const struct {
    std::string_view text;
    std::int64_t ms;
    std::string_view printed;
  } rows[] = {
      {"500ms", 500, "500ms"},   {"30s", 30'000, "30s"}, {"120s", 120'000, "2m"}, {"24h", 86'400'000, "1d"},
      {"7d", 604'800'000, "7d"}, {"0s", 0, "0ms"},       {"30", -1, ""},          {"s", -1, ""},
      {"-1s", -1, ""},           {"1.5s", -1, ""},       {"1 week", -1, ""},      {"99999999999999999d", -1, ""}};
  for (const auto& row : rows) {
    const auto parsed = parse_duration_ms(row.text);
    ASSERT_EQ(parsed.has_value(), row.ms >= 0) << row.text;
    if (!parsed) continue;
    EXPECT_EQ(*parsed, row.ms) << row.text;
    EXPECT_EQ(print_duration_ms(*parsed), row.printed) << row.text;
  }
}

TEST(Settings, EveryDefaultIsReadBackAsItself) {
  for (const Setting& setting : settings()) {
    ServeConfig config;
    config.data_dir = "data";
    const auto value = setting.get(config);
    ServeConfig other;
    EXPECT_TRUE(setting.set(other, value).has_value()) << setting.key;
    EXPECT_EQ(setting.get(other), value) << setting.key;
  }
}

TEST(Settings, KeysFlagsAndVariablesAreUnique) {
  std::set<std::string> seen;
  for (const Setting& setting : settings()) {
    EXPECT_TRUE(seen.insert(setting.key).second) << setting.key;
    EXPECT_TRUE(seen.insert(setting.variable()).second) << setting.key;
    if (!setting.flag.empty()) EXPECT_TRUE(seen.insert(setting.flag).second) << setting.key;
    EXPECT_TRUE(setting.help.ends_with('.')) << setting.key << ": a sentence";
  }
}

struct ConfigLoad : ::testing::Test {
  test::TempDir dir{test::TempDir::Where::memory};
  std::string path = dir.path() + "/server.toml";

  LoadedConfig load(const std::string& text, ConfigSources sources = {}) {
    std::ofstream(path) << text;
    sources.file = path;
    return load_config(sources);
  }
  std::string origin(const LoadedConfig& loaded, std::string_view key) {
    return loaded.origins[static_cast<std::size_t>(find_setting(key) - settings().data())];
  }
};

TEST_F(ConfigLoad, TheStrongerPlaceWins) {
  ConfigSources sources;
  const std::string file = "[limits]\nmanifest = \"1 MiB\"\ntag = 64\nranges = 10\n";
  sources.environment = {
      {"BERTH_LIMITS__TAG", "100"}, {"BERTH_LIMITS__RANGES", "20"}, {"BERTH_TOKEN", "somebody else's"}};
  sources.flags = {{"limits.ranges", {"30"}}};
  const auto loaded = load(file, sources);
  ASSERT_THAT(loaded.problems, IsEmpty());
  EXPECT_EQ(loaded.config.limits.manifest_bytes_max, 1U << 20U);
  EXPECT_EQ(loaded.config.limits.tag_bytes_max, 100U);
  EXPECT_EQ(loaded.config.limits.ranges_max, 30U);
  EXPECT_EQ(origin(loaded, "limits.manifest"), path + ":2");
  EXPECT_EQ(origin(loaded, "limits.tag"), "environment BERTH_LIMITS__TAG");
  EXPECT_EQ(origin(loaded, "limits.ranges"), "flag --limits-ranges");
  EXPECT_EQ(origin(loaded, "limits.descriptors"), "default");
}

TEST_F(ConfigLoad, ListsComeFromEveryPlace) {
  ConfigSources sources;
  sources.environment = {{"BERTH_SERVER__TRUSTED_PROXIES", "10.0.0.0/8, ::1 ,"}, {"BERTH_SERVER__ANONYMOUS", "read"}};
  const auto loaded = load("[server]\nlisten = [\"127.0.0.1:0\", \"unix:/run/b.sock\"]\n", sources);
  ASSERT_THAT(loaded.problems, IsEmpty());
  ASSERT_EQ(loaded.config.listen.size(), 2U);
  EXPECT_EQ(loaded.config.listen[1].kind, ListenAddress::Kind::unix_socket);
  EXPECT_THAT(loaded.config.trusted_proxies, ElementsAre("10.0.0.0/8", "::1"));
}

TEST_F(ConfigLoad, EveryMistakeIsNamedWithItsPlaceAndTheNextStep) {
  const struct {
    std::string text;
    std::size_t line;
    std::string says;
  } rows[] = {
      {"[limits]\nmanifst = 1\n", 2, "unknown key 'limits.manifst'. Did you mean 'limits.manifest'?"},
      {"manifest = 1\n", 1, "Did you mean 'limits.manifest'?"},
      {"[sever]\nlisten = []\n", 2, "Did you mean 'server.listen'?"},
      {"[zzz]\nqqq = 1\n", 2, "unknown key 'zzz.qqq'."},
      {"[limits]\ntag = \"64\"\n", 2, "limits.tag must be a whole number"},
      {"[limits]\ntag = 1000\n", 2, "out of range: 8 to 128"},
      {"[limits]\nmanifest = \"lots\"\n", 2, "a size such as"},
      {"[limits]\nmanifest = true\n", 2, "a size such as"},
      {"[limits]\nidle_timeout = 30\n", 2, "a duration such as \"30s\", in quotes"},
      {"[server]\nlisten = [1]\n", 2, "a list of texts"},
      {"[server]\nlisten = [\"nowhere\"]\n", 2, "HOST:PORT"},
      {"[server]\nproxy_protocol = \"yes\"\n", 2, "true or false"},
      {"[server]\ntrusted_proxies = [\"10.0.0.0/99\"]\n", 2, "0 to 32"},
      {"[server]\nexternal_url = \"registry.example.com\"\n", 2, "https://registry.example.com"},
      {"[log]\nlevel = \"loud\"\n", 2, "debug, info, warn, error or off"},
      {"[log]\nlevel = 2024-01-01\n", 2, "must be a text in quotes"},
      {"[log\nlevel = 1\n", 1, "column"},
      {"[::1:5000", 1, "column"},
      {"[", 1, "column"},
      {"a.:=1\n", 1, "column"},
      {"[log]\nlevel = \"info\"\nlevel = \"warn\"\n", 3, "column"},
  };
  for (const auto& row : rows) {
    const auto loaded = load(row.text);
    ASSERT_EQ(loaded.problems.size(), 1U) << row.text;
    EXPECT_THAT(loaded.problems[0], HasSubstr(path + ":" + std::to_string(row.line) + ":")) << row.text;
    EXPECT_THAT(loaded.problems[0], HasSubstr(row.says)) << row.text;
  }
}

TEST_F(ConfigLoad, AllMistakesAreNamedAtOnce) {
  ConfigSources sources;
  sources.environment = {{"BERTH_LIMITS__TGA", "1"}, {"BERTH_LOG__LEVEL", "loud"}};
  const auto loaded = load("[limits]\nx = 1\ntag = 0\n", sources);
  EXPECT_THAT(loaded.problems, ElementsAre(HasSubstr("limits.x"), HasSubstr("limits.tag"),
                                           HasSubstr("Did you mean 'BERTH_LIMITS__TAG'?"),
                                           HasSubstr("environment BERTH_LOG__LEVEL: log.level")));
}

TEST_F(ConfigLoad, WhatContradictsItselfIsRefused) {
  const struct {
    std::string text;
    const char* says;
  } rows[] = {
      {"[server]\nlisten = [\"https://127.0.0.1:0\"]\n", "--tls-cert"},
      {"[tls]\ncertificates = [\"a\"]\n", "each certificate needs its key"},
      {"[limits]\ntags_page = 100\ntags_page_max = 10\n", "limits.tags_page is larger"},
      {"[server]\nlisten = []\n", "no address"},
  };
  for (const auto& row : rows) {
    const auto loaded = load(row.text);
    ASSERT_EQ(loaded.problems.size(), 1U) << row.text;
    EXPECT_THAT(loaded.problems[0], HasSubstr(row.says));
  }
}

TEST_F(ConfigLoad, AFileThatIsNotThereIsAnErrorIfItWasAskedFor) {
  ConfigSources sources;
  sources.file = dir.path() + "/none.toml";
  EXPECT_THAT(load_config(sources).problems, ElementsAre(HasSubstr("none.toml")));
}

TEST_F(ConfigLoad, WhatIsShownIsReadBack) {
  const auto loaded = load(
      "[server]\nanonymous = \"read\"\nlisten = [\"[::1]:5\", \"unix:/x y\\u007f\\t\"]\n[log]\naccess = \"off\"\n");
  ASSERT_THAT(loaded.problems, IsEmpty());
  const std::string shown = render_config(loaded, ShowOrigins::yes);
  EXPECT_THAT(shown, HasSubstr("anonymous = \"read\"  # " + path + ":2"));
  const auto again = load(shown);
  ASSERT_THAT(again.problems, IsEmpty());
  EXPECT_EQ(render_config(again, ShowOrigins::no), render_config(loaded, ShowOrigins::no));
}

}  // namespace
}  // namespace berth::app
