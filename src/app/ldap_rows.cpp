#include "app/ldap_rows.h"

#include "app/setting_rows.h"

namespace berth::app {

namespace {

Setting ldap_urls_setting() {
  Setting setting = base_of({"ldap.urls",
                             "Servers of the directory, tried in turn: ldaps://HOST[:PORT], or ldap://HOST[:PORT]. "
                             "None: people sign in with passwords of this registry only.",
                             ""},
                            Form::list);
  setting.set = [](ServeConfig& config, const Texts& texts) -> Result<void> {
    std::vector<auth::LdapServer> servers;
    for (const std::string& url : texts) {
      BERTH_TRY(auto server, auth::parse_ldap_url(url));
      servers.push_back(std::move(server));
    }
    config.ldap.servers = std::move(servers);
    return {};
  };
  setting.get = [](const ServeConfig& config) {
    Texts out;
    for (const auth::LdapServer& server : config.ldap.servers) out.push_back(server.url());
    return out;
  };
  return setting;
}

Row ldap(std::string_view key, std::string help) { return {"ldap." + std::string(key), std::move(help), ""}; }

void add_ldap_connection(std::vector<Setting>& out) {
  out.push_back(ldap_urls_setting());
  using auth::StartTls;
  out.push_back(words<StartTls>(
      ldap("start_tls",
           "Whether connections to ldap:// servers are encrypted before anything is said: auto for all that are not on "
           "this machine; never sends passwords over the network as they are."),
      {{"auto", StartTls::automatic}, {"always", StartTls::always}, {"never", StartTls::never}},
      [](const std::string& text) { return parse_start_tls(text); },
      [](auto& config) -> auto& { return config.ldap.transport.start_tls; }));
  out.push_back(text(ldap("ca_file",
                          "File with the certificates, PEM, that servers of the directory are believed by; "
                          "not set: those of the system."),
                     [](auto& config) -> auto& { return config.ldap.transport.ca_file; }));
  out.push_back(text(ldap("bind_dn", "In whose name people are searched for; not set: in nobody's."),
                     [](auto& config) -> auto& { return config.ldap.bind_dn; }));
  out.push_back(
      text(ldap("bind_password_file", "File with its password, which only its owner may read. Read again when needed."),
           [](auto& config) -> auto& { return config.ldap.bind_password_file; }));
  out.push_back(duration(ldap("connect_timeout", "For a connection to a server; then the next one is tried."), 100,
                         60 * kSecond, [](auto& config) -> auto& { return config.ldap.transport.connect_ms; }));
  out.push_back(duration(ldap("timeout", "For each answer of a server."), 100, 60 * kSecond,
                         [](auto& config) -> auto& { return config.ldap.transport.answer_ms; }));
  out.push_back(text(ldap("name",
                          "What accounts of the directory are linked to, as ldap:NAME: leave it when its servers "
                          "move, change it when it becomes another directory."),
                     [](auto& config) -> auto& { return config.ldap.name; }));
}

void add_ldap_people(std::vector<Setting>& out) {
  out.push_back(text(ldap("user_base", "Below which entry people are: ou=people,dc=example,dc=com."),
                     [](auto& config) -> auto& { return config.ldap.user_base; }));
  out.push_back(text(ldap("user_filter",
                          "Which entry is meant by the name that somebody types, {name}. One must match, "
                          "not several."),
                     [](auto& config) -> auto& { return config.ldap.user_filter; }));
  out.push_back(text(ldap("id_attribute",
                          "What no two entries share and none ever changes; accounts are linked by it. "
                          "Active Directory: objectGUID."),
                     [](auto& config) -> auto& { return config.ldap.id_attribute; }));
  out.push_back(text(ldap("name_attribute",
                          "Where accounts get their name from when they are made. Active Directory: "
                          "sAMAccountName."),
                     [](auto& config) -> auto& { return config.ldap.name_attribute; }));
  out.push_back(text(ldap("email_attribute", "The e-mail address."),
                     [](auto& config) -> auto& { return config.ldap.email_attribute; }));
  out.push_back(text(ldap("display_name_attribute", "What people call somebody. Active Directory: displayName."),
                     [](auto& config) -> auto& { return config.ldap.display_name_attribute; }));
  out.push_back(flag(ldap("create_accounts",
                          "Whether the first sign-in makes an account; false: only accounts that an "
                          "administrator linked sign in."),
                     [](auto& config) -> auto& { return config.ldap.rules.creates; }));
  out.push_back(duration(ldap("recheck",
                              "How often each account of the directory is looked up again, whether it signs in "
                              "or not: one whose entry is gone is disabled, groups are followed. 0 never."),
                         0, 30 * kDay, [](auto& config) -> auto& { return config.ldap_recheck_ms; }));
}

void add_ldap_groups(std::vector<Setting>& out) {
  using Groups = auth::LdapSettings::Groups;
  out.push_back(words<Groups>(
      ldap("groups",
           "Where the groups of somebody are: attribute in an attribute of the entry, search in entries that "
           "name it, off nowhere."),
      {{"attribute", Groups::attribute}, {"search", Groups::search}, {"off", Groups::off}},
      [](const std::string& text) { return parse_ldap_groups(text); },
      [](auto& config) -> auto& { return config.ldap.groups; }));
  out.push_back(text(ldap("group_attribute", "The attribute of a person with the DNs of groups."),
                     [](auto& config) -> auto& { return config.ldap.group_attribute; }));
  out.push_back(text(ldap("group_base",
                          "Below which entry groups are; others count for nothing. Set it, or whoever may "
                          "make a group anywhere may make one of any name."),
                     [](auto& config) -> auto& { return config.ldap.group_base; }));
  out.push_back(text(ldap("group_filter",
                          "Which groups somebody is in, by the entry's name, {dn}. Nested groups of Active "
                          "Directory: (member:1.2.840.113556.1.4.1941:={dn})."),
                     [](auto& config) -> auto& { return config.ldap.group_filter; }));
  out.push_back(
      text(ldap("group_name_attribute", "What a group is called, in its entry or in the first part of its DN."),
           [](auto& config) -> auto& { return config.ldap.group_name_attribute; }));
  out.push_back(list(ldap("allowed_groups", "Signing in is for members of one of these; not set: for everybody."),
                     [](auto& config) -> auto& { return config.ldap.rules.allowed_groups; }));
  out.push_back(text(ldap("admin_group",
                          "Its members are administrators of the registry, as long as they are in it; not "
                          "set: administrators are made here."),
                     [](auto& config) -> auto& { return config.ldap.rules.admin_group; }));
}

}  // namespace

void add_ldap(std::vector<Setting>& out) {
  add_ldap_connection(out);
  add_ldap_people(out);
  add_ldap_groups(out);
}

}  // namespace berth::app
