#include "crypto/tls.h"

#include <gmock/gmock.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>

namespace berth::crypto {
namespace {

using ::testing::HasSubstr;

/// A folder with keys and certificates made for the test.
class Pki {
 public:
  Pki() {
    std::string pattern = (std::filesystem::temp_directory_path() / "berth-tls-XXXXXX").string();
    dir_ = ::mkdtemp(pattern.data());
  }
  ~Pki() { std::filesystem::remove_all(dir_); }
  Pki(const Pki&) = delete;
  Pki& operator=(const Pki&) = delete;

  enum class Kind : std::uint8_t { ec, rsa };
  TlsFiles make(const std::string& name, Kind kind) const {
    EVP_PKEY* key = kind == Kind::ec ? EVP_EC_gen("P-256") : EVP_RSA_gen(2048);
    X509* certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME* subject = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name.c_str()), -1,
                               -1, 0);
    X509_set_issuer_name(certificate, subject);
    X509_sign(certificate, key, EVP_sha256());
    const TlsFiles files{path(name + ".crt"), path(name + ".key")};
    write_pem(files.certificate_path, [&](BIO* out) { PEM_write_bio_X509(out, certificate); });
    write_pem(files.key_path,
              [&](BIO* out) { PEM_write_bio_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr); });
    write_pem(path(name + ".locked"), [&](BIO* out) {
      PEM_write_bio_PrivateKey(out, key, EVP_aes_128_cbc(), reinterpret_cast<const unsigned char*>("secret"), 6,
                               nullptr, nullptr);
    });
    X509_free(certificate);
    EVP_PKEY_free(key);
    return files;
  }
  std::string path(const std::string& name) const { return dir_ + "/" + name; }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name)) << text;
    return path(name);
  }

 private:
  template <class Write>
  static void write_pem(const std::string& path, Write write) {
    BIO* out = BIO_new_file(path.c_str(), "w");
    write(out);
    BIO_free(out);
  }
  std::string dir_;
};

/// Both ends of a socket pair, in one thread: each side does what it can until nothing moves.
class Pair {
 public:
  explicit Pair(const TlsContext& context, std::function<void(SSL_CTX*)> configure = {}, SSL_SESSION* resume = nullptr)
      : client_ctx_(SSL_CTX_new(TLS_client_method())) {
    if (configure) configure(client_ctx_);
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds_.data()), 0);
    session_ = *context.accept(fds_[0]);
    client_ = SSL_new(client_ctx_);
    SSL_set_fd(client_, fds_[1]);
    if (resume != nullptr) SSL_set_session(client_, resume);
  }
  ~Pair() {
    session_.reset();
    SSL_free(client_);
    SSL_CTX_free(client_ctx_);
    ::close(fds_[0]);
    if (fds_[1] >= 0) ::close(fds_[1]);
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;

  /// The server's last word on the handshake.
  TlsSession::Outcome shake_hands() {
    TlsSession::Outcome outcome = TlsSession::Outcome::want_read;
    bool client_done = false;
    for (int i = 0; i < 20; ++i) {
      if (!client_done) client_done = SSL_connect(client_) == 1;
      if (outcome != TlsSession::Outcome::done) outcome = session_->handshake();
      if (outcome == TlsSession::Outcome::failed || (client_done && outcome == TlsSession::Outcome::done)) break;
    }
    return outcome;
  }
  std::string client_read() {
    std::array<char, 64 * 1024> buffer{};
    const int count = SSL_read(client_, buffer.data(), buffer.size());
    return count > 0 ? std::string(buffer.data(), static_cast<std::size_t>(count)) : "";
  }
  void client_send(std::string_view text) { SSL_write(client_, text.data(), static_cast<int>(text.size())); }
  TlsSession& session() { return *session_; }
  SSL* client() { return client_; }
  int client_fd() const { return fds_[1]; }

 private:
  SSL_CTX* client_ctx_;
  std::array<int, 2> fds_{-1, -1};
  std::unique_ptr<TlsSession> session_;
  SSL* client_ = nullptr;
};

std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

struct Keys {  // made once: an RSA key takes a while
  Pki pki;
  TlsFiles ec = pki.make("ec", Pki::Kind::ec);
  TlsFiles rsa = pki.make("rsa", Pki::Kind::rsa);
};
const Keys& keys() {
  static const Keys made;
  return made;
}

struct Tls : ::testing::Test {
  const Pki& pki = keys().pki;
  TlsFiles ec = keys().ec;
  TlsFiles rsa = keys().rsa;
  std::shared_ptr<const TlsContext> context = *TlsContext::load({ec, rsa});
};

TEST_F(Tls, BytesGoBothWays) {
  Pair pair(*context);
  ASSERT_EQ(pair.shake_hands(), TlsSession::Outcome::done);
  EXPECT_EQ(pair.session().protocol(), "TLSv1.3");
  std::array<std::byte, 64> buffer{};
  EXPECT_EQ(pair.session().read(buffer).outcome, TlsSession::Outcome::want_read);
  pair.client_send("question");
  const auto got = pair.session().read(buffer);
  EXPECT_EQ(got.outcome, TlsSession::Outcome::done);
  EXPECT_EQ(got.count, 8U);
  EXPECT_EQ(pair.session().write(bytes("answer")).count, 6U);
  EXPECT_EQ(pair.client_read(), "answer");
}

TEST_F(Tls, AWriteThatTheSocketDoesNotTakeIsRepeated) {
  Pair pair(*context);
  ASSERT_EQ(pair.shake_hands(), TlsSession::Outcome::done);
  const std::string large(8 * 1024 * 1024, 'x');
  std::string_view left = large;
  std::string received;
  bool had_to_wait = false;
  while (received.size() < large.size()) {
    while (!left.empty()) {
      const auto moved = pair.session().write(bytes(left));
      had_to_wait |= moved.outcome == TlsSession::Outcome::want_write;
      if (moved.outcome != TlsSession::Outcome::done) break;
      left.remove_prefix(moved.count);
    }
    received += pair.client_read();
  }
  EXPECT_TRUE(had_to_wait);
  EXPECT_EQ(received, large);
}

TEST_F(Tls, TheGoodbyeIsHeardOnBothSides) {
  Pair pair(*context);
  ASSERT_EQ(pair.shake_hands(), TlsSession::Outcome::done);
  SSL_shutdown(pair.client());
  std::array<std::byte, 16> buffer{};
  EXPECT_EQ(pair.session().read(buffer).outcome, TlsSession::Outcome::closed);
  pair.session().close_notify();
  EXPECT_EQ(pair.client_read(), "");
  EXPECT_EQ(SSL_get_shutdown(pair.client()) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
}

TEST_F(Tls, EachClientGetsTheCertificateItUnderstands) {
  const struct {
    const char* algorithms;
    const char* kind;
  } rows[] = {{"ECDSA+SHA256", "EC"}, {"RSA-PSS+SHA256:RSA+SHA256", "RSA"}};
  for (const auto& row : rows) {
    Pair pair(*context, [&](SSL_CTX* ctx) { SSL_CTX_set1_sigalgs_list(ctx, row.algorithms); });
    ASSERT_EQ(pair.shake_hands(), TlsSession::Outcome::done) << row.kind;
    X509* seen = SSL_get1_peer_certificate(pair.client());
    EXPECT_STREQ(EVP_PKEY_get0_type_name(X509_get0_pubkey(seen)), row.kind);
    X509_free(seen);
  }
}

TEST_F(Tls, VersionsAndProtocols) {
  const struct {
    const char* why;
    std::function<void(SSL_CTX*)> configure;
    bool accepted;
  } rows[] = {
      {"TLS 1.2", [](SSL_CTX* c) { SSL_CTX_set_max_proto_version(c, TLS1_2_VERSION); }, true},
      {"TLS 1.1 is refused",
       [](SSL_CTX* c) {
         SSL_CTX_set_security_level(c, 0);
         SSL_CTX_set_min_proto_version(c, TLS1_1_VERSION);
         SSL_CTX_set_max_proto_version(c, TLS1_1_VERSION);
       },
       false},
      {"no forward secrecy is refused",
       [](SSL_CTX* c) {
         SSL_CTX_set_max_proto_version(c, TLS1_2_VERSION);
         SSL_CTX_set_cipher_list(c, "AES128-GCM-SHA256");
       },
       false},
      {"http/1.1 by ALPN",
       [](SSL_CTX* c) { SSL_CTX_set_alpn_protos(c, reinterpret_cast<const unsigned char*>("\x02h2\x08http/1.1"), 12); },
       true},
      {"nothing we speak",
       [](SSL_CTX* c) { SSL_CTX_set_alpn_protos(c, reinterpret_cast<const unsigned char*>("\x02h2"), 3); }, false},
  };
  for (const auto& row : rows) {
    Pair pair(*context, row.configure);
    EXPECT_EQ(pair.shake_hands() == TlsSession::Outcome::done, row.accepted) << row.why;
    EXPECT_EQ(pair.session().failure().empty(), row.accepted) << row.why;
  }
}

TEST_F(Tls, ASessionIsResumedAlsoAfterAReload) {
  SSL_SESSION* ticket = nullptr;
  {
    Pair first(*context);
    ASSERT_EQ(first.shake_hands(), TlsSession::Outcome::done);
    EXPECT_FALSE(first.session().is_resumed());
    first.session().write(bytes("x"));
    first.client_read();  // tickets come behind the handshake
    ticket = SSL_get1_session(first.client());
    SSL_shutdown(first.client());
  }
  const auto reloaded = *TlsContext::load({rsa, ec}, context.get());
  const auto stranger = *TlsContext::load({rsa, ec});
  const struct {
    const TlsContext& context;
    bool resumed;
  } rows[] = {{*context, true}, {*reloaded, true}, {*stranger, false}};
  for (const auto& row : rows) {
    SSL_SESSION* copy = SSL_SESSION_dup(ticket);
    Pair next(row.context, {}, copy);
    ASSERT_EQ(next.shake_hands(), TlsSession::Outcome::done);
    EXPECT_EQ(next.session().is_resumed(), row.resumed);
    SSL_SESSION_free(copy);
  }
  SSL_SESSION_free(ticket);
}

TEST_F(Tls, PlainHttpIsRecognised) {
  Pair pair(*context);
  const std::string_view request = "GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n";
  ASSERT_EQ(::write(pair.client_fd(), request.data(), request.size()), static_cast<ssize_t>(request.size()));
  EXPECT_EQ(pair.session().handshake(), TlsSession::Outcome::plain_http);
}

TEST_F(Tls, NonsenseAndSilenceFail) {
  for (const std::string_view noise :
       {std::string_view("\x16\x03\x01\xff\xff garbage garbage"), std::string_view("\0\0\0\0\0\0\0\0\0\0\0", 11)}) {
    Pair pair(*context);
    ASSERT_GT(::write(pair.client_fd(), noise.data(), noise.size()), 0);
    ::shutdown(pair.client_fd(), SHUT_WR);
    EXPECT_EQ(pair.session().handshake(), TlsSession::Outcome::failed);
    EXPECT_NE(pair.session().failure(), "");
  }
}

TEST_F(Tls, WhatACertificateIsCanBeTold) {
  const auto& certificates = context->certificates();
  ASSERT_EQ(certificates.size(), 2U);
  EXPECT_THAT(certificates[0].subject, HasSubstr("CN=ec"));
  EXPECT_EQ(certificates[0].key_kind, "EC");
  EXPECT_EQ(certificates[1].key_kind, "RSA");
  EXPECT_EQ(certificates[0].not_after_ms - certificates[0].not_before_ms, 3'600'000);
}

TEST_F(Tls, EveryUnusableFileIsNamedWithTheReason) {
  const std::string text = pki.write("text", "hello\n");
  const TlsFiles other = pki.make("other", Pki::Kind::ec);
  std::ifstream whole(ec.certificate_path);
  const std::string pem((std::istreambuf_iterator<char>(whole)), {});
  const std::string broken = pki.write("broken", pem + pem.substr(0, pem.size() / 2));
  const struct {
    std::vector<TlsFiles> files;
    std::string path;
    const char* reason;
  } rows[] = {
      {{}, "", "needs a certificate"},
      {{{pki.path("none"), ec.key_path}}, pki.path("none"), "cannot be read"},
      {{{ec.certificate_path, pki.path("none")}}, pki.path("none"), "cannot be read"},
      {{{text, ec.key_path}}, text, "no certificate in PEM form"},
      {{{broken, ec.key_path}}, broken, "damaged"},
      {{{ec.certificate_path, text}}, text, "no private key"},
      {{{ec.certificate_path, pki.path("ec.locked")}}, pki.path("ec.locked"), "encrypted"},
      {{{ec.certificate_path, other.key_path}}, other.key_path, "does not belong"},
      {{{ec.certificate_path, rsa.key_path}}, rsa.key_path, "does not belong"},
      {{ec, other}, other.certificate_path, "already"},
  };
  for (const auto& row : rows) {
    const auto loaded = TlsContext::load(row.files);
    ASSERT_FALSE(loaded.has_value()) << row.reason;
    EXPECT_EQ(loaded.error().code, Errc::parameter_invalid);
    EXPECT_THAT(loaded.error().message, HasSubstr(row.path));
    EXPECT_THAT(loaded.error().message, HasSubstr(row.reason));
  }
}

}  // namespace
}  // namespace berth::crypto
