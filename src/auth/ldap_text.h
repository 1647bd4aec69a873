#pragma once
// The texts of LDAP that are ours to read and write: addresses of servers, search filters, numbers of entries. DNs are
// left to libldap (ldap_dn.h), and none is ever put together from what somebody typed.

#include "base/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace berth::auth {

struct LdapServer {
  bool uses_tls = false;  // from the first byte: ldaps://
  std::string host;       // IPv6 without brackets
  std::uint16_t port = 0;

  /// "ldaps://ldap.acme.example:636".
  std::string url() const;
  /// Whether it is on this machine, by what it is called: localhost, 127.0.0.0/8, ::1.
  bool is_loopback() const;
};
/// "ldap://HOST[:PORT]" or "ldaps://…"; nothing behind it but a slash. Errors: parameter_invalid with a sentence.
Result<LdapServer> parse_ldap_url(std::string_view text);

/// As a value in a filter (RFC 4515 3): whatever is in it stands for itself.
std::string escape_ldap_value(std::string_view text);
/// Whether it is in parentheses that match, and holds {placeholder}. Errors: parameter_invalid with a sentence.
Result<void> check_ldap_filter(std::string_view filter, std::string_view placeholder);
/// The filter with the value, escaped, wherever {placeholder} is.
std::string fill_ldap_filter(std::string_view filter, std::string_view placeholder, std::string_view value);

/// Whether somebody can be called that: at most 256 bytes, no control characters.
bool is_ldap_name(std::string_view text);

/// What tells an entry from all others, as text: an objectGUID as Microsoft writes GUIDs, what is text as it is,
/// anything else as "hex:…".
std::string ldap_id_text(std::string_view attribute, std::string_view value);
/// What ldap_id_text() was made of.
std::string ldap_id_value(std::string_view attribute, std::string_view text);

/// Names of attributes have no case.
bool is_same_attribute(std::string_view a, std::string_view b);

}  // namespace berth::auth
