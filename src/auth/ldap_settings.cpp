#include "auth/ldap_settings.h"

#include "auth/ldap_dn.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

namespace berth::auth {

namespace {

std::unexpected<Error> wrong_setting(std::string_view key, const std::string& why) {
  return fail(Errc::parameter_invalid, "ldap." + std::string(key) + ": " + why);
}

/// As RFC 4512 2.5 has them; in a filter anything else could mean something.
bool is_attribute(std::string_view name) {
  return std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == ';';
  });
}

Result<void> check_names(const LdapSettings& settings) {
  using Groups = LdapSettings::Groups;
  for (const auto& [key, name] : {std::pair{"id_attribute", &settings.id_attribute},
                                  {"name_attribute", &settings.name_attribute},
                                  {"email_attribute", &settings.email_attribute},
                                  {"display_name_attribute", &settings.display_name_attribute},
                                  {"group_attribute", &settings.group_attribute},
                                  {"group_name_attribute", &settings.group_name_attribute}}) {
    if (!is_attribute(*name)) return wrong_setting(key, "'" + *name + "' is no name of an attribute");
  }
  if (settings.name.empty()) return wrong_setting("name", "accounts are linked to it, so it cannot be empty");
  if (settings.id_attribute.empty()) return wrong_setting("id_attribute", "accounts are linked by it");
  if (settings.name_attribute.empty()) return wrong_setting("name_attribute", "accounts get their name from it");
  if (settings.groups == Groups::attribute && settings.group_attribute.empty())
    return wrong_setting("group_attribute", "is empty; set ldap.groups to off where there are no groups");
  if (settings.groups != Groups::off && settings.group_name_attribute.empty())
    return wrong_setting("group_name_attribute", "is empty");
  const bool asks_for_groups = !settings.rules.admin_group.empty() || !settings.rules.allowed_groups.empty();
  if (settings.groups == Groups::off && asks_for_groups)
    return wrong_setting("groups", "is off, but ldap.admin_group or ldap.allowed_groups name some");
  return {};
}

}  // namespace

Result<std::string> read_bind_password(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (error) return fail(Errc::parameter_invalid, "cannot read " + path + ": " + error.message());
  if (!fs::is_regular_file(status)) return fail(Errc::parameter_invalid, path + " is not a file");
  if ((status.permissions() & (fs::perms::group_all | fs::perms::others_all)) != fs::perms::none)
    return fail(Errc::parameter_invalid, "others may read " + path + ", which holds a password: chmod 600");
  std::ifstream in(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  if (text.empty()) return fail(Errc::parameter_invalid, path + " holds no password");
  return text;
}

Result<void> check_ldap_settings(const LdapSettings& settings) {
  if (!settings.is_used()) return {};
  for (const auto& [key, dn] : {std::pair{"user_base", &settings.user_base},
                                {"group_base", &settings.group_base},
                                {"bind_dn", &settings.bind_dn}}) {
    if (!is_dn(*dn)) return wrong_setting(key, "'" + *dn + "' is not a DN such as ou=people,dc=example,dc=com");
  }
  if (settings.user_base.empty()) return wrong_setting("user_base", "says where people are, and is not set");
  if (settings.groups == LdapSettings::Groups::search && settings.group_base.empty())
    return wrong_setting("group_base", "says where groups are searched for, and is not set");
  if (settings.bind_dn.empty() != settings.bind_password_file.empty())
    return wrong_setting("bind_password_file", "goes with ldap.bind_dn: set both, or neither");
  if (const auto good = check_ldap_filter(settings.user_filter, "name"); !good)
    return wrong_setting("user_filter", good.error().message);
  if (const auto good = check_ldap_filter(settings.group_filter, "dn"); !good)
    return wrong_setting("group_filter", good.error().message);
  return check_names(settings);
}

Result<void> check_ldap_files(const LdapSettings& settings) {
  if (!settings.bind_password_file.empty()) {
    if (const auto read = read_bind_password(settings.bind_password_file); !read)
      return wrong_setting("bind_password_file", read.error().message);
  }
  const std::string& ca_file = settings.transport.ca_file;
  std::error_code error;
  if (!ca_file.empty() && (!std::filesystem::is_regular_file(ca_file, error) || !std::ifstream(ca_file)))
    return wrong_setting("ca_file", "cannot read " + ca_file);
  return {};
}

}  // namespace berth::auth
