// The table of default limits in the protocol's checklist (§8), row by row: each is a setting, and has that default.
#include "app/settings.h"

#include <gtest/gtest.h>

namespace berth::app {
namespace {

constexpr struct {
  const char* what;
  const char* key;
  const char* text;          // the default
  const char* least = "";    // no smaller one can be set; empty: any
  const char* smaller = "";  // which is refused
} kRows[] = {
    {"repository name, with the host (G1)", "limits.repository_name", "255"},
    {"tag (G2)", "limits.tag", "128"},
    {"manifest (M2)", "limits.manifest", "4 MiB"},
    {"URL (G8): 8 KiB at least", "limits.url", "16 KiB", "8 KiB", "8191"},
    {"headers (G8): 32 KiB at least", "limits.headers", "64 KiB", "32 KiB", "32767"},
    {"form of a token request (A7)", "limits.token_form", "64 KiB"},
    {"answer to it below 64 KiB (A8): by what it may hold", "limits.token_scopes", "48"},
    {"life of a token: 900 s (A11), a minute at least", "auth.token_life", "15m", "60s", "59s"},
    {"leeway for clocks that differ: 60 s (A12)", "auth.token_leeway", "1m"},
    {"JSON depth (V3)", "limits.json_depth", "64"},
    {"descriptors (V3)", "limits.descriptors", "10000"},
    {"tags per push (M5): ten at least", "limits.tags_per_push", "64", "10", "9"},
    {"ranges per GET (P3)", "limits.ranges", "1024"},
    {"catalog page (L3)", "limits.catalog_page", "100"},
    {"catalog page at most (L3)", "limits.catalog_page_max", "1000"},
    {"tags page without n (L1)", "limits.tags_page", "10000"},
    {"referrers page (R4): 4 MiB with what is around it", "limits.referrers_page", "4092 KiB"},
    {"idle session (U12)", "limits.upload_idle", "1d"},
    {"tombstone of a session (U10)", "limits.upload_tombstone", "10m"},
    {"Warning bytes (H9)", "limits.warnings", "4 KiB"},
};

TEST(ProtocolLimits, EachIsASettingWithThatDefault) {
  for (const auto& row : kRows) {
    const Setting* setting = find_setting(row.key);
    ASSERT_NE(setting, nullptr) << row.what << ": " << row.key;
    EXPECT_EQ(setting->get(ServeConfig{}), std::vector<std::string>{row.text}) << row.what;
  }
}

TEST(ProtocolLimits, WhatClientsRelyOnCannotBeTakenAway) {
  for (const auto& row : kRows) {
    if (std::string_view(row.least).empty()) continue;
    const Setting* setting = find_setting(row.key);
    ASSERT_NE(setting, nullptr) << row.key;
    ServeConfig config;
    EXPECT_TRUE(setting->set(config, {row.least}).has_value()) << row.what;
    EXPECT_EQ(setting->set(config, {row.smaller}).error().code, Errc::parameter_invalid) << row.what;
  }
}

/// A8, G8: a larger number would make tokens that no header holds and no client reads.
TEST(ProtocolLimits, ATokenHoldsNoMoreThanClientsRead) {
  ServeConfig config;
  const Setting* setting = find_setting("limits.token_scopes");
  ASSERT_NE(setting, nullptr);
  EXPECT_TRUE(setting->set(config, {"2"}).has_value());
  EXPECT_FALSE(setting->set(config, {"49"}).has_value());
  EXPECT_FALSE(setting->set(config, {"1"}).has_value()) << "a mount asks for two (A13)";
}

}  // namespace
}  // namespace berth::app
