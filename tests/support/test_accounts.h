#pragma once
// Accounts of a TestServer, put into its store without a request: as the API would leave them, but in microseconds.

#include "auth/accounts.h"
#include "support/test_server.h"

#include <functional>
#include <string>
#include <string_view>

namespace berth::test {

/// A hash that costs a millisecond to check, where Berth's own take 57. It stays what it is only for passwords too
/// short to be hashed anew when somebody signs in: those of up to 7 bytes.
std::string cheap_hash(std::string_view password);

class TestAccounts {
 public:
  explicit TestAccounts(TestServer& server) : server_(server) {}

  Result<void> add_user(const std::string& name, std::string_view password, bool is_admin = false);
  Result<void> set_disabled(const std::string& user, bool is_disabled);
  Result<void> add_org(const std::string& name, const std::string& owner);
  Result<void> add_member(const std::string& org, const std::string& user, meta::Role role);
  /// "acme/devs". Its members must be the organisation's.
  Result<void> add_team(const std::string& name, const std::vector<std::string>& members);
  Result<void> join_team(const std::string& team, const std::string& user);
  Result<void> grant(const std::string& subject, const std::string& pattern, auth::Rights allow, auth::Rights deny);
  /// "acme+ci"; its secret.
  Result<std::string> add_robot(const std::string& name);
  /// An empty one, if there is none.
  Result<void> add_repo(const std::string& name);
  /// Of a repository that exists.
  Result<void> set_visibility(const std::string& repo, meta::Visibility visibility);

 private:
  Result<void> change(const std::function<Result<void>(sql::Connection&, const meta::Stamp&)>& fn);

  TestServer& server_;
};

}  // namespace berth::test
