#include "auth/ldap_directory.h"

#include "auth/ldap_dn.h"

#include <algorithm>

namespace berth::auth {

namespace {

constexpr std::size_t kPasswordBytesMax = 1'024;
constexpr int kGroupsMax = 2'000;
constexpr std::int64_t kRestMs = 3'000;  // of a server that did not answer, so that few wait for it at once

std::unexpected<Error> unavailable(std::string cause) {
  return fail(Errc::unavailable, "the directory that knows the passwords cannot be asked", std::move(cause));
}

std::string first_of(const LdapEntry& entry, std::string_view attribute) {
  const auto* values = entry.find(attribute);
  return values == nullptr ? std::string() : values->front();
}

}  // namespace

LdapDirectory::LdapDirectory(Deps deps) : deps_(std::move(deps)), rest_until_ms_(deps_.settings.servers.size()) {}

void LdapDirectory::say(const std::string& step) const {
  if (deps_.say) deps_.say(step);
}

Result<void> LdapDirectory::bind_service(LdapConnection& connection) {
  const LdapSettings& settings = deps_.settings;
  std::string password;
  if (!settings.bind_dn.empty()) {
    auto read = read_bind_password(settings.bind_password_file);
    if (!read) return unavailable(read.error().message);
    password = *std::move(read);
  }
  BERTH_TRY(const bool is_right, connection.bind(settings.bind_dn, password));
  if (!is_right) return unavailable("the directory refuses " + settings.bind_dn + " with that password");
  return {};
}

Result<LdapConnection> LdapDirectory::open(const LdapServer& server) {
  BERTH_TRY(auto connection, LdapConnection::open(server, deps_.settings.transport));
  say("connected to " + server.url() + (connection.is_encrypted() ? ", encrypted" : ", not encrypted"));
  BERTH_TRYV(bind_service(connection).context(server.url()));
  say(deps_.settings.bind_dn.empty() ? "asking as nobody" : "signed in as " + deps_.settings.bind_dn);
  return connection;
}

Result<LdapConnection> LdapDirectory::connect() {
  std::string cause;
  for (std::size_t i = 0; i < deps_.settings.servers.size(); ++i) {
    {
      const std::lock_guard lock(mutex_);
      if (rest_until_ms_[i] > deps_.clock.mono_ms()) continue;
    }
    auto opened = open(deps_.settings.servers[i]);
    if (opened) return opened;
    const std::lock_guard lock(mutex_);
    rest_until_ms_[i] = deps_.clock.mono_ms() + kRestMs;
    cause += (cause.empty() ? "" : "; ") + opened.error().cause;
  }
  if (cause.empty()) cause = "no server answered seconds ago";
  return unavailable(std::move(cause));
}

Result<std::optional<LdapEntry>> LdapDirectory::find_entry(LdapConnection& connection, const std::string& filter) {
  const LdapSettings& settings = deps_.settings;
  LdapConnection::Search search{.base = settings.user_base, .filter = filter, .attributes = {}, .entries_max = 2};
  for (const std::string* name :
       {&settings.id_attribute, &settings.name_attribute, &settings.email_attribute, &settings.display_name_attribute})
    if (!name->empty()) search.attributes.push_back(*name);
  if (settings.groups == LdapSettings::Groups::attribute) search.attributes.push_back(settings.group_attribute);
  BERTH_TRY(auto found, connection.search(search));
  if (found.entries.empty()) {
    say("nobody in " + settings.user_base + " for " + filter);
    return std::nullopt;
  }
  if (found.entries.size() > 1 || found.is_cut) {
    // Whose password would count? Nobody's.
    say("several entries in " + settings.user_base + " for " + filter + ", so nobody signs in by that name");
    deps_.log.warn("ldap.ambiguous", {f("err", "several entries for " + filter)});
    return std::nullopt;
  }
  say("found " + found.entries.front().dn);
  return std::move(found.entries.front());
}

Result<std::string> LdapDirectory::id_of(const LdapEntry& entry) const {
  const LdapSettings& settings = deps_.settings;
  const auto* values = entry.find(settings.id_attribute);
  if (values != nullptr && values->size() == 1 && !values->front().empty())
    return ldap_id_text(settings.id_attribute, values->front());
  return unavailable(entry.dn + " has not exactly one " + settings.id_attribute +
                     " (ldap.id_attribute), or it may not be read");
}

Result<std::vector<std::string>> LdapDirectory::groups_named(const LdapEntry& entry) const {
  const LdapSettings& settings = deps_.settings;
  // Active Directory gives long lists in pieces under another name. A part of them would take teams away.
  const std::string in_pieces = settings.group_attribute + ";range=";
  for (const LdapAttribute& attribute : entry.attributes) {
    if (is_same_attribute(std::string_view(attribute.name).substr(0, in_pieces.size()), in_pieces))
      return unavailable(entry.dn + " is in too many groups for its attribute; set ldap.groups to search");
  }
  std::vector<std::string> out;
  const auto* values = entry.find(settings.group_attribute);
  if (values == nullptr) return out;
  for (const std::string& dn : *values) {
    auto name = first_value_of_dn(dn, settings.group_name_attribute);
    if (name && is_ldap_name(*name) && is_below_dn(dn, settings.group_base)) out.push_back(*std::move(name));
  }
  return out;
}

Result<std::vector<std::string>> LdapDirectory::groups_found(LdapConnection& connection, const LdapEntry& entry) {
  const LdapSettings& settings = deps_.settings;
  BERTH_TRYV(bind_service(connection));  // the person has signed in over it, and may see less
  const std::string filter = fill_ldap_filter(settings.group_filter, "dn", entry.dn);
  BERTH_TRY(const auto found, connection.search({.base = settings.group_base,
                                                 .filter = filter,
                                                 .attributes = {settings.group_name_attribute},
                                                 .entries_max = kGroupsMax + 1}));
  // Those that were left out would be taken for groups that somebody left.
  if (found.is_cut) return unavailable(entry.dn + " is in more groups than the directory tells");
  std::vector<std::string> out;
  for (const LdapEntry& group : found.entries) {
    const std::string name = first_of(group, settings.group_name_attribute);
    if (is_ldap_name(name)) out.push_back(name);
  }
  return out;
}

Result<ExternalPerson> LdapDirectory::person_of(LdapConnection& connection, const LdapEntry& entry) {
  const LdapSettings& settings = deps_.settings;
  ExternalPerson out;
  out.issuer = settings.issuer();
  BERTH_TRY(out.id, id_of(entry));
  out.name = first_of(entry, settings.name_attribute);
  out.email = first_of(entry, settings.email_attribute);
  out.display_name = first_of(entry, settings.display_name_attribute);
  switch (settings.groups) {
    case LdapSettings::Groups::attribute: {
      BERTH_TRY(out.groups, groups_named(entry));
      break;
    }
    case LdapSettings::Groups::search: {
      BERTH_TRY(out.groups, groups_found(connection, entry));
      break;
    }
    case LdapSettings::Groups::off: break;
  }
  return out;
}

Result<LdapAnswer> LdapDirectory::ask(const LdapQuestion& question) {
  // With an empty password many servers let anybody in, as nobody (RFC 4513 5.1.2).
  const bool could_be_right = is_ldap_name(question.name) && !question.password.empty() &&
                              question.password.size() <= kPasswordBytesMax &&
                              question.password.find('\0') == std::string::npos;
  if (!could_be_right) return LdapAnswer{};
  BERTH_TRY(auto connection, connect());
  BERTH_TRY(const auto entry,
            find_entry(connection, fill_ldap_filter(deps_.settings.user_filter, "name", question.name)));
  if (!entry) {
    // The same way as with a wrong password, with an entry that cannot be there.
    (void)connection.bind("cn=" + deps_.random.hex(16) + "," + deps_.settings.user_base, question.password);
    return LdapAnswer{};
  }
  LdapAnswer out;
  BERTH_TRY(out.id, id_of(*entry));
  if (question.may_try) BERTH_TRYV(question.may_try(out.id));
  BERTH_TRY(const bool is_right, connection.bind(entry->dn, question.password));
  say(is_right ? "the password is right" : "the directory refuses the password");
  if (!is_right) return out;
  BERTH_TRY(out.person, person_of(connection, *entry));
  if (out.person->name.empty()) out.person->name = question.name;
  return out;
}

Result<void> LdapDirectory::reach() {
  BERTH_TRYV(connect());
  return {};
}

Result<std::optional<ExternalPerson>> LdapDirectory::find_person(const std::string& filter) {
  BERTH_TRY(auto connection, connect());
  BERTH_TRY(const auto entry, find_entry(connection, filter));
  if (!entry) return std::nullopt;
  return person_of(connection, *entry);
}

Result<std::optional<ExternalPerson>> LdapDirectory::find(const std::string& name) {
  if (!is_ldap_name(name)) return std::nullopt;
  return find_person(fill_ldap_filter(deps_.settings.user_filter, "name", name));
}

Result<std::optional<ExternalPerson>> LdapDirectory::look_up(const std::string& id) {
  const LdapSettings& settings = deps_.settings;
  const std::string value = escape_ldap_value(ldap_id_value(settings.id_attribute, id));
  if (value.empty()) return std::nullopt;
  // Whatever the name: the rest of the filter must let the entry pass as it does when somebody signs in.
  std::string filter = settings.user_filter;
  constexpr std::string_view kPlaceholder = "{name}";
  for (std::size_t at = filter.find(kPlaceholder); at != std::string::npos; at = filter.find(kPlaceholder, at))
    filter.replace(at, kPlaceholder.size(), "*");
  return find_person("(&(" + settings.id_attribute + "=" + value + ")" + filter + ")");
}

}  // namespace berth::auth
