// What a proxy in front knows of its client's connection: the cookie of a browser's session is "__Host-" and Secure
// where that connection is encrypted, whoever ends the TLS, and nobody else's word for it counts (S24, S25).
#include "support/test_accounts.h"
#include "support/test_server.h"

#include <gmock/gmock.h>

namespace berth::test {
namespace {

using ::testing::StartsWith;

constexpr const char* kProxyHeader = "PROXY TCP4 203.0.113.7 192.0.2.1 1234 443\r\n";

struct Row {
  const char* trusted;
  const char* said_first;    // before the request: a PROXY header
  const char* external_url;  // of the server
  const char* forwarded;     // X-Forwarded-Proto; "" sends none
  bool is_secure;
  const char* why;
};

constexpr Row kRows[] = {
    {"127.0.0.1", "", "https://reg.example.com", "https", true, "the proxy ends TLS and says so"},
    {"127.0.0.1", "", "https://reg.example.com", "", true, "it need not say what external_url does"},
    {"127.0.0.1", "", "https://reg.example.com", "http", false, "it knows better: the client came without TLS"},
    {"127.0.0.1", "", "http://reg.example.com", "https", true, "the same the other way round"},
    {"127.0.0.1", "", "http://reg.example.com", "", false, "without TLS outside"},
    {"127.0.0.1", "", "", "https", true, "its word is enough"},
    {"127.0.0.1", "", "", "", false, "nobody says anything"},
    {"10.0.0.0/8", "", "https://reg.example.com", "https", false, "a stranger's word"},
    {"10.0.0.0/8", "", "https://reg.example.com", "", false, "past the proxy, without TLS"},
    {"127.0.0.1", kProxyHeader, "https://reg.example.com", "https", true, "the connection is the proxy's"},
    {"127.0.0.1", kProxyHeader, "https://reg.example.com", "", true, "whoever its client is"},
    {"127.0.0.1", kProxyHeader, "https://reg.example.com", "http", false, "it knows better there, too"},
    {"127.0.0.1", kProxyHeader, "", "https", true, "its word is enough there, too"},
};

WireResponse ask_through(WireClient& client, const Row& row, WireRequest request) {
  client.open();
  if (*row.said_first != '\0') EXPECT_TRUE(client.send(row.said_first));
  if (*row.forwarded != '\0') request.fields.emplace_back("X-Forwarded-Proto", row.forwarded);
  WireResponse response = client.ask(request);
  client.close();
  return response;
}

TEST(Forwarded, TheCookieOfASessionFitsTheConnectionOfTheBrowser) {
  for (const Row& row : kRows) {
    TestServer server(
        {.anonymous = api::Anonymous::off, .external_url = row.external_url, .adjust = [&](app::ServeConfig& config) {
           config.trusted_proxies = {row.trusted};
           config.proxy_protocol = *row.said_first != '\0';
         }});
    TestAccounts accounts(server);
    ASSERT_TRUE(accounts.add_user("ann", "pw-ann"));
    WireClient client(server.port());
    const Fields form{{"Content-Type", "application/x-www-form-urlencoded"}, {"Sec-Fetch-Site", "same-origin"}};
    const WireResponse in = ask_through(client, row, {"POST", "/login", form, "name=ann&password=pw-ann"});
    const std::string cookie = in.field("Set-Cookie").value_or("");
    EXPECT_THAT(cookie, StartsWith(row.is_secure ? "__Host-berth=" : "berth=")) << row.why;
    EXPECT_EQ(cookie.ends_with("; Secure"), row.is_secure) << row.why;
    const Fields brought{{"Cookie", cookie.substr(0, cookie.find(';'))}};
    EXPECT_EQ(ask_through(client, row, {"GET", "/settings/tokens", brought, ""}).status, 200) << row.why;
  }
}

}  // namespace
}  // namespace berth::test
