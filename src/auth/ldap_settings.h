#pragma once
// How a directory is asked: where its servers are, what people and groups look like there, and who is let in.

#include "auth/external_accounts.h"
#include "auth/ldap_text.h"

#include <cstdint>
#include <string>
#include <vector>

namespace berth::auth {

enum class StartTls : std::uint8_t {
  automatic,  // wherever an ldap:// server is not on this machine
  always,
  never,  // passwords go over the network as they are
};

struct LdapTransport {
  StartTls start_tls = StartTls::automatic;
  std::string ca_file;  // whose certificates are believed; empty: those of the system
  std::int64_t connect_ms = 5'000;
  std::int64_t answer_ms = 10'000;
};

struct LdapSettings {
  enum class Groups : std::uint8_t {
    attribute,  // of the person's entry
    search,     // for entries that name the person
    off,
  };
  std::vector<LdapServer> servers;  // tried in turn; none: there is no directory
  LdapTransport transport;
  std::string name = "directory";  // accounts are linked to it, whatever server answers
  std::string bind_dn;             // of the service account; empty: everybody may search
  std::string bind_password_file;  // read when it is needed
  std::string user_base;
  std::string user_filter = "(&(objectClass=person)(uid={name}))";
  std::string id_attribute = "entryUUID";
  std::string name_attribute = "uid";
  std::string email_attribute = "mail";
  std::string display_name_attribute = "cn";
  Groups groups = Groups::attribute;
  std::string group_attribute = "memberOf";
  std::string group_base;  // groups elsewhere count for nothing
  std::string group_filter = "(member={dn})";
  std::string group_name_attribute = "cn";
  ReceptionRules rules;

  bool is_used() const { return !servers.empty(); }
  std::string issuer() const { return "ldap:" + name; }
};
/// Errors: parameter_invalid, for what contradicts itself or opens the registry to anybody.
Result<void> check_ldap_settings(const LdapSettings& settings);
/// Whether the files that it names can be read, and the password by nobody else. Errors: parameter_invalid.
Result<void> check_ldap_files(const LdapSettings& settings);
/// What is in the file, without line ends behind it. Errors: parameter_invalid with a sentence.
Result<std::string> read_bind_password(const std::string& path);

}  // namespace berth::auth
