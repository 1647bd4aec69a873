#include "base/error.h"

#include <gtest/gtest.h>

#include <set>

namespace berth {
namespace {

TEST(Errc, EveryCodeHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (int code = 0; code <= static_cast<int>(Errc::internal); ++code) {
    const std::string_view name = to_string(static_cast<Errc>(code));
    EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string_view::npos) << name;
    EXPECT_TRUE(names.insert(name).second) << name << " twice";
  }
  EXPECT_EQ(to_string(Errc::internal), "internal");
  EXPECT_EQ(to_string(Errc::manifest_blob_unknown), "manifest_blob_unknown");
}

TEST(Error, CarriesWhatTheCodeSpeaksOf) {
  const Error range = Error(Errc::upload_range, "message", "cause").with_number(42);
  EXPECT_EQ(range.number, 42U);
  EXPECT_EQ(range.message, "message");
  EXPECT_EQ(range.cause, "cause");
  const Error missing = Error(Errc::manifest_blob_unknown).with_items({"a", "b"});
  EXPECT_EQ(missing.items, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(Error().code, Errc::internal) << "what nobody classified is our own fault";
}

}  // namespace
}  // namespace berth
