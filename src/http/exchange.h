#pragma once
// One request and its answer. The server hands an Exchange to the handler; the handler reads the body if it wants it,
// and sends exactly one final response. What it leaves unread is dealt with by the server (H7).

#include "crypto/client_certificate.h"
#include "http/message.h"
#include "io/streams.h"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace berth::http {

class Exchange : public io::ByteSource {
 public:
  virtual const Request& request() const = 0;
  /// "address:port" of the peer, for the log.
  virtual std::string_view peer() const = 0;
  /// Whether a trusted proxy said in a PROXY header who the peer is: the connection is that proxy's all the same.
  virtual bool is_proxied() const = 0;
  /// Whether the peer's connection is.
  virtual bool is_encrypted() const = 0;
  /// The peer's own, verified; nullptr: it showed none. Lives as long as the exchange.
  virtual const crypto::ClientCertificate* client_certificate() const = 0;

  // ByteSource: the request body, decoded from chunked framing. The first read answers `Expect: 100-continue` with 100.
  // Reads go straight into the caller's buffer. Errors: disconnected, timeout, size_invalid (peer closed before the
  // declared length or in the middle of a chunk; bad chunk framing).

  /// The whole body, at most `max_bytes` (inclusive). Beyond: `too_large`, reading stops at once, chunked or not (M2).
  io::Task<Result<std::string>> read_body(std::size_t max_bytes, Errc too_large);

  /// Sends a response as far as the peer takes it at once. True: all of it is out, which is the usual case and costs no
  /// coroutine. False: `body` must stay where it is until finish_send() has sent the rest. Otherwise as send().
  virtual Result<bool> begin_send(const Response& head, std::string_view body) = 0;
  virtual io::Task<Result<void>> finish_send() = 0;

  /// Sends a response with a body held in memory. For HEAD the body is not sent but its length is (H2); 204 and 304
  /// have neither. Returns `disconnected` if the peer went away; the handler has nothing to do then.
  virtual io::Task<Result<void>> send(Response head, std::string body = {}) = 0;
  /// The same with bytes that others use too.
  virtual io::Task<Result<void>> send(Response head, std::shared_ptr<const std::string> body) = 0;
  /// The same with slices of stored bytes: sendfile where the source has a descriptor, else 256 KiB reads. For HEAD
  /// only the head goes out. Content-Length is the sum of all parts, computed before the first byte is sent.
  virtual io::Task<Result<void>> send(Response head, io::RandomSource& source, std::vector<BodyPart> parts) = 0;
  /// For HEAD answers whose length is known but whose body is not at hand: 200 with this Content-Length.
  virtual io::Task<Result<void>> send_head(Response head, std::uint64_t content_length) = 0;

  /// Bytes of this exchange so far, heads and framing included, as they were before encryption.
  struct Traffic {
    std::uint64_t received_bytes = 0;
    std::uint64_t sent_bytes = 0;
  };
  virtual Traffic traffic() const = 0;

  /// True once a final response head has been written.
  virtual bool answered() const = 0;
  /// Status of the answer, for the access log; 0 before.
  virtual int status() const = 0;
};

}  // namespace berth::http
