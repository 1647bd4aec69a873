#pragma once
// One client connection: sends a request, reads the whole response, checks what it was asked to check. Reconnects when
// the other side closed it. TLS with session resumption when the endpoint says so.

#include "content.h"
#include "loop.h"
#include "response_reader.h"

#include <memory>
#include <string>

struct ssl_st;
struct ssl_ctx_st;
struct ssl_session_st;

namespace berth::load {

struct Endpoint {
  std::uint16_t port = 0;
  ssl_ctx_st* tls = nullptr;          // null: plain
  ssl_session_st* session = nullptr;  // the latest ticket, shared by all connections
  std::uint64_t resumed = 0;          // handshakes that used it
};

struct Request {
  std::string_view method;
  std::string target;
  std::string fields;             // "Name: value\r\n"…
  std::string_view small_body;    // either this,
  const Content* body = nullptr;  // or this, sent with Content-Length or in chunks
  bool chunked = false;
  std::uint64_t rest_held = 0;  // the last bytes of `body` are not sent, and exchange() does not wait for a response
};

struct Wanted {
  bool keep_body = false;     // in Response::body
  bool hash_body = false;     // in Response::body_digest
  bool discard_body = false;  // do not even copy it out of the kernel when its length is known
};

struct Response {
  int status = 0;  // 0: none, see error
  std::uint64_t body_bytes = 0;
  std::string location, digest, link, body, body_digest, error;
};

class ClientConnection {
 public:
  ClientConnection(Loop& loop, Endpoint& endpoint) : loop_(loop), endpoint_(endpoint) {}
  ~ClientConnection();
  ClientConnection(const ClientConnection&) = delete;
  ClientConnection& operator=(const ClientConnection&) = delete;

  // borrows: the request and its bytes are kept by the frame that awaits the exchange
  Task<Response> exchange(const Request& request, Wanted wanted);
  void close();

  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;

 private:
  Task<bool> open();
  // borrows: the request and its bytes are kept by the frame that awaits the exchange
  Task<bool> send_all(std::string_view bytes, bool more_follows);
  // borrows: the request and its bytes are kept by the frame that awaits the exchange
  Task<bool> send_body(const Request& request);
  // borrows: the response is exchange()'s own, which awaits this
  Task<bool> receive(Response& response, Wanted wanted);
  long write_some(std::string_view bytes, bool more_follows);
  long read_some(char* into, std::size_t size);
  bool drop_from_kernel();

  Loop& loop_;
  Endpoint& endpoint_;
  int fd_ = -1;
  ssl_st* ssl_ = nullptr;
  std::unique_ptr<Loop::Waiter> waiter_;
  ResponseReader reader_;
  std::string head_, block_, buffer_;
};

/// A client context that keeps the endpoint's latest ticket; certificates are not verified (loopback, our own key).
ssl_ctx_st* make_tls(Endpoint& endpoint);

}  // namespace berth::load
