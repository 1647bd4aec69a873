// The runner of transcripts must be able to fail: each row is a small transcript, and what has to be said about it.
#include "support/transcript.h"

#include "support/temp_dir.h"
#include "support/transcript_match.h"
#include "support/transcript_run.h"
#include "support/transcript_values.h"

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <fstream>

namespace berth::test {
namespace {

struct Row {
  const char* transcript;
  const char* complaint;  // a part of the failure; empty: it holds
};

const Row kRows[] = {
    {"GET /v2/\n< 200\n<<= {}\n", ""},
    {"GET /v2/\n< 201\n", "line 2: expected status 201"},
    {"GET /v2/\n< 200\n<<= {} \n", "expected exactly this body of 3 bytes"},
    {"GET /v2/\n< 200\n<<= []\n", "expected exactly this body"},
    {"GET /v2/\n< 200\n< Content-Length: 3\n", "Content-Length: expected 3"},
    {"GET /v2/\n< 200\n< Content-Length: {{*:hex2}}\n", "Content-Length: expected"},
    {"GET /v2/\n< 200\n< Etag: x\n", "Etag is missing"},
    {"GET /v2/\n< 200\n< !Date\n", "Date must be absent"},
    {"GET /v2/\n< 200\n<< {\"a\":1}\n", "$.a is missing"},
    {"GET /v2/x\n< 404\n<! BLOB_UNKNOWN\n", "line 3: expected BLOB_UNKNOWN"},
    {"GET /v2/x\n< 404\n<! NAME_UNKNOWN\n<! NAME_UNKNOWN\n", "expected 2 errors, got 1"},
    {"GET /v2/x\n< 404\n<! NAME_UNKNOWN {\"a\":1}\n", "detail:"},
    {"GET /v2/\nExpect: 100-continue\n< 100\n< 200\n", "no 100 came first"},
    {"GET /v2/\nConnection: close\n< 200\n\nGET /v2/\n@same\n< 200\n", "the server closed the connection"},
    {"GET {{nothing}}\n< 200\n", "nothing has this name"},
    {"@blob team/app nothing\n", "nothing is named nothing"},
    {"@text b = x\n@manifest team/app v1 b\n", "answered 400"},
    {"@unheard of\n", "cannot be understood"},
    {"@server policy=loose\n", "no such option"},
    {"> GET /v2/ HTTP/1.1\n>\n< 200\n", "expected status 200"},
    {"GET /v2/\n< 200\n<<! {\n", "line 3: the body holds {"},
    {"GET /v2/\n< 200\n<<! [\n", ""},
    {"@user ann pw-ann\nGET /v2/\n< 401\n<! UNAUTHORIZED\n", ""},
    {"@user ann pw-ann\nGET /v2/\nAuthorization: {{basic:ann:pw-ann}}\n< 200\n", ""},
    {"@user ann pw-ann\nGET /v2/\nAuthorization: {{basic:ann:pw-bob}}\n< 200\n", "expected status 200"},
    {"@user ann pw-ann\nGET /v2/\nAuthorization: Bearer {{token:ann:pw-ann:}}\n< 200\n", ""},
    {"@user ann pw-ann\nGET /v2/\nAuthorization: Bearer {{token:ann:pw-bob:}}\n< 200\n", "/token answers 401"},
    {"@user ann much-too-long\n", "at most 7 bytes"},
    {"@user ann pw-ann\n@org acme bob\n", "there is no user bob"},
    {"@user ann pw-ann\n@grant ann ann/app everything\n", "it is written @grant"},
    {"@visibility team/app public\n", "there is no repository team/app"},
    {"@as somebody\n", "@as NAME PASSWORD"},
    {"@text b = x\n@blob team/app b\n@same /v2/team/app/blobs/{{sha256:b}}\n", ""},
};

TEST(TranscriptRunner, SaysWhatDiffers) {
  const TempDir folder(TempDir::Where::memory);
  for (const Row& row : kRows) {
    const std::string path = folder / "row.http";
    std::ofstream(path) << row.transcript;
    testing::TestPartResultArray results;
    {
      testing::ScopedFakeTestPartResultReporter reporter(
          testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &results);
      run_transcript(path);
    }
    const std::string complaint = row.complaint;
    ASSERT_EQ(results.size(), complaint.empty() ? 0 : 1) << row.transcript;
    if (!complaint.empty())
      EXPECT_PRED_FORMAT2(testing::IsSubstring, complaint, results.GetTestPartResult(0).message());
  }
}

TEST(TranscriptParser, RefusesWhatItDoesNotUnderstand) {
  for (const char* text : {"get /v2/\n< 200\n", "GET /v2/\n", "GET /v2/\nnot a field\n< 200\n", "GET /v2/\n< what\n",
                           "@body open\nx\n", "GET /v2/\n< 200\nstray\n"}) {
    EXPECT_FALSE(parse_transcript(text)) << text;
  }
}

TEST(TranscriptValues, Expand) {
  TranscriptValues values;
  values.set("a", "hello");
  constexpr std::pair<const char*, const char*> kExpanded[] = {
      {"{{a}} {{a[1:3]}}{{a[4:]}}", "hello elo"},
      {"{{size:a}} {{base64:a}} {{enc:a/b:c d}}", "5 aGVsbG8= a%2Fb%3Ac%20d"},
      {"{{sha256:a}}", "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"},
      {"{{repeat:3:{{a}},}}|{{hexbytes:4142}}", "hello,hello,hello,|AB"},
      {"{\"x\":{{{a}}}}", "{\"x\":{hello}}"},
      {"<{{fill:8}}>", "<xxxxxx>"},
      {"{{*}} {{*n:hex4}}", "{{*}} {{*n:hex4}}"},
      {"{{desc:a/b:a}}",
       R"({"mediaType":"a/b","digest":"sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824","size":5})"},
  };
  for (const auto& [text, expanded] : kExpanded) EXPECT_EQ(values.expand(text).value_or("(none)"), expanded) << text;
  for (const char* text : {"{{b}}", "{{a[9:]}}", "{{nonsense:a}}", "{{a", "xx{{fill:1}}", "{{hexbytes:4}}"}) {
    EXPECT_FALSE(values.expand(text)) << text;
  }
}

TEST(TranscriptPattern, Matches) {
  std::map<std::string, std::string> captured;
  EXPECT_TRUE(match_pattern("a{{*x}}c{{*}}", "abbc", captured));
  EXPECT_EQ(captured["x"], "bb");
  EXPECT_TRUE(match_pattern("{{*id:hex4}}", "00ff", captured));
  EXPECT_EQ(captured["id"], "00ff");
  EXPECT_FALSE(match_pattern("{{*id:hex4}}", "00fg", captured));
  EXPECT_FALSE(match_pattern("{{*id:hex4}}", "00fff", captured));
  EXPECT_TRUE(match_pattern("0-{{*:digits}}", "0-17", captured));
  EXPECT_FALSE(match_pattern("0-{{*:digits}}", "0-", captured));
  EXPECT_FALSE(match_pattern("a{{*}}c", "ab", captured));
  EXPECT_EQ(match_json(R"({"a":[{"b":"{{*}}"}],"c":"{{!}}"})", R"({"a":[{"b":"x","d":1}]})", captured), "");
  EXPECT_NE(match_json(R"({"a":[{}]})", R"({"a":[]})", captured), "");
  EXPECT_NE(match_json(R"({"c":"{{!}}"})", R"({"c":1})", captured), "");
  EXPECT_NE(match_json(R"({"a":1})", R"({"a":"1"})", captured), "");
}

struct PromiseRow {
  int status;
  Fields fields;
  std::string body;
  const char* complaint;
  const char* target = "/v2/";
};

TEST(Promises, AreCheckedOnEveryAnswer) {  // H1-H5, H8, H9, S24
  const Fields base{{"Docker-Distribution-Api-Version", "registry/2.0"}, {"X-Content-Type-Options", "nosniff"}};
  const std::string error = R"({"errors":[{"code":"NAME_UNKNOWN","message":"m"}]})";
  const std::string problem =
      R"({"type":"/help/errors/x","title":"t","status":404,"detail":"d","code":"x","request_id":"r"})";
  const std::pair<std::string, std::string> kept{"Cache-Control", "no-store"};
  const auto with = [&](Fields more) {
    more.insert(more.end(), base.begin(), base.end());
    return more;
  };
  const Fields json{{"Content-Length", "1"}, {"Content-Type", "application/json"}};
  const auto with_json = [&](const char* name, const char* value) {
    Fields fields = json;
    fields.emplace_back(name, value);
    return with(fields);
  };
  const PromiseRow rows[] = {
      {200, with(json), "", ""},
      {404, with(json), error, ""},
      {204, base, "", ""},
      {200, {json[0], json[1], base[0]}, "", "H1"},
      {200, base, "", "H2"},
      {200, with_json("Content-Encoding", "gzip"), "", "H2"},
      {200, with({{"Content-Length", "1"}, {"Content-Type", "application/json; charset=utf-8"}}), "", "H3"},
      {404, with({{"Content-Length", "1"}, {"Content-Type", "text/plain"}}), error, "H3"},
      {404, with(json), "not found", "H4"},
      {404, with(json), R"({"errors":[{"code":"TAG_INVALID","message":"m"}]})", "H4"},
      {403, with(json), error, "H4"},
      {404, with(json), R"({"errors":[{"code":"NAME_UNKNOWN","message":""}]})", "H4"},
      {202, with_json("Location", "http://x/v2/"), "", "H5"},
      {200, with_json("Link", "<tags/list>; rel=\"next\""), "", "H5"},
      {405, with(json), R"({"errors":[{"code":"UNSUPPORTED","message":"m"}]})", "H8"},
      {503, with(json), R"({"errors":[{"code":"UNAVAILABLE","message":"m"}]})", "H8"},
      {200, with_json("Warning", "199 - \"x\""), "", "H9"},
      {200, with_json("X-Served-By", "registry.test"), "", "S24"},
      {200, {json[0], json[1], base[1], kept}, "", "", "/api/v1/user"},
      {200, {json[0], json[1], base[1]}, "", "API", "/api/v1/user"},
      {201, {json[0], json[1], base[1], kept, {"Location", "/v2/"}}, "", "H5", "/api/v1/user"},
      {404, {json[0], {"Content-Type", "application/problem+json"}, base[1], kept}, problem, "", "/api/v1/user"},
      {403, {json[0], {"Content-Type", "application/problem+json"}, base[1], kept}, problem, "API", "/api/v1/user"},
      {404, {json[0], json[1], base[1], kept}, problem, "API", "/api/v1/user"},
  };
  for (const PromiseRow& row : rows) {
    WireResponse response;
    response.status = row.status;
    response.fields = row.fields;
    response.body = row.body;
    const auto broken = broken_promises("GET", row.target, response);
    const std::string complaint = row.complaint;
    ASSERT_EQ(broken.size(), complaint.empty() ? 0u : 1u) << row.status << " " << complaint;
    if (!complaint.empty()) EXPECT_TRUE(broken[0].starts_with(complaint)) << broken[0];
  }
}

}  // namespace
}  // namespace berth::test
