#include "crypto/tls.h"

#include "crypto/hash.h"
#include "crypto/openssl_handles.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>

namespace berth::crypto {

namespace {

using CtxHandle = std::unique_ptr<SSL_CTX, Free<SSL_CTX_free>>;
using SslHandle = std::unique_ptr<SSL, Free<SSL_free>>;
using X509Handle = std::unique_ptr<X509, Free<X509_free>>;

constexpr const char* kCiphers12 = "ECDHE+AESGCM:ECDHE+CHACHA20";
constexpr std::size_t kTicketKeyBytes = 80;
constexpr std::size_t kReadAheadBytes = 32 * 1024;  // two full records: fewer calls for a body that streams in

std::unexpected<Error> bad_file(const std::string& path, std::string_view what) {
  Error error(Errc::parameter_invalid, path + ": " + std::string(what), last_error());
  ERR_clear_error();
  return fail(std::move(error));
}

Result<BioHandle> open_pem(const std::string& path, std::string_view kind) {
  ERR_clear_error();
  BioHandle file(BIO_new_file(path.c_str(), "r"));
  if (!file) return bad_file(path, "the " + std::string(kind) + " file cannot be read");
  return file;
}

Result<KeyHandle> read_key(const std::string& path) {
  BERTH_TRY(const BioHandle file, open_pem(path, "key"));
  KeyHandle key(PEM_read_bio_PrivateKey(file.get(), nullptr, refuse_password, nullptr));
  if (!key) {
    const bool encrypted = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_BAD_PASSWORD_READ;
    return bad_file(
        path, encrypted ? "the private key is encrypted; give one without a password" : "no private key in PEM form");
  }
  return key;
}

Result<std::vector<X509Handle>> read_chain(const std::string& path) {
  BERTH_TRY(const BioHandle file, open_pem(path, "certificate"));
  std::vector<X509Handle> chain;
  for (;;) {
    X509Handle certificate(PEM_read_bio_X509_AUX(file.get(), nullptr, refuse_password, nullptr));
    if (!certificate) break;
    chain.push_back(std::move(certificate));
  }
  const bool at_end = chain.empty() || ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (chain.empty()) return bad_file(path, "no certificate in PEM form");
  if (!at_end) return bad_file(path, "a certificate of the chain is damaged");
  ERR_clear_error();
  return chain;
}

TlsCertificate describe(const std::string& path, const X509& certificate, const EVP_PKEY& key) {
  std::array<char, 256> subject{};
  X509_NAME_oneline(X509_get_subject_name(&certificate), subject.data(), static_cast<int>(subject.size()));
  const char* kind = EVP_PKEY_get0_type_name(&key);
  return {.path = path,
          .subject = subject.data(),
          .key_kind = kind != nullptr ? kind : "unknown",
          .not_before_ms = to_ms(X509_get0_notBefore(&certificate)),
          .not_after_ms = to_ms(X509_get0_notAfter(&certificate))};
}

/// What clients are asked for, and by whose word it is believed. Tickets name it: a session that began under other
/// rules is not resumed, since what is resumed is not verified again.
Result<void> ask_clients(SSL_CTX& ctx, const TlsClients& clients) {
  static constexpr std::string_view kName = "berth";
  if (clients.ask == TlsClients::Ask::off) {
    SSL_CTX_set_session_id_context(&ctx, reinterpret_cast<const unsigned char*>(kName.data()), kName.size());
    return {};
  }
  const std::string& path = clients.authorities_path;
  BERTH_TRYV(read_chain(path));  // for its errors
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  STACK_OF(X509_NAME)* names = SSL_load_client_CA_file(path.c_str());
  if (names == nullptr || SSL_CTX_load_verify_file(&ctx, path.c_str()) != 1) {
    sk_X509_NAME_pop_free(names, X509_NAME_free);
    return bad_file(path, "the certificates of the authorities cannot be used");
  }
  SSL_CTX_set_client_CA_list(&ctx, names);  // takes them; clients choose by it which certificate to send
  // An authority that is listed is believed, also if it is not the root of all.
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(&ctx), X509_V_FLAG_PARTIAL_CHAIN);
  const bool is_required = clients.ask == TlsClients::Ask::required;
  SSL_CTX_set_verify(&ctx, SSL_VERIFY_PEER | (is_required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nullptr);
  const std::string rules = std::string(kName) + (is_required ? "!" : "?") + text;
  const auto id = sha256(std::as_bytes(std::span(rules)));
  static_assert(sizeof id <= SSL_MAX_SID_CTX_LENGTH);
  SSL_CTX_set_session_id_context(&ctx, reinterpret_cast<const unsigned char*>(id.data()), id.size());
  return {};
}

/// HTTP/1.1 only, so far. Who offers nothing we speak is told so, instead of being left to guess.
int select_protocol(SSL*, const unsigned char** out, unsigned char* out_length, const unsigned char* in,
                    unsigned int in_length, void*) {
  static constexpr std::array<unsigned char, 9> kOurs = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  unsigned char* selected = nullptr;
  const int result = SSL_select_next_proto(&selected, out_length, kOurs.data(), kOurs.size(), in, in_length);
  *out = selected;
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

}  // namespace

struct TlsContext::Handle {
  CtxHandle ctx;
};

struct TlsSession::Handle {
  SslHandle ssl;
};

TlsContext::TlsContext(std::unique_ptr<Handle> handle) : handle_(std::move(handle)) {}
TlsContext::~TlsContext() = default;

Result<std::shared_ptr<const TlsContext>> TlsContext::load(const std::vector<TlsFiles>& files,
                                                           const TlsContext* previous, const TlsClients& clients) {
  if (files.empty()) return fail(Errc::parameter_invalid, "TLS needs a certificate and its key");
  auto handle = std::make_unique<Handle>();
  handle->ctx.reset(SSL_CTX_new(TLS_server_method()));
  SSL_CTX* ctx = handle->ctx.get();
  if (ctx == nullptr) return fail(Errc::internal, {}, last_error());
  SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(ctx, kCiphers12);
  SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                               SSL_OP_PRIORITIZE_CHACHA | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  // Resumption by tickets alone: nothing to keep, nothing to bound.
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
  BERTH_TRYV(ask_clients(*ctx, clients));
  SSL_CTX_set_read_ahead(ctx, 1);
  SSL_CTX_set_default_read_buffer_len(ctx, kReadAheadBytes);
  SSL_CTX_set_alpn_select_cb(ctx, select_protocol, nullptr);
  if (previous != nullptr) {
    std::array<unsigned char, kTicketKeyBytes> keys{};
    SSL_CTX_get_tlsext_ticket_keys(previous->handle_->ctx.get(), keys.data(), keys.size());
    SSL_CTX_set_tlsext_ticket_keys(ctx, keys.data(), keys.size());
    OPENSSL_cleanse(keys.data(), keys.size());
  }
  std::shared_ptr<TlsContext> context = std::make_shared<TlsContext>(std::move(handle));
  for (const TlsFiles& pair : files) BERTH_TRYV(context->add(pair));
  return context;
}

Result<void> TlsContext::add(const TlsFiles& files) {
  SSL_CTX* ctx = handle_->ctx.get();
  BERTH_TRY(auto chain, read_chain(files.certificate_path));
  BERTH_TRY(const KeyHandle key, read_key(files.key_path));
  const X509& own = *chain.front();
  if (X509_check_private_key(&own, key.get()) != 1)
    return bad_file(files.key_path, "the private key does not belong to the certificate " + files.certificate_path);
  TlsCertificate description = describe(files.certificate_path, own, *key);
  for (const TlsCertificate& other : certificates_) {
    if (other.key_kind != description.key_kind) continue;
    return fail(Errc::parameter_invalid, files.certificate_path + ": there is a certificate with a key of the kind " +
                                             other.key_kind + " already (" + other.path + ")");
  }
  STACK_OF(X509)* rest = sk_X509_new_null();
  for (std::size_t i = 1; i < chain.size(); ++i) sk_X509_push(rest, chain[i].get());
  const int used = SSL_CTX_use_cert_and_key(ctx, chain.front().get(), key.get(), rest, 1);
  sk_X509_free(rest);
  if (used != 1) return bad_file(files.certificate_path, "the certificate cannot be used: " + last_error());
  certificates_.push_back(std::move(description));
  return {};
}

Result<std::unique_ptr<TlsSession>> TlsContext::accept(int socket) const {
  ERR_clear_error();
  auto handle = std::make_unique<TlsSession::Handle>();
  handle->ssl.reset(SSL_new(handle_->ctx.get()));
  if (!handle->ssl || SSL_set_fd(handle->ssl.get(), socket) != 1) return fail(Errc::internal, {}, last_error());
  SSL_set_accept_state(handle->ssl.get());
  return std::make_unique<TlsSession>(std::move(handle));
}

TlsSession::TlsSession(std::unique_ptr<Handle> handle) : handle_(std::move(handle)) {}
TlsSession::~TlsSession() = default;

TlsSession::Outcome TlsSession::outcome_of(int result) {
  switch (SSL_get_error(handle_->ssl.get(), result)) {
    case SSL_ERROR_NONE: return Outcome::done;
    case SSL_ERROR_WANT_READ: return Outcome::want_read;
    case SSL_ERROR_WANT_WRITE: return Outcome::want_write;
    case SSL_ERROR_ZERO_RETURN: return Outcome::closed;
    default: break;
  }
  const int reason = ERR_GET_REASON(ERR_peek_error());
  failure_ = ERR_peek_error() != 0 ? last_error() : "the peer is gone";
  if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED)
    failure_.append(": ").append(X509_verify_cert_error_string(SSL_get_verify_result(handle_->ssl.get())));
  ERR_clear_error();
  // After these nothing may be written any more, close_notify included.
  SSL_set_quiet_shutdown(handle_->ssl.get(), 1);
  const bool is_plain = reason == SSL_R_HTTP_REQUEST || reason == SSL_R_HTTPS_PROXY_REQUEST;
  return is_plain ? Outcome::plain_http : Outcome::failed;
}

TlsSession::Outcome TlsSession::handshake() {
  ERR_clear_error();
  const int result = SSL_accept(handle_->ssl.get());
  if (result != 1) return outcome_of(result);
  read_client_certificate();
  return Outcome::done;
}

/// Of a resumed session it is the one that was verified when it began.
void TlsSession::read_client_certificate() {
  SSL* ssl = handle_->ssl.get();
  const X509* certificate = SSL_get0_peer_certificate(ssl);
  const bool is_verified = (SSL_get_verify_mode(ssl) & SSL_VERIFY_PEER) != 0 && SSL_get_verify_result(ssl) == X509_V_OK;
  if (certificate == nullptr || !is_verified) return;
  unsigned char* der = nullptr;
  const int length = i2d_X509(certificate, &der);
  if (length <= 0) return;
  auto parsed = parse_client_certificate(std::as_bytes(std::span(der, static_cast<std::size_t>(length))));
  OPENSSL_free(der);
  if (parsed) client_ = std::make_unique<const ClientCertificate>(*std::move(parsed));
}

TlsSession::Moved TlsSession::read(std::span<std::byte> out) {
  ERR_clear_error();
  std::size_t count = 0;
  const int result = SSL_read_ex(handle_->ssl.get(), out.data(), out.size(), &count);
  if (result == 1) return {Outcome::done, count};
  return {outcome_of(result), 0};
}

TlsSession::Moved TlsSession::write(std::span<const std::byte> bytes) {
  ERR_clear_error();
  std::size_t count = 0;
  const int result = SSL_write_ex(handle_->ssl.get(), bytes.data(), bytes.size(), &count);
  if (result == 1) return {Outcome::done, count};
  return {outcome_of(result), 0};
}

void TlsSession::close_notify() {
  ERR_clear_error();
  if (SSL_is_init_finished(handle_->ssl.get()) == 1) (void)SSL_shutdown(handle_->ssl.get());
  ERR_clear_error();
}

std::string TlsSession::protocol() const {
  return SSL_is_init_finished(handle_->ssl.get()) == 1 ? SSL_get_version(handle_->ssl.get()) : "";
}

bool TlsSession::is_resumed() const { return SSL_session_reused(handle_->ssl.get()) == 1; }

}  // namespace berth::crypto
