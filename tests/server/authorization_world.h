#pragma once
// A registry with one caller of each kind, for the matrices of who may do what.

#include "server/pushes.h"
#include "support/test_accounts.h"
#include "support/test_server.h"
#include "support/transcript_match.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace berth::test {

/// A way to come to the door. The organisation acme has reader, writer and owner; the robots have grants on acme/**.
enum class Caller : std::uint8_t {
  anonymous,
  stranger,
  reader,
  writer,
  owner,
  admin,          // of the registry
  reading_robot,  // read
  pushing_robot,  // read and write, not overwrite
  disabled,       // a writer once; only what it was given before is left to try
  narrowed,       // an owner's secret, narrowed to read acme/**
};
inline constexpr Caller kCallers[] = {Caller::anonymous, Caller::stranger, Caller::reader,        Caller::writer,
                                      Caller::owner,     Caller::admin,    Caller::reading_robot, Caller::pushing_robot,
                                      Caller::disabled,  Caller::narrowed};

inline std::string to_string(Caller caller) {
  switch (caller) {
    case Caller::anonymous: return "anonymous";
    case Caller::stranger: return "stranger";
    case Caller::reader: return "reader";
    case Caller::writer: return "writer";
    case Caller::owner: return "owner";
    case Caller::admin: return "admin";
    case Caller::reading_robot: return "acme+ro";
    case Caller::pushing_robot: return "acme+push";
    case Caller::disabled: return "disabled";
    case Caller::narrowed: return "narrowed";
  }
  return "";
}

/// Where something is asked for: repositories of every visibility, and one that is not there.
enum class Where : std::uint8_t { closed, internal, open, absent };
struct Place {
  Where where;
  const char* repo;
};
inline constexpr Place kPlaces[] = {{Where::closed, "acme/private"},
                                    {Where::internal, "acme/internal"},
                                    {Where::open, "acme/public"},
                                    {Where::absent, "acme/absent"}};

/// Who has which right where: r(ead), w(rite), o(verwrite), d(elete), a(dmin).
struct RightsRow {
  Caller caller;
  std::string_view closed, internal, open, absent;
};
inline constexpr RightsRow kRights[] = {
    {Caller::anonymous, "", "", "r", ""},
    {Caller::stranger, "", "r", "r", ""},
    {Caller::reader, "r", "r", "r", "r"},
    {Caller::writer, "rwo", "rwo", "rwo", "rwo"},
    {Caller::owner, "rwoda", "rwoda", "rwoda", "rwoda"},
    {Caller::admin, "rwoda", "rwoda", "rwoda", "rwoda"},
    {Caller::reading_robot, "r", "r", "r", "r"},
    {Caller::pushing_robot, "rw", "rw", "rw", "rw"},
    {Caller::disabled, "", "", "", ""},
    {Caller::narrowed, "r", "r", "r", "r"},
};

inline bool has_right(Caller caller, Where where, char right) {
  const auto row = std::ranges::find(kRights, caller, &RightsRow::caller);
  if (row == std::end(kRights)) return false;
  const std::string_view rights[] = {row->closed, row->internal, row->open, row->absent};
  return rights[static_cast<std::size_t>(where)].contains(right);
}

class AuthorizationWorld : public ::testing::Test {
 protected:
  static constexpr const char* kPassword = "secret";

  void SetUp() override {
    for (const char* name : {"stranger", "reader", "writer", "owner", "disabled"})
      must(accounts.add_user(name, kPassword));
    must(accounts.add_user("admin", kPassword, true));
    must(accounts.add_org("acme", "owner"));
    must(accounts.add_member("acme", "reader", meta::Role::reader));
    must(accounts.add_member("acme", "writer", meta::Role::writer));
    must(accounts.add_member("acme", "disabled", meta::Role::writer));
    for (const char* robot : {"acme+ro", "acme+push"}) {
      auto secret = accounts.add_robot(robot);
      must(secret);
      secrets[robot] = *secret;
    }
    must(accounts.grant("acme+ro", "acme/**", auth::Right::read, {}));
    must(accounts.grant("acme+push", "acme/**", auth::Right::read | auth::Right::write, {}));
    secrets["narrowed"] = make_secret("owner", R"({"name":"narrow","scopes":["acme/**:read"]})");
    secrets["disabled"] = make_secret("disabled", R"({"name":"old"})");
  }

  template <class T>
  static void must(const Result<T>& done) {
    ASSERT_TRUE(done.has_value()) << done.error().message << done.error().cause;
  }

  /// Empty for nobody.
  std::string basic(Caller caller) const {
    if (caller == Caller::anonymous) return {};
    const std::string name = to_string(caller);
    const auto secret = secrets.find(name);
    const std::string user = caller == Caller::narrowed ? "owner" : name;
    return "Basic " + base64(user + ":" + (secret == secrets.end() ? kPassword : secret->second));
  }

  /// The same with a secret as Bearer: a token of his own, of whoever has a password.
  std::string bearer(Caller caller) {
    if (caller == Caller::anonymous) return {};
    const std::string name = to_string(caller);
    if (const auto secret = secrets.find(name); secret != secrets.end()) return "Bearer " + secret->second;
    std::string& token = tokens[name];
    if (token.empty()) token = make_secret(name, R"({"name":"all"})");
    return "Bearer " + token;
  }

  /// What the place is called after, on a repository that is there.
  void set_visibility(const Place& place) {
    constexpr meta::Visibility kVisibilities[] = {meta::Visibility::closed, meta::Visibility::internal,
                                                  meta::Visibility::open};
    must(accounts.set_visibility(place.repo, kVisibilities[static_cast<std::size_t>(place.where)]));
  }

  std::string make_secret(const std::string& user, const std::string& body) {
    const WireResponse response =
        client.ask("POST", "/api/v1/user/tokens", body, as("Basic " + base64(user + ":" + kPassword)));
    std::map<std::string, std::string> captured;
    EXPECT_EQ(match_json(R"({"secret":"{{*secret}}"})", response.body, captured), "");
    return captured["secret"];
  }

  static Fields as(const std::string& authorization) {
    if (authorization.empty()) return {};
    return {{"Authorization", authorization}};
  }

  TestServer server{TestServer::Options{.anonymous = api::Anonymous::off}};
  TestAccounts accounts{server};
  WireClient client{server.port()};
  std::map<std::string, std::string> secrets;  // of those that sign in with one instead of a password
  std::map<std::string, std::string> tokens;   // of the others, for bearer()
};

}  // namespace berth::test
