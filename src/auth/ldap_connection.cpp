#include "auth/ldap_connection.h"

#include <ldap.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>

namespace berth::auth {

namespace {

constexpr std::int64_t kMsPerSecond = 1'000;
constexpr const char* kSystemCertificates = "/etc/ssl/certs/ca-certificates.crt";

timeval span_of(std::int64_t ms) {
  return {.tv_sec = ms / kMsPerSecond, .tv_usec = (ms % kMsPerSecond) * kMsPerSecond};
}

struct FreeMessage {
  void operator()(LDAPMessage* message) const { ldap_msgfree(message); }
};
struct FreeText {
  void operator()(char* text) const { ldap_memfree(text); }
};
struct FreeValues {
  void operator()(berval** values) const { ldap_value_free_len(values); }
};
struct FreeBer {
  void operator()(BerElement* ber) const { ber_free(ber, 0); }
};
using Message = std::unique_ptr<LDAPMessage, FreeMessage>;
using Text = std::unique_ptr<char, FreeText>;

// libldap waits for a TLS handshake for ever, whatever its timeouts say (2.5 with GnuTLS). Below TLS, therefore, each
// connection gets a layer of ours, in which a read that takes too long fails.

int set_up_layer(Sockbuf_IO_Desc* layer, void* timeout_ms) {
  layer->sbiod_pvt = timeout_ms;
  return 0;
}
int remove_layer(Sockbuf_IO_Desc*) { return 0; }
int control_next(Sockbuf_IO_Desc* layer, int option, void* value) {
  Sockbuf_IO_Desc* next = layer->sbiod_next;
  return next == nullptr ? 0 : next->sbiod_io->sbi_ctrl(next, option, value);
}
ber_slen_t read_in_time(Sockbuf_IO_Desc* layer, void* out, ber_len_t size) {
  pollfd waited{.fd = -1, .events = POLLIN, .revents = 0};
  ber_sockbuf_ctrl(layer->sbiod_sb, LBER_SB_OPT_GET_FD, &waited.fd);
  if (::poll(&waited, 1, static_cast<int>(reinterpret_cast<std::intptr_t>(layer->sbiod_pvt))) == 0) {
    errno = ETIMEDOUT;
    return -1;
  }
  Sockbuf_IO_Desc* next = layer->sbiod_next;
  return next->sbiod_io->sbi_read(next, out, size);
}
ber_slen_t write_next(Sockbuf_IO_Desc* layer, void* in, ber_len_t size) {
  Sockbuf_IO_Desc* next = layer->sbiod_next;
  return next->sbiod_io->sbi_write(next, in, size);
}
int close_layer(Sockbuf_IO_Desc*) { return 0; }

Sockbuf_IO timed_layer{set_up_layer, remove_layer, control_next, read_in_time, write_next, close_layer};

int add_timed_layer(ldap* handle, Sockbuf* socket, LDAPURLDesc*, sockaddr*, ldap_conncb*) {
  constexpr int kLevel = LBER_SBIOD_LEVEL_PROVIDER + 1;  // right above the socket
  timeval* limit = nullptr;
  ldap_get_option(handle, LDAP_OPT_TIMEOUT, &limit);
  if (limit == nullptr) return 0;
  const std::intptr_t timeout_ms = limit->tv_sec * kMsPerSecond + limit->tv_usec / kMsPerSecond;
  ldap_memfree(limit);
  return ber_sockbuf_add_io(socket, &timed_layer, kLevel, reinterpret_cast<void*>(timeout_ms));
}
void forget_connection(ldap*, Sockbuf*, ldap_conncb*) {}

ldap_conncb on_connect{add_timed_layer, forget_connection, nullptr};  // libldap keeps its address

/// What a server says to a password that is wrong, of an account that is locked, has expired, or has none.
constexpr std::array kRefusals = {LDAP_INVALID_CREDENTIALS,  LDAP_INAPPROPRIATE_AUTH,   LDAP_NO_SUCH_OBJECT,
                                  LDAP_CONSTRAINT_VIOLATION, LDAP_UNWILLING_TO_PERFORM, LDAP_INSUFFICIENT_ACCESS};

std::vector<std::string> values_of(ldap* handle, LDAPMessage* entry, const char* attribute) {
  std::vector<std::string> out;
  const std::unique_ptr<berval*, FreeValues> values(ldap_get_values_len(handle, entry, attribute));
  for (berval** value = values.get(); value != nullptr && *value != nullptr; ++value)
    out.emplace_back((*value)->bv_val, (*value)->bv_len);
  return out;
}

LdapEntry read_entry(ldap* handle, LDAPMessage* message) {
  LdapEntry out;
  if (const Text dn(ldap_get_dn(handle, message)); dn) out.dn = dn.get();
  BerElement* position = nullptr;
  Text name(ldap_first_attribute(handle, message, &position));
  const std::unique_ptr<BerElement, FreeBer> owned(position);
  for (; name; name.reset(ldap_next_attribute(handle, message, position)))
    out.attributes.push_back({name.get(), values_of(handle, message, name.get())});
  return out;
}

}  // namespace

const std::vector<std::string>* LdapEntry::find(std::string_view name) const {
  const auto found =
      std::ranges::find_if(attributes, [&](const auto& one) { return is_same_attribute(one.name, name); });
  return found == attributes.end() || found->values.empty() ? nullptr : &found->values;
}

void LdapConnection::Unbind::operator()(ldap* handle) const { ldap_unbind_ext_s(handle, nullptr, nullptr); }

std::unexpected<Error> LdapConnection::failed(std::string_view doing, int code) const {
  std::string cause = std::string(doing) + ": " + ldap_err2string(code);
  char* diagnostic = nullptr;
  ldap_get_option(handle_.get(), LDAP_OPT_DIAGNOSTIC_MESSAGE, &diagnostic);
  const Text owned(diagnostic);
  if (owned && *owned != '\0') cause += std::string(" (") + owned.get() + ")";
  return fail(Errc::unavailable, "the directory that knows the passwords does not answer; try again", std::move(cause));
}

/// Each option is this connection's own, so that nothing of /etc/ldap/ldap.conf or of the environment weakens it.
Result<void> LdapConnection::set_options(std::span<const Option> options) {
  for (const Option& row : options) {
    const int code = ldap_set_option(handle_.get(), row.option, row.value);
    if (code != LDAP_OPT_SUCCESS) return failed(std::string("cannot set ") + row.name, code);
  }
  return {};
}

Result<void> LdapConnection::set_up(const LdapTransport& transport) {
  constexpr int kVersion = LDAP_VERSION3;
  constexpr int kNever = LDAP_DEREF_NEVER;
  const timeval connect = span_of(transport.connect_ms);
  const timeval answer = span_of(transport.answer_ms);
  answer_ms_ = transport.answer_ms;
  const Option options[] = {{LDAP_OPT_PROTOCOL_VERSION, &kVersion, "the version"},
                            {LDAP_OPT_REFERRALS, LDAP_OPT_OFF, "referrals"},  // who knows where they lead
                            {LDAP_OPT_DEREF, &kNever, "aliases"},
                            {LDAP_OPT_NETWORK_TIMEOUT, &connect, "timeouts"},
                            {LDAP_OPT_TIMEOUT, &answer, "timeouts"},
                            {LDAP_OPT_CONNECT_CB, &on_connect, "timeouts"}};
  return set_options(options);
}

Result<void> LdapConnection::set_up_tls(const LdapTransport& transport) {
  constexpr int kDemand = LDAP_OPT_X_TLS_DEMAND;
  constexpr int kMin = LDAP_OPT_X_TLS_PROTOCOL_TLS1_2;
  constexpr int kClient = 0;
  std::error_code ignored;
  std::string ca_file = transport.ca_file;
  if (ca_file.empty() && std::filesystem::exists(kSystemCertificates, ignored)) ca_file = kSystemCertificates;
  const Option options[] = {{LDAP_OPT_X_TLS_REQUIRE_CERT, &kDemand, "certificates"},
                            {LDAP_OPT_X_TLS_PROTOCOL_MIN, &kMin, "the version of TLS"},
                            {LDAP_OPT_X_TLS_CACERTFILE, ca_file.empty() ? nullptr : ca_file.c_str(), "certificates"},
                            {LDAP_OPT_X_TLS_CACERTDIR, nullptr, "certificates"},
                            {LDAP_OPT_X_TLS_NEWCTX, &kClient, "TLS: can the certificates of ldap.ca_file be read?"}};
  return set_options(options);
}

Result<void> LdapConnection::prepare(const LdapTransport& transport) {
  ldap* handle = nullptr;
  if (const int code = ldap_initialize(&handle, nullptr); code != LDAP_SUCCESS)
    return fail(Errc::parameter_invalid, std::string("libldap does not start: ") + ldap_err2string(code));
  if (LdapConnection(handle).set_up_tls(transport)) return {};
  return fail(Errc::parameter_invalid, transport.ca_file.empty()
                                           ? "the certificates of the system's authorities cannot be read"
                                           : "ldap.ca_file: no certificates can be read from " + transport.ca_file);
}

Result<LdapConnection> LdapConnection::open(const LdapServer& server, const LdapTransport& transport) {
  ldap* handle = nullptr;
  const std::string url = server.url();
  if (const int code = ldap_initialize(&handle, url.c_str()); code != LDAP_SUCCESS)
    return fail(Errc::unavailable, "the directory cannot be asked", url + ": " + ldap_err2string(code));
  LdapConnection out(handle);
  const bool starts_tls = !server.uses_tls && (transport.start_tls == StartTls::always ||
                                               (transport.start_tls == StartTls::automatic && !server.is_loopback()));
  BERTH_TRYV(out.set_up(transport).context(url));
  if (starts_tls || server.uses_tls) BERTH_TRYV(out.set_up_tls(transport).context(url));
  if (const int code = ldap_connect(handle); code != LDAP_SUCCESS) return out.failed(url + ": cannot connect", code);
  if (starts_tls) {
    if (const int code = ldap_start_tls_s(handle, nullptr, nullptr); code != LDAP_SUCCESS)
      return out.failed(url + ": cannot encrypt (StartTLS)", code);
  }
  if ((starts_tls || server.uses_tls) && !out.is_encrypted())
    return fail(Errc::unavailable, "the directory cannot be asked", url + ": the connection is not encrypted");
  return out;
}

bool LdapConnection::is_encrypted() const { return ldap_tls_inplace(handle_.get()) == 1; }

Result<bool> LdapConnection::bind(const std::string& dn, std::string_view password) {
  if (password.empty() && !dn.empty()) return false;
  berval credentials{password.size(), const_cast<char*>(password.data())};
  const int code =
      ldap_sasl_bind_s(handle_.get(), dn.c_str(), LDAP_SASL_SIMPLE, &credentials, nullptr, nullptr, nullptr);
  if (code == LDAP_SUCCESS) return true;
  if (std::ranges::find(kRefusals, code) != kRefusals.end()) return false;
  return failed("cannot sign in to the directory", code);
}

Result<LdapConnection::Found> LdapConnection::search(const Search& what) {
  std::vector<char*> names;
  for (const std::string& name : what.attributes) names.push_back(const_cast<char*>(name.c_str()));
  names.push_back(nullptr);
  timeval limit = span_of(answer_ms_);
  LDAPMessage* answer = nullptr;
  const int code = ldap_search_ext_s(handle_.get(), what.base.c_str(), LDAP_SCOPE_SUBTREE, what.filter.c_str(),
                                     names.data(), 0, nullptr, nullptr, &limit, what.entries_max, &answer);
  const Message owned(answer);
  if (code != LDAP_SUCCESS && code != LDAP_SIZELIMIT_EXCEEDED)
    return failed("cannot search " + what.base + " for " + what.filter, code);
  Found out;
  out.is_cut = code == LDAP_SIZELIMIT_EXCEEDED;
  for (LDAPMessage* entry = ldap_first_entry(handle_.get(), answer); entry != nullptr;
       entry = ldap_next_entry(handle_.get(), entry))
    out.entries.push_back(read_entry(handle_.get(), entry));
  return out;
}

}  // namespace berth::auth
