#pragma once
// The server's side of TLS, without any waiting: certificates and sessions over a non-blocking socket. Who waits for
// the socket, and how long, is decided by whoever holds the session (http/stream.h).

#include "base/result.h"
#include "crypto/client_certificate.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace berth::crypto {

/// PEM files. The certificate file holds the server's own certificate first, then those that lead to the root.
struct TlsFiles {
  std::string certificate_path;
  std::string key_path;
};

/// Whether clients show certificates of their own.
struct TlsClients {
  enum class Ask : std::uint8_t {
    off,
    request,   // who has none is served all the same; who has one that is not good is not
    required,  // nobody is served without
  };
  Ask ask = Ask::off;
  std::string authorities_path;  // PEM: by whose word certificates are good
};

/// What a person wants to know of a certificate.
struct TlsCertificate {
  std::string path;
  std::string subject;
  std::string key_kind;  // "EC", "RSA", "ED25519"…
  std::int64_t not_before_ms = 0;
  std::int64_t not_after_ms = 0;
};

class TlsSession {
 public:
  enum class Outcome : std::uint8_t {
    done,
    want_read,   // nothing moved; try again when the socket is readable
    want_write,  // likewise, writable
    closed,      // the peer said goodbye, or left
    plain_http,  // of a handshake: the peer speaks HTTP without TLS
    failed,      // the session is over; see failure()
  };
  struct Moved {
    Outcome outcome = Outcome::failed;
    std::size_t count = 0;  // with `done`: > 0
  };

  struct Handle;  // the library's
  explicit TlsSession(std::unique_ptr<Handle> handle);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  Outcome handshake();
  Moved read(std::span<std::byte> out);
  /// A write that wanted something must be repeated with the same bytes (at the same or another place).
  Moved write(std::span<const std::byte> bytes);
  /// Says goodbye; does not wait for the peer to do the same.
  void close_notify();

  /// "TLSv1.3"; empty before the handshake.
  std::string protocol() const;
  bool is_resumed() const;
  /// Of the peer, verified, once the handshake is done; nullptr: it showed none. Lives as long as the session.
  const ClientCertificate* client_certificate() const { return client_.get(); }
  /// The library's words for the log.
  const std::string& failure() const { return failure_; }

 private:
  Outcome outcome_of(int result);
  void read_client_certificate();

  std::unique_ptr<Handle> handle_;
  std::string failure_;
  std::unique_ptr<const ClientCertificate> client_;
};

/// Certificates, versions, ciphers. Immutable and thread-safe; a reload makes a new one, and sessions keep the one they
/// began with.
class TlsContext {
 public:
  struct Handle;  // the library's
  explicit TlsContext(std::unique_ptr<Handle> handle);

  /// One certificate per kind of key: a P-256 and an RSA one may stand side by side, and each client gets what it
  /// understands. TLS 1.2 and later, forward secrecy only, HTTP/1.1 by ALPN.
  /// previous: tickets it gave stay good for resumption, if clients are asked for the same.
  /// Errors: parameter_invalid with a sentence that names the file.
  static Result<std::shared_ptr<const TlsContext>> load(const std::vector<TlsFiles>& files,
                                                        const TlsContext* previous = nullptr,
                                                        const TlsClients& clients = {});
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  const std::vector<TlsCertificate>& certificates() const { return certificates_; }
  /// A session over a connected socket, which must be non-blocking and outlive it. Errors: internal (out of memory).
  Result<std::unique_ptr<TlsSession>> accept(int socket) const;

 private:
  Result<void> add(const TlsFiles& files);

  std::unique_ptr<Handle> handle_;
  std::vector<TlsCertificate> certificates_;
};

}  // namespace berth::crypto
