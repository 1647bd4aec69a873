// Who may see and do what on the pages (S12, S25): every page, by every way to come to it. A page of people who are
// signed in is for the cookie of a session alone; what is posted must come from a page of ours, and of that session.
#include "api/pages/pages.h"
#include "server/authorization_world.h"

namespace berth::test {
namespace {

using http::Method;

struct PageRow {
  Method method;
  const char* path;
  const char* form;     // of a POST, behind the session's own token
  bool is_for_session;  // else for anybody
  int answer;           // to whoever may, on a registry without a provider, where nobody signs himself up
  int in_session = 0;   // to who is signed in, if that is another
};

constexpr PageRow kPages[] = {
    {Method::get, "/login", "", false, 200, 303},
    {Method::post, "/login", "name=nobody&password=wrong", false, 403},
    {Method::post, "/logout", "", true, 303},
    {Method::get, "/signup", "", false, 403},
    {Method::post, "/signup", "name=eve&password=long+enough", false, 403},
    {Method::get, "/login/oidc", "", false, 404},
    {Method::get, "/login/oidc/callback", "", false, 404},
    {Method::get, "/device", "", true, 200},
    {Method::post, "/device", "code=AAAA-AAAA&decision=allow", true, 404},
    {Method::get, "/settings/tokens", "", true, 200},
    {Method::post, "/settings/tokens", "name=page", true, 200},
    {Method::post, "/settings/tokens/revoke", "id=999999", true, 404},
    {Method::get, "/settings/sessions", "", true, 200},
    {Method::post, "/settings/sessions/revoke", "id=999999", true, 404},
    {Method::post, "/settings/link", "", true, 404},
};

/// How somebody comes to a page.
enum class Way : std::uint8_t {
  nobody,
  by_password,  // as a program would: it counts for nothing here
  by_cookie,
  ended_session,
  disabled_account,
  foreign_page,   // the cookie comes along, whatever page in the browser asks
  foreign_token,  // a page of ours, but of another session
};
constexpr Way kWays[] = {Way::nobody,           Way::by_password,  Way::by_cookie,    Way::ended_session,
                         Way::disabled_account, Way::foreign_page, Way::foreign_token};

class PageMatrix : public AuthorizationWorld {
 protected:
  struct Session {
    std::string cookie;
    std::string token;  // of its forms
  };

  void SetUp() override {
    AuthorizationWorld::SetUp();
    mine_ = sign_in("owner");
    other_ = sign_in("reader");
    ended_ = sign_in("writer");
    post("/logout", ended_, "");
    disabled_ = sign_in("disabled");
    must(accounts.set_disabled("disabled", true));
  }

  static Fields from_page(std::string cookie, const char* site = "same-origin") {
    Fields out = {{"Sec-Fetch-Site", site}, {"Content-Type", "application/x-www-form-urlencoded"}};
    if (!cookie.empty()) out.emplace_back("Cookie", std::move(cookie));
    return out;
  }
  WireResponse post(const std::string& path, const Session& session, const std::string& form) {
    return client.ask("POST", path, "csrf=" + session.token + "&" + form, from_page(session.cookie));
  }
  Session sign_in(const std::string& name) {
    const auto done = client.ask("POST", "/login", concat("name=", name, "&password=", kPassword), from_page(""));
    EXPECT_EQ(done.status, 303) << done.body;
    Session out;
    for (const auto& [field, value] : done.fields) {
      if (field == "Set-Cookie" && value.starts_with("berth=")) out.cookie = value.substr(0, value.find(';'));
    }
    const std::string page = client.ask("GET", "/settings/tokens", {}, from_page(out.cookie)).body;
    const std::size_t at = page.find("name=\"csrf\" value=\"") + std::string_view("name=\"csrf\" value=\"").size();
    out.token = page.substr(at, page.find('"', at) - at);
    EXPECT_FALSE(out.cookie.empty() || out.token.empty()) << page;
    return out;
  }

  WireResponse ask(const PageRow& row, Way way) {
    if (way == Way::by_cookie && std::string_view(row.path) == "/logout") return post(row.path, sign_in("owner"), "");
    const Session nobody;
    const Session& session = way == Way::nobody || way == Way::by_password ? nobody
                             : way == Way::ended_session                   ? ended_
                             : way == Way::disabled_account                ? disabled_
                                                                           : mine_;
    Fields fields = from_page(session.cookie, way == Way::foreign_page ? "cross-site" : "same-origin");
    if (way == Way::by_password) fields.emplace_back("Authorization", basic(Caller::owner));
    if (row.method == Method::get) return client.ask("GET", row.path, {}, fields);
    const std::string& token = way == Way::foreign_token ? other_.token : session.token;
    return client.ask("POST", row.path, "csrf=" + token + "&" + row.form, fields);
  }

  /// 303: to the page where one signs in.
  static int expected(const PageRow& row, Way way) {
    const bool posts = row.method == Method::post;
    if (posts && way == Way::foreign_page) return 403;
    const bool has_session = way == Way::by_cookie || way == Way::foreign_page || way == Way::foreign_token;
    if (!row.is_for_session) return has_session && row.in_session != 0 ? row.in_session : row.answer;
    if (!has_session) return 303;
    return posts && way == Way::foreign_token ? 403 : row.answer;
  }

  Session mine_, other_, ended_, disabled_;
};

TEST_F(PageMatrix, EveryPageIsForWhomItIs) {
  for (const PageRow& row : kPages) {
    for (const Way way : kWays) {
      const WireResponse response = ask(row, way);
      const auto which = concat(row.method == Method::get ? "GET " : "POST ", row.path, " way ", static_cast<int>(way));
      EXPECT_EQ(response.status, expected(row, way)) << which << "\n" << response.body.substr(0, 400);
      const bool is_sent_away = row.is_for_session && expected(row, way) == 303 && way != Way::by_cookie;
      if (is_sent_away) EXPECT_TRUE(response.field("Location").value_or("").starts_with("/login?next=")) << which;
    }
  }
}

TEST_F(PageMatrix, EveryPageHasItsRow) {
  const auto pages = api::page_addresses();
  EXPECT_EQ(std::ssize(kPages), std::ssize(pages));
  for (const api::PageAddress& page : pages) {
    const auto is_it = [&](const PageRow& row) { return row.method == page.method && row.path == page.path; };
    EXPECT_TRUE(std::ranges::any_of(kPages, is_it)) << page.path << " is new here";
  }
}

// S13: what a page does it does by the administration API, as who is signed in.
TEST_F(PageMatrix, NobodyEndsWhatIsAnothers) {
  const WireResponse made =
      client.ask("POST", "/api/v1/user/tokens", R"({"name":"theirs"})", {{"Authorization", basic(Caller::reader)}});
  ASSERT_EQ(made.status, 201);
  std::map<std::string, std::string> captured;
  ASSERT_EQ(match_json(R"({"id":"{{*id}}","secret":"{{*secret}}"})", made.body, captured), "");
  EXPECT_EQ(post("/settings/tokens/revoke", mine_, "id=" + captured["id"]).status, 404);
  EXPECT_EQ(client.ask("GET", "/v2/", {}, {{"Authorization", "Bearer " + captured["secret"]}}).status, 200);
  const auto sessions = client.ask("GET", "/api/v1/user/sessions", {}, {{"Authorization", basic(Caller::reader)}});
  captured.clear();
  ASSERT_EQ(match_json(R"({"items":[{"id":"{{*id}}"}]})", sessions.body, captured), "") << sessions.body;
  EXPECT_EQ(post("/settings/sessions/revoke", mine_, "id=" + captured["id"]).status, 404);
  EXPECT_EQ(client.ask("GET", "/settings/tokens", {}, from_page(other_.cookie)).status, 200);
}

}  // namespace
}  // namespace berth::test
