// Certificates of clients: which are believed, what they say, and that a session that is resumed is still theirs.
#include "crypto/tls.h"

#include <gmock/gmock.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <functional>

namespace berth::crypto {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Ask = TlsClients::Ask;

struct Identity {
  EVP_PKEY* key = nullptr;
  X509* certificate = nullptr;
};

void add_extension(X509* certificate, X509* issuer, int kind, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value);
  ASSERT_NE(extension, nullptr) << value;
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

/// A folder with authorities, a server and clients, all made by the test.
class Pki {
 public:
  struct Wish {
    std::string name = "client";
    std::string san = {};  // "URI:spiffe://acme.example/ci/web,DNS:a.example", or "DER:30…"
    long from_s = -60;
    long until_s = 3600;
    const char* usage = "clientAuth";
  };

  Pki() {
    std::string pattern = (std::filesystem::temp_directory_path() / "berth-tls-XXXXXX").string();
    dir_ = ::mkdtemp(pattern.data());
    ca = make_authority("authority");
    other_ca = make_authority("authority");  // of the same name
    write_certificate("ca.pem", ca);
    write_certificate("other.pem", other_ca);
    const Identity server = issue(ca, {.name = "server", .usage = "serverAuth"});
    files = {write_certificate("server.pem", server), dir_ + "/server.key"};
    BIO* out = BIO_new_file(files.key_path.c_str(), "w");
    PEM_write_bio_PrivateKey(out, server.key, nullptr, nullptr, 0, nullptr, nullptr);
    BIO_free(out);
  }
  ~Pki() {
    for (const Identity& one : made_) {
      X509_free(one.certificate);
      EVP_PKEY_free(one.key);
    }
    std::filesystem::remove_all(dir_);
  }
  Pki(const Pki&) = delete;
  Pki& operator=(const Pki&) = delete;

  Identity issue(const Identity& issuer, const Wish& wish) {
    Identity out = start(wish.name, wish.from_s, wish.until_s);
    X509_set_issuer_name(out.certificate, X509_get_subject_name(issuer.certificate));
    if (!wish.san.empty()) add_extension(out.certificate, issuer.certificate, NID_subject_alt_name, wish.san.c_str());
    add_extension(out.certificate, issuer.certificate, NID_ext_key_usage, wish.usage);
    X509_sign(out.certificate, issuer.key, EVP_sha256());
    return out;
  }
  Identity make_authority(const std::string& name) {
    Identity out = start(name, -60, 7200);
    X509_set_issuer_name(out.certificate, X509_get_subject_name(out.certificate));
    add_extension(out.certificate, out.certificate, NID_basic_constraints, "critical,CA:TRUE");
    X509_sign(out.certificate, out.key, EVP_sha256());
    return out;
  }
  std::string write_certificate(const std::string& name, const Identity& identity) const {
    const std::string path = dir_ + "/" + name;
    BIO* out = BIO_new_file(path.c_str(), "w");
    PEM_write_bio_X509(out, identity.certificate);
    BIO_free(out);
    return path;
  }
  std::string path(const std::string& name) const { return dir_ + "/" + name; }

  Identity ca;
  Identity other_ca;
  TlsFiles files;

 private:
  Identity start(const std::string& name, long from_s, long until_s) {
    Identity out{EVP_EC_gen("P-256"), X509_new()};
    X509_set_version(out.certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(out.certificate), static_cast<long>(made_.size()) + 1);
    X509_gmtime_adj(X509_getm_notBefore(out.certificate), from_s);
    X509_gmtime_adj(X509_getm_notAfter(out.certificate), until_s);
    X509_set_pubkey(out.certificate, out.key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(out.certificate), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    made_.push_back(out);
    return out;
  }

  std::string dir_;
  std::vector<Identity> made_;
};

/// One connection between a client and the server, both in this thread.
class Meeting {
 public:
  explicit Meeting(const TlsContext& context, const Identity* shown = nullptr, int version = TLS1_3_VERSION,
                   SSL_SESSION* resume = nullptr)
      : ctx_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_set_max_proto_version(ctx_, version);
    if (shown != nullptr) {
      SSL_CTX_use_certificate(ctx_, shown->certificate);
      SSL_CTX_use_PrivateKey(ctx_, shown->key);
    }
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds_.data()), 0);
    session_ = *context.accept(fds_[0]);
    ssl_ = SSL_new(ctx_);
    SSL_set_fd(ssl_, fds_[1]);
    if (resume != nullptr) SSL_set_session(ssl_, resume);
    bool client_done = false;
    for (int i = 0; i < 20 && outcome_ != TlsSession::Outcome::failed; ++i) {
      if (!client_done) client_done = SSL_connect(ssl_) == 1;
      if (outcome_ != TlsSession::Outcome::done) outcome_ = session_->handshake();
    }
  }
  ~Meeting() {
    session_.reset();
    SSL_free(ssl_);
    SSL_CTX_free(ctx_);
    for (const int fd : fds_) ::close(fd);
  }
  Meeting(const Meeting&) = delete;
  Meeting& operator=(const Meeting&) = delete;

  bool is_done() const { return outcome_ == TlsSession::Outcome::done; }
  TlsSession& session() { return *session_; }
  std::vector<std::string> names() const {
    const ClientCertificate* shown = session_->client_certificate();
    return shown != nullptr ? shown->names : std::vector<std::string>{"(none)"};
  }
  /// To be freed.
  SSL_SESSION* ticket() {
    session_->write(std::as_bytes(std::span("x", 1)));
    std::array<char, 16> buffer{};
    SSL_read(ssl_, buffer.data(), buffer.size());  // tickets come behind the handshake
    SSL_SESSION* out = SSL_get1_session(ssl_);
    SSL_shutdown(ssl_);
    return out;
  }

 private:
  SSL_CTX* ctx_;
  std::array<int, 2> fds_{-1, -1};
  std::unique_ptr<TlsSession> session_;
  SSL* ssl_ = nullptr;
  TlsSession::Outcome outcome_ = TlsSession::Outcome::want_read;
};

struct TlsClientsTest : ::testing::Test {
  Pki pki;
  std::shared_ptr<const TlsContext> load(Ask ask, const std::string& authorities = "ca.pem",
                                         const TlsContext* previous = nullptr) {
    auto loaded = TlsContext::load({pki.files}, previous, {ask, pki.path(authorities)});
    EXPECT_TRUE(loaded.has_value()) << loaded.error().message;
    return *loaded;
  }
};

TEST_F(TlsClientsTest, WhoHasNoneIsServedUnlessItIsRequired) {
  EXPECT_TRUE(Meeting(*load(Ask::off)).is_done());
  Meeting requested(*load(Ask::request));
  EXPECT_TRUE(requested.is_done());
  EXPECT_EQ(requested.session().client_certificate(), nullptr);
  Meeting required(*load(Ask::required));
  EXPECT_FALSE(required.is_done());
  EXPECT_THAT(required.session().failure(), HasSubstr("peer did not return a certificate"));
}

TEST_F(TlsClientsTest, WhatAnAuthorityIssuedIsBelieved) {
  const Identity client = pki.issue(pki.ca, {.san = "URI:spiffe://acme.example/ci/web"});
  for (const Ask ask : {Ask::request, Ask::required}) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      Meeting meeting(*load(ask), &client, version);
      ASSERT_TRUE(meeting.is_done()) << meeting.session().failure();
      EXPECT_THAT(meeting.names(), ElementsAre("uri:spiffe://acme.example/ci/web"));
    }
  }
  Meeting unasked(*load(Ask::off), &client);
  EXPECT_TRUE(unasked.is_done());
  EXPECT_EQ(unasked.session().client_certificate(), nullptr);
}

TEST_F(TlsClientsTest, WhatIsNotGoodEndsTheHandshakeEvenWhereNoneIsRequired) {
  const std::string san = "URI:spiffe://acme.example/ci/web";
  Identity self_signed = pki.make_authority("client");
  const Identity intermediate = pki.issue(pki.ca, {.name = "client", .san = san});  // may issue nothing
  const struct {
    Identity shown;
    const char* reason;
    const char* why;
  } rows[] = {
      {pki.issue(pki.other_ca, {.san = san}), "certificate verify failed", "another authority of the same name"},
      {pki.issue(pki.ca, {.san = san, .from_s = -7200, .until_s = -1}), "certificate has expired", "expired"},
      {pki.issue(pki.ca, {.san = san, .from_s = 600}), "not yet valid", "of tomorrow"},
      {pki.issue(pki.ca, {.san = san, .usage = "serverAuth"}), "certificate verify failed", "for servers"},
      {self_signed, "certificate verify failed", "by itself"},
      {pki.issue(intermediate, {.san = san}), "certificate verify failed", "issued by a client"},
  };
  for (const Ask ask : {Ask::request, Ask::required}) {
    const auto context = load(ask);
    for (const auto& row : rows) {
      Meeting meeting(*context, &row.shown);
      EXPECT_FALSE(meeting.is_done()) << row.why;
      EXPECT_EQ(meeting.session().client_certificate(), nullptr) << row.why;
      EXPECT_THAT(meeting.session().failure(), HasSubstr(row.reason)) << row.why;
    }
  }
}

TEST_F(TlsClientsTest, NamesThatCouldBeReadInTwoWaysAreLeftOut) {
  const struct {
    const char* san;
    std::vector<std::string> names;
    const char* why;
  } rows[] = {
      {"", {}, "a common name is no name"},
      {"DNS:Build7.Acme.EXAMPLE,email:Ann@Acme.example,IP:192.0.2.1,URI:https://a.example/B=c",
       {"dns:build7.acme.example", "email:Ann@acme.example", "uri:https://a.example/B=c"},
       "hosts in lower case, addresses not at all"},
      {"DNS:*.acme.example,DNS:a.example", {"dns:a.example"}, "a wildcard is nobody"},
      {"otherName:1.2.3.4;UTF8:ann@acme.example", {}, "a kind we do not know"},
      {"DER:3010820E612E6578616D706C6500622E6578", {}, "a NUL inside"},  // dNSName "a.example\0b.ex"
      {"DER:300A8208612E6578616D700A", {}, "a line end"},
      {"DER:3007820561C3A42E62", {}, "not ASCII"},
      {"DER:30028200", {}, "empty"},
      {"email:copy,DNS:a.example", {"dns:a.example"}, "the subject has no address to copy"},
  };
  const auto context = load(Ask::required);
  for (const auto& row : rows) {
    const Identity client = pki.issue(pki.ca, {.name = "acme+ci", .san = row.san});
    Meeting meeting(*context, &client);
    ASSERT_TRUE(meeting.is_done()) << row.why << ": " << meeting.session().failure();
    EXPECT_EQ(meeting.names(), row.names) << row.why;
  }
}

TEST_F(TlsClientsTest, AResumedSessionIsStillItsOwners) {
  const Identity web = pki.issue(pki.ca, {.san = "URI:spiffe://acme.example/ci/web"});
  const Identity api = pki.issue(pki.ca, {.san = "URI:spiffe://acme.example/ci/api"});
  const auto context = load(Ask::request);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    SSL_SESSION* ticket = Meeting(*context, &web, version).ticket();
    SSL_SESSION* of_nobody = Meeting(*context, nullptr, version).ticket();
    for (const Identity* shown : {static_cast<const Identity*>(nullptr), &web, &api}) {
      SSL_SESSION* copy = SSL_SESSION_dup(ticket);
      Meeting again(*context, shown, version, copy);
      ASSERT_TRUE(again.is_done());
      EXPECT_TRUE(again.session().is_resumed());
      EXPECT_THAT(again.names(), ElementsAre("uri:spiffe://acme.example/ci/web")) << "whatever else the client has";
      SSL_SESSION_free(copy);
    }
    Meeting nobody(*context, &web, version, of_nobody);
    ASSERT_TRUE(nobody.is_done());
    EXPECT_TRUE(nobody.session().is_resumed());
    EXPECT_EQ(nobody.session().client_certificate(), nullptr) << "a session without a certificate gets none";
    SSL_SESSION_free(of_nobody);
    SSL_SESSION_free(ticket);
  }
}

TEST_F(TlsClientsTest, ASessionIsNotResumedUnderOtherRules) {
  const Identity web = pki.issue(pki.ca, {.san = "URI:spiffe://acme.example/ci/web"});
  const auto context = load(Ask::request);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    SSL_SESSION* ticket = Meeting(*context, &web, version).ticket();
    const auto same = load(Ask::request, "ca.pem", context.get());
    const auto without = load(Ask::off, "", context.get());
    const auto stricter = load(Ask::required, "ca.pem", context.get());
    const auto of_others = load(Ask::request, "other.pem", context.get());
    const struct {
      const TlsContext& context;
      bool is_resumed;
      const char* why;
    } rows[] = {{*same, true, "the same rules"},
                {*without, false, "nobody is asked any more"},
                {*stricter, false, "required now"},
                {*of_others, false, "the authority is not believed any more"}};
    for (const auto& row : rows) {
      SSL_SESSION* copy = SSL_SESSION_dup(ticket);
      Meeting again(row.context, nullptr, version, copy);
      EXPECT_EQ(again.session().is_resumed(), row.is_resumed) << row.why;
      EXPECT_EQ(again.session().client_certificate() != nullptr, row.is_resumed) << row.why;
      SSL_SESSION_free(copy);
    }
    SSL_SESSION_free(ticket);
  }
}

TEST_F(TlsClientsTest, AnIntermediateThatIsListedIsEnough) {
  Identity intermediate = pki.make_authority("team authority");
  X509_set_issuer_name(intermediate.certificate, X509_get_subject_name(pki.ca.certificate));
  X509_sign(intermediate.certificate, pki.ca.key, EVP_sha256());
  pki.write_certificate("team.pem", intermediate);
  const Identity of_team = pki.issue(intermediate, {.san = "DNS:a.example"});
  const Identity of_root = pki.issue(pki.ca, {.san = "DNS:a.example"});
  const auto context = load(Ask::request, "team.pem");
  EXPECT_TRUE(Meeting(*context, &of_team).is_done());
  EXPECT_FALSE(Meeting(*context, &of_root).is_done()) << "what is above it is not believed by that";
}

TEST_F(TlsClientsTest, AuthoritiesThatCannotBeUsedAreNamed) {
  for (const std::string name : {"none.pem", "server.key"}) {
    const auto loaded = TlsContext::load({pki.files}, nullptr, {Ask::request, pki.path(name)});
    ASSERT_FALSE(loaded.has_value()) << name;
    EXPECT_EQ(loaded.error().code, Errc::parameter_invalid);
    EXPECT_THAT(loaded.error().message, HasSubstr(pki.path(name)));
  }
}

TEST(ClientCertificate, WhatIsNoCertificateIsRefused) {
  EXPECT_FALSE(parse_client_certificate({}));
  EXPECT_FALSE(parse_client_certificate(std::as_bytes(std::span("nonsense", 8))));
}

}  // namespace
}  // namespace berth::crypto
