#include "app/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::app {
namespace {

using ::testing::HasSubstr;

constexpr struct {
  std::string_view text;
  std::string_view host;  // empty: refused
  std::uint16_t port;
  std::string_view why;
} kListen[] = {
    {"127.0.0.1:5000", "127.0.0.1", 5000, "IPv4"},
    {":5000", "0.0.0.0", 5000, "all addresses"},
    {"0.0.0.0:0", "0.0.0.0", 0, "any free port"},
    {"localhost:65535", "localhost", 65535, "the one name"},
    {"[::1]:5000", "::1", 5000, "IPv6 without its brackets"},
    {"[::]:5000", "::", 5000, "all addresses, IPv6"},
    {"127.0.0.1", "", 0, "no port"},
    {"5000", "", 0, "a port alone"},
    {"127.0.0.1:", "", 0, "empty port"},
    {"127.0.0.1:65536", "", 0, "port too large"},
    {"127.0.0.1:-1", "", 0, "negative port"},
    {"127.0.0.1:+80", "", 0, "signed port"},
    {"127.0.0.1: 80", "", 0, "blank in the port"},
    {"127.0.0.1:80x", "", 0, "something behind the port"},
    {"127.0.0.1:0x50", "", 0, "hexadecimal port"},
    {"::1:5000", "", 0, "IPv6 needs brackets"},
    {"[::1:5000", "", 0, "open bracket"},
    {"[127.0.0.1]:5000", "", 0, "IPv4 in brackets"},
    {"[]:5000", "", 0, "nothing in brackets"},
    {"example.com:5000", "", 0, "names are not resolved"},
    {"127.1:5000", "", 0, "short forms are not guessed"},
    {"256.0.0.1:5000", "", 0, "no such address"},
    {"ftp://127.0.0.1:5000", "", 0, "another scheme"},
    {"", "", 0, "empty"},
};

TEST(Config, ListenAddresses) {
  for (const auto& row : kListen) {
    const auto parsed = parse_listen(row.text);
    ASSERT_EQ(parsed.has_value(), !row.host.empty()) << row.text << ": " << row.why;
    if (parsed) {
      EXPECT_EQ(parsed->host, row.host) << row.why;
      EXPECT_EQ(parsed->port, row.port) << row.why;
    } else {
      EXPECT_EQ(parsed.error().code, Errc::parameter_invalid) << row.why;
      EXPECT_FALSE(parsed.error().message.empty()) << row.why;
    }
  }
}

constexpr struct {
  std::string_view host;
  bool loopback;
} kLoopback[] = {
    {"127.0.0.1", true},   {"127.8.9.10", true}, {"localhost", true},       {"::1", true},
    {"0.0.0.0", false},    {"::", false},        {"192.168.1.10", false},   {"128.0.0.1", false},
    {"10.127.0.1", false}, {"fe80::1", false},   {"::ffff:1.2.3.4", false},
};

TEST(Config, OnlyLoopbackIsLocal) {
  for (const auto& row : kLoopback) EXPECT_EQ(is_local({std::string(row.host), 1}), row.loopback) << row.host;
}

TEST(Config, WordsAreExact) {
  EXPECT_EQ(parse_reference_policy("strict").value(), registry::ReferencePolicy::strict);
  EXPECT_EQ(parse_reference_policy("sparse-index").value(), registry::ReferencePolicy::sparse_index);
  EXPECT_EQ(parse_reference_policy("sparse").value(), registry::ReferencePolicy::sparse);
  EXPECT_EQ(parse_anonymous("off").value(), api::Anonymous::off);
  EXPECT_EQ(parse_anonymous("read").value(), api::Anonymous::read);
  EXPECT_EQ(parse_anonymous("write").value(), api::Anonymous::write);
  EXPECT_EQ(parse_log_level("debug").value(), LogLevel::debug);
  EXPECT_EQ(parse_log_level("off").value(), LogLevel::off);
  for (const char* text : {"", "Strict", "STRICT", "strict ", "sparse_index", "none", "true", "0"}) {
    EXPECT_EQ(parse_reference_policy(text).error().code, Errc::parameter_invalid) << text;
    EXPECT_EQ(parse_anonymous(text).error().code, Errc::parameter_invalid) << text;
    EXPECT_EQ(parse_log_level(text).error().code, Errc::parameter_invalid) << text;
  }
}

TEST(Config, RefusalsNameTheChoices) {
  EXPECT_THAT(parse_reference_policy("x").error().message, HasSubstr("sparse-index"));
  EXPECT_THAT(parse_anonymous("x").error().message, HasSubstr("read"));
  EXPECT_THAT(parse_log_level("x").error().message, HasSubstr("warn"));
  EXPECT_THAT(parse_listen("5000").error().message, HasSubstr("127.0.0.1:5000"));
}

TEST(Config, TheDefaultIsLoopbackAndStrict) {
  ServeConfig config;
  EXPECT_TRUE(is_local(config.listen.front()));
  EXPECT_EQ(config.limits.reference_policy, registry::ReferencePolicy::strict);
  EXPECT_FALSE(config.anonymous.has_value());
}

constexpr struct {
  std::string_view host;
  std::optional<api::Anonymous> anonymous;
  bool allowed;
  std::string_view why;
} kValidate[] = {
    {"127.0.0.1", std::nullopt, true, "nobody else reaches it"},
    {"::1", std::nullopt, true, "nobody else reaches it"},
    {"0.0.0.0", std::nullopt, false, "open to the network by accident"},
    {"::", std::nullopt, false, "open to the network by accident"},
    {"192.168.1.10", std::nullopt, false, "open to the network by accident"},
    {"0.0.0.0", api::Anonymous::write, true, "on purpose"},
    {"0.0.0.0", api::Anonymous::read, true, "on purpose"},
    {"0.0.0.0", api::Anonymous::off, true, "closed to everybody"},
};

TEST(Config, ARegistryThatNobodyOpenedOnPurposeStaysOnLoopback) {
  for (const auto& row : kValidate) {
    ServeConfig config;
    config.data_dir = "data";
    config.listen = {{std::string(row.host), 5000}};
    config.anonymous = row.anonymous;
    const auto checked = check_openness(config);
    ASSERT_EQ(checked.has_value(), row.allowed) << row.host << ": " << row.why;
    if (checked) continue;
    EXPECT_EQ(checked.error().code, Errc::parameter_invalid);
    EXPECT_THAT(checked.error().message, HasSubstr("berth user add")) << "says how to go on";
    EXPECT_THAT(checked.error().message, HasSubstr("--anonymous")) << "says how to go on";
    EXPECT_THAT(checked.error().message, HasSubstr(std::string(row.host)));
  }
}

TEST(Config, ARegistryThatOthersReachThroughAProxyIsOpenedOnPurpose) {
  ServeConfig behind;
  behind.trusted_proxies = {"10.0.0.0/8"};
  EXPECT_THAT(check_openness(behind).error().message, HasSubstr("behind a proxy"));
  ServeConfig outside;
  outside.external_url = "https://registry.example.com";
  EXPECT_THAT(check_openness(outside).error().message, HasSubstr("--anonymous"));
  ServeConfig handed_over;
  handed_over.listen = {*parse_listen("systemd")};
  EXPECT_THAT(check_openness(handed_over).error().message, HasSubstr("--anonymous"));
}

TEST(Config, TokensOfAnotherServerNeedAllThatIsToBeKnownOfIt) {  // A12
  ServeConfig whole;
  whole.data_dir = "data";
  whole.listen = {{"0.0.0.0", 5000}};
  whole.auth_mode = *parse_auth_mode("external");
  whole.external = {.realm = "https://a.example/token", .service = "s", .issuer = "i", .key_files = {"keys.pem"}};
  EXPECT_TRUE(validate(whole));
  EXPECT_TRUE(check_openness(whole)) << "nobody gets in without a token";
  const std::pair<void (*)(ServeConfig&), const char*> rows[] = {
      {[](ServeConfig& config) { config.external.realm = ""; }, "auth.external_realm"},
      {[](ServeConfig& config) { config.external.service = ""; }, "auth.external_service"},
      {[](ServeConfig& config) { config.external.issuer = ""; }, "auth.external_issuer"},
      {[](ServeConfig& config) { config.external.key_files = {}; }, "auth.external_keys"},
      {[](ServeConfig& config) { config.anonymous = api::Anonymous::read; }, "server.anonymous"},
  };
  for (const auto& [change, named] : rows) {
    ServeConfig config = whole;
    change(config);
    const auto checked = validate(config);
    ASSERT_FALSE(checked) << named;
    EXPECT_THAT(checked.error().message, HasSubstr(named));
  }
}

TEST(Config, ADataFolderMustBeGiven) { EXPECT_EQ(validate({}).error().code, Errc::parameter_invalid); }

}  // namespace
}  // namespace berth::app
