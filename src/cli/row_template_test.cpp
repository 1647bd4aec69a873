#include "cli/row_template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::cli {
namespace {

using ::testing::HasSubstr;

json::Value robot() {
  return *json::parse(
      R"({"name":"acme+ci","id":7,"expires_at":null,"last_used_at":"2026-11-23T10:00:00Z","disabled":false,)"
      R"("repos":["a","b"],"claims":{"ref":"x"}})");
}

std::string rendered(std::string_view text) {
  const auto parsed = RowTemplate::parse(text);
  return parsed ? parsed->render(robot()) : "! " + parsed.error().message;
}

constexpr struct {
  std::string_view text;
  std::string_view made;
  std::string_view why;
} kRows[] = {
    {"{{.Name}}", "acme+ci", "a field alone"},
    {"{{.name}}|{{ .NAME }}|{{.Na_me}}", "acme+ci|acme+ci|acme+ci", "case, blanks and underscores do not matter"},
    {"{{.LastUsedAt}} {{.last_used_at}}", "2026-11-23T10:00:00Z 2026-11-23T10:00:00Z", "docker's way and the JSON's"},
    {"{{.ID}}", "7", "a number"},
    {"<{{.ExpiresAt}}>", "<>", "null is nothing"},
    {"{{.Disabled}} {{.Repos}} {{.Claims}}", R"(no a,b {"ref":"x"})", "as in a table"},
    {R"({{.Name}}\t{{.ID}}\n)", "acme+ci\t7\n", "a tab and a line's end"},
    {R"(\\t{{.ID}}\d\)", R"(\t7\d\)", "any other backslash is one"},
    {"{ {{.ID}} }", "{ 7 }", "single braces are text"},
    {"{{.Unknown}}{{.ID}}", "7", "what is not in this row is empty"},
};

TEST(RowTemplate, PutsTheMembersOfARowInTheirPlaces) {
  for (const auto& row : kRows) EXPECT_EQ(rendered(row.text), row.made) << row.text << ": " << row.why;
}

TEST(RowTemplate, WhatIsNoTemplateGetsASentence) {
  for (const char* text : {"", "tabel", "yaml", "Name", ".Name"})
    EXPECT_THAT(rendered(text), HasSubstr("! a format is table, json, or a text with fields")) << text;
  EXPECT_THAT(rendered("{{.Name"), HasSubstr("is not closed"));
  for (const char* text :
       {"{{Name}}", "{{}}", "{{.}}", "{{json .}}", "{{.Name | upper}}", "{{.A.B}}", "{{range .Names}}"})
    EXPECT_THAT(rendered(text), HasSubstr("is no field; one is written {{.Name}}")) << text;
}

TEST(RowTemplate, AFieldThatIsNoneIsAnErrorThatListsThem) {
  const auto parsed = *RowTemplate::parse("{{.Name}} {{.ExpiresAt}} {{.Nmae}}");
  const auto checked = parsed.check({"name", "expires_at"});
  ASSERT_FALSE(checked.has_value());
  EXPECT_EQ(checked.error().code, Errc::parameter_invalid);
  EXPECT_EQ(checked.error().message, "there is no field 'Nmae' here; the fields are name, expires_at");
  EXPECT_TRUE(parsed.check({"nmae", "name", "expires_at", "more"}).has_value());
}

}  // namespace
}  // namespace berth::cli
