#pragma once
// One conversation with one directory server, over libldap. Everything blocks, for as long as the limits say; a
// connection belongs to one thread at a time. A message of libldap in a cause never holds a password.

#include "auth/ldap_settings.h"
#include "base/result.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct ldap;

namespace berth::auth {

struct LdapAttribute {
  std::string name;  // as the server writes it
  std::vector<std::string> values;
};
struct LdapEntry {
  std::string dn;
  std::vector<LdapAttribute> attributes;

  /// No values: nullptr.
  const std::vector<std::string>* find(std::string_view name) const;
};

class LdapConnection {
 public:
  /// Sets libldap up, which several threads at once must not, and reads the certificates that servers are believed by.
  /// Errors: parameter_invalid.
  static Result<void> prepare(const LdapTransport& transport);
  /// Connected, and encrypted where it is to be, by a certificate that is the server's. Errors: unavailable, with the
  /// reason in the cause.
  static Result<LdapConnection> open(const LdapServer& server, const LdapTransport& transport);
  bool is_encrypted() const;

  /// Whether that is the password of the entry; later questions are asked in its name. An empty DN is nobody. An empty
  /// password with a DN is never right, though servers say so (RFC 4513 5.1.2). Errors: unavailable.
  Result<bool> bind(const std::string& dn, std::string_view password);

  struct Search {
    std::string base;
    std::string filter;
    std::vector<std::string> attributes;
    int entries_max = 1;
  };
  struct Found {
    std::vector<LdapEntry> entries;
    bool is_cut = false;  // there are more
  };
  /// In the whole tree below the base. Errors: unavailable; also for a base that is not there and a filter that is
  /// none.
  Result<Found> search(const Search& what);

 private:
  struct Unbind {
    void operator()(ldap* handle) const;
  };
  explicit LdapConnection(ldap* handle) : handle_(handle) {}
  struct Option {
    int option;
    const void* value;
    const char* name;
  };
  Result<void> set_options(std::span<const Option> options);
  Result<void> set_up(const LdapTransport& transport);
  Result<void> set_up_tls(const LdapTransport& transport);
  std::unexpected<Error> failed(std::string_view doing, int code) const;

  std::unique_ptr<ldap, Unbind> handle_;
  std::int64_t answer_ms_ = 0;
};

}  // namespace berth::auth
