#pragma once
// A registry with one caller of each kind, for the matrices of who may do what.

#include "server/pushes.h"
#include "support/test_accounts.h"
#include "support/test_server.h"
#include "support/transcript_match.h"

#include <map>
#include <string>
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
};

}  // namespace berth::test
