#include "http/target.h"

#include <gtest/gtest.h>

namespace berth::http {
namespace {

using namespace std::string_literals;

std::vector<std::string> to_strings(const Path& path) { return {path.begin(), path.end()}; }

struct PathRow {
  std::string path;
  std::vector<std::string> segments;
  const char* why;
};

TEST(SplitPath, Accepted) {  // G6
  const PathRow rows[] = {
      {"/", {""}, "the root has one empty segment"},
      {"/v2", {"v2"}, "no trailing slash"},
      {"/v2/", {"v2", ""}, "the slashed form differs by an empty segment"},
      {"/v2/a/b/manifests/latest", {"v2", "a", "b", "manifests", "latest"}, "plain"},
      {"/v2//a", {"v2", "", "a"}, "double slashes are never merged"},
      {"//", {"", ""}, "nothing but empty segments"},
      {"/v2/a/blobs/sha256%3Aab", {"v2", "a", "blobs", "sha256:ab"}, "%3A for a colon"},
      {"/v2/a/blobs/sha256%3aab", {"v2", "a", "blobs", "sha256:ab"}, "lowercase escape"},
      {"/%61%62/%63", {"ab", "c"}, "escapes in several segments"},
      {"/a%25%32%46b", {"a%2Fb"}, "decoded once: an escaped escape stays text"},
      {"/a+b", {"a+b"}, "plus is a plus in a path"},
      {"/a%20b", {"a b"}, "a space is left to the name grammars"},
      {"/v2/a/manifests/1..2", {"v2", "a", "manifests", "1..2"}, "dots inside a tag are legal (G2)"},
      {"/...", {"..."}, "three dots are a name like any other"},
      {"/%c3%a9", {"\xc3\xa9"}, "bytes beyond ASCII are left to the name grammars"},
  };
  for (const PathRow& row : rows) {
    const Result<Path> path = split_path(row.path);
    ASSERT_TRUE(path) << row.path << ": " << row.why;
    EXPECT_EQ(to_strings(*path), row.segments) << row.path << ": " << row.why;
  }
}

TEST(SplitPath, Refused) {  // G6, S14
  const struct {
    std::string path;
    const char* why;
  } rows[] = {
      {"", "no slash"},
      {"v2/", "no leading slash"},
      {"*", "not a path"},
      {"/a/../b", "dot-dot segment"},
      {"/a/./b", "dot segment"},
      {"/..", "dot-dot at the end"},
      {"/%2e%2E/b", "escaped dot-dot"},
      {"/.%2e", "half escaped dot-dot"},
      {"/a%2Fb", "escaped slash"},
      {"/a%2fb", "escaped slash, lowercase"},
      {"/a%00b", "escaped NUL"},
      {"/a%0d%0ab", "escaped line end"},
      {"/a%7f", "escaped DEL"},
      {"/a\x01", "raw control byte"},
      {"/a%", "cut escape"},
      {"/a%4", "cut escape"},
      {"/a%zz", "not hex"},
      {"/a%4/b", "an escape does not span segments"},
      {"/a%+1", "sign in an escape"},
  };
  for (const auto& row : rows) {
    const Result<Path> path = split_path(row.path);
    ASSERT_FALSE(path) << row.path << ": " << row.why;
    EXPECT_EQ(path.error().code, Errc::request_malformed) << row.path << ": " << row.why;
  }
}

TEST(SplitPath, BoundsTheNumberOfSegments) {  // S1
  std::string path;
  for (int i = 0; i < 256; ++i) path += "/a";
  EXPECT_TRUE(split_path(path)) << "room for the longest legal name of single letters (G1)";
  EXPECT_FALSE(split_path(path + "/a"));
}

TEST(SplitPath, DecodedTextSurvivesAMove) {
  Result<Path> first = split_path("/%61bc/d");
  ASSERT_TRUE(first);
  const Path moved = std::move(*first);
  EXPECT_EQ(moved[0], "abc");
  EXPECT_EQ(moved[1], "d");
}

struct QueryRow {
  std::string query;
  std::string name;
  std::optional<std::string> value;
  const char* why;
};

TEST(Query, Single) {  // G7
  const QueryRow rows[] = {
      {"", "a", std::nullopt, "empty query"},
      {"a=1", "a", "1", "plain"},
      {"a=1", "A", std::nullopt, "names are case-sensitive"},
      {"b=2&a=1", "a", "1", "order does not matter"},
      {"ns=docker.io&a=1&origin=x", "a", "1", "unknown names are ignored"},
      {"a", "a", "", "a name alone has an empty value"},
      {"a=", "a", "", "empty value"},
      {"&&a=1&", "a", "1", "empty pieces are skipped"},
      {"a=b=c", "a", "b=c", "only the first equals sign separates"},
      {"a=x+y%20z", "a", "x y z", "plus and %20 are spaces"},
      {"a=%2B", "a", "+", "an escaped plus is a plus"},
      {"a=%252B", "a", "%2B", "decoded once"},
      {"%61=1", "a", "1", "names are decoded too"},
      {"digest=sha256%3Aab", "digest", "sha256:ab", "escaped colon"},
      {"digest=sha256:ab", "digest", "sha256:ab", "bare colon"},
      {"a=1&a=1", "a", "1", "the same value twice is no contradiction"},
      {"=1&a=2", "a", "2", "an empty name is just unknown"},
  };
  for (const QueryRow& row : rows) {
    const Result<Query> query = Query::parse(row.query);
    ASSERT_TRUE(query) << row.query << ": " << row.why;
    const auto value = query->single(row.name);
    ASSERT_TRUE(value) << row.query << ": " << row.why;
    EXPECT_EQ(*value, row.value) << row.query << ": " << row.why;
    EXPECT_EQ(query->has(row.name), row.value.has_value()) << row.query << ": " << row.why;
  }
}

TEST(Query, ContradictingValuesAreRefused) {  // G7
  const Result<Query> query = Query::parse("n=1&last=x&n=2");
  ASSERT_TRUE(query);
  const auto value = query->single("n");
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().code, Errc::parameter_invalid);
  EXPECT_TRUE(query->single("last")) << "only the parameter asked for matters";
}

TEST(Query, MalformedEscapesAreRefused) {  // G7
  for (const char* text : {"a=%", "a=%4", "a=%zz", "%=1", "a=1&b=%g0"}) {
    const Result<Query> query = Query::parse(text);
    ASSERT_FALSE(query) << text;
    EXPECT_EQ(query.error().code, Errc::request_malformed) << text;
  }
}

TEST(Query, TellsTheFirstParameterThatNobodyKnows) {
  constexpr std::string_view kNames[] = {"limit", "cursor"};
  const struct {
    std::string_view query;
    std::optional<std::string_view> expected;
  } rows[] = {
      {"", std::nullopt},
      {"limit=1&cursor=x&limit=2", std::nullopt},
      {"limit=1&x=2&y=3", "x"},
      {"Limit=1", "Limit"},
      {"li%6Dit=1", std::nullopt},
      {"limit", std::nullopt},
      {"=1", ""},
  };
  for (const auto& row : rows) {
    const Result<Query> query = Query::parse(row.query);
    ASSERT_TRUE(query.has_value()) << row.query;
    EXPECT_EQ(query->first_beyond(kNames), row.expected) << row.query;
  }
}

TEST(Query, AllKeepsOrderAndRepetition) {  // M5
  const Result<Query> query = Query::parse("tag=b&x=1&tag=a&tag=b");
  ASSERT_TRUE(query);
  EXPECT_EQ(query->all("tag"), (std::vector<std::string>{"b", "a", "b"}));
  EXPECT_TRUE(query->all("none").empty());
}

TEST(Query, BoundsTheNumberOfParameters) {  // S1
  std::string text;
  for (std::size_t i = 0; i < Query::kParametersMax; ++i) text += "a&";
  EXPECT_TRUE(Query::parse(text));
  EXPECT_FALSE(Query::parse(text + "a"));
}

TEST(Query, MediaTypePlusSurvives) {  // G7
  const Result<Query> query = Query::parse("artifactType=application/vnd.example.sbom.v1+json");
  ASSERT_TRUE(query);
  EXPECT_EQ(media_type_value(query->all("artifactType").front()), "application/vnd.example.sbom.v1+json");
}

TEST(PercentEncode, RoundTripsThroughTheQuery) {
  std::string every_byte;
  for (int c = 0; c < 256; ++c) every_byte += static_cast<char>(c);
  const Result<Query> query = Query::parse("a=" + percent_encode(every_byte));
  ASSERT_TRUE(query);
  EXPECT_EQ(query->all("a"), std::vector<std::string>{every_byte});
  EXPECT_EQ(percent_encode("aZ09-._~"), "aZ09-._~");
  EXPECT_EQ(percent_encode("a/b:c+d \xff"), "a%2Fb%3Ac%2Bd%20%FF");
}

}  // namespace
}  // namespace berth::http
