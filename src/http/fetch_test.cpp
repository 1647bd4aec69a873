// Requests of ours: whom they reach (S17), and what they give up on.
#include "http/fetch.h"

#include "http/test_server.h"

namespace berth::http::test {
namespace {

struct FetchFrom : ::testing::Test {
  Result<FetchResponse> ask(const std::string& host, Reach reach, const Networks* allowed = nullptr) {
    FetchRequest request;
    request.url = "http://" + host + ":" + std::to_string(server.server.port()) + "/echo";
    request.method = "POST";
    request.body = "said";
    request.reach = reach;
    request.allowed = allowed;
    return fetch(request);
  }

  TestServer server;
};

TEST_F(FetchFrom, S17NoSpellingOfThisMachineIsConnectedTo) {
  for (const char* host : {"127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0.0.0.0", "localhost",
                           "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]"}) {
    const auto answer = ask(host, Reach::public_only);
    ASSERT_FALSE(answer.has_value()) << host;
    EXPECT_EQ(answer.error().code, Errc::denied) << host << ": " << answer.error().message;
    EXPECT_TRUE(answer.error().message.contains("not a public address")) << answer.error().message;
  }
  EXPECT_EQ(server.server.counts().accepted, 0U);
}

TEST_F(FetchFrom, S17WhatIsListedMayBeConnectedTo) {
  const Networks listed = *Networks::parse({"127.0.0.1"});
  const auto answer = ask("127.0.0.1", Reach::public_only, &listed);
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_EQ(answer->body, "said");
  const Networks other = *Networks::parse({"127.0.0.2", "10.0.0.0/8"});
  EXPECT_EQ(ask("127.0.0.1", Reach::public_only, &other).error().code, Errc::denied);
}

TEST_F(FetchFrom, APersonAtTheTerminalGoesAnywhere) {
  const auto answer = ask("127.0.0.1", Reach::anywhere);
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_EQ(answer->status, 200);
}

TEST_F(FetchFrom, S17AnAnswerThatIsTooLongIsGivenUp) {
  FetchRequest request;
  request.url = "http://127.0.0.1:" + std::to_string(server.server.port()) + "/big";
  request.bytes_max = 8 * 1024 * 1024;
  EXPECT_EQ(fetch(request).value().body.size(), request.bytes_max) << "inclusive";
  request.bytes_max -= 1;
  EXPECT_TRUE(fetch(request).error().message.contains("too long"));
}

TEST(Fetch, WhatIsNoRequestIsRefused) {
  for (const char* url : {"file:///etc/passwd", "gopher://127.0.0.1/", "http://", ""})
    EXPECT_EQ(fetch({.url = url}).error().code, Errc::parameter_invalid) << url;
  const FetchRequest split{.url = "http://127.0.0.1:1/", .headers = {{"Accept", "a\r\nX-More: b"}}};
  EXPECT_EQ(fetch(split).error().code, Errc::parameter_invalid) << "S23";
}

}  // namespace
}  // namespace berth::http::test
