#include "connection.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace berth::load {

namespace {

constexpr std::size_t kBuffer = 256U << 10U;
constexpr long kAgain = -2;  // nothing now; -1 is an error, 0 the end

int new_ticket(SSL* ssl, SSL_SESSION* session) {
  auto& endpoint = *static_cast<Endpoint*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  if (endpoint.session != nullptr) SSL_SESSION_free(endpoint.session);
  endpoint.session = session;
  return 1;  // kept
}

}  // namespace

ssl_ctx_st* make_tls(Endpoint& endpoint) {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, new_ticket);
  SSL_CTX_set_app_data(context, &endpoint);
  return context;
}

ClientConnection::~ClientConnection() { close(); }

void ClientConnection::close() {
  if (ssl_ != nullptr) {
    SSL_shutdown(ssl_);  // says goodbye, so that the session stays resumable
    SSL_free(std::exchange(ssl_, nullptr));
  }
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

Task<bool> ClientConnection::open() {
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) co_return false;
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  waiter_ = std::make_unique<Loop::Waiter>();
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(endpoint_.port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int result = connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  loop_.watch(fd_, *waiter_);
  if (result != 0) {
    if (errno != EINPROGRESS) co_return false;
    co_await *waiter_;
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) co_return false;
  }
  if (endpoint_.tls == nullptr) co_return true;
  ssl_ = SSL_new(endpoint_.tls);
  SSL_set_fd(ssl_, fd_);
  if (endpoint_.session != nullptr) SSL_set_session(ssl_, endpoint_.session);
  for (;;) {
    const int done = SSL_connect(ssl_);
    if (done == 1) break;
    const int why = SSL_get_error(ssl_, done);
    if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) co_return false;
    co_await *waiter_;
  }
  endpoint_.resumed += static_cast<std::uint64_t>(SSL_session_reused(ssl_));
  co_return true;
}

long ClientConnection::write_some(std::string_view bytes, bool more_follows) {
  if (ssl_ != nullptr) {
    const int sent = SSL_write(ssl_, bytes.data(), static_cast<int>(std::min<std::size_t>(bytes.size(), 1U << 20U)));
    if (sent > 0) return sent;
    const int why = SSL_get_error(ssl_, sent);
    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? kAgain : -1;
  }
  const auto sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | (more_follows ? MSG_MORE : 0));
  if (sent >= 0) return sent;
  return errno == EAGAIN ? kAgain : -1;
}

long ClientConnection::read_some(char* into, std::size_t size) {
  if (ssl_ != nullptr) {
    const int got = SSL_read(ssl_, into, static_cast<int>(size));
    if (got > 0) return got;
    const int why = SSL_get_error(ssl_, got);
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return kAgain;
    return why == SSL_ERROR_ZERO_RETURN ? 0 : -1;
  }
  const auto got = recv(fd_, into, size, 0);
  if (got >= 0) return got;
  return errno == EAGAIN ? kAgain : -1;
}

// borrows: the request and its bytes are kept by the frame that awaits the exchange
Task<bool> ClientConnection::send_all(std::string_view bytes, bool more_follows) {
  while (!bytes.empty()) {
    const long sent = write_some(bytes, more_follows);
    if (sent == kAgain) {
      co_await *waiter_;
      continue;
    }
    if (sent < 0) co_return false;
    bytes_out += static_cast<std::uint64_t>(sent);
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  co_return true;
}

// borrows: the request and its bytes are kept by the frame that awaits the exchange
Task<bool> ClientConnection::send_body(const Request& request) {
  const Content& body = *request.body;
  const std::uint64_t stop = body.size - std::min(body.size, request.rest_held);
  for (std::uint64_t at = 0; at < stop; at += Content::kBlock) {
    std::string_view piece = body.block(at / Content::kBlock, block_);
    piece = piece.substr(0, stop - at);
    const bool last = at + piece.size() == body.size;
    if (request.chunked) {
      const std::string size_line = fmt::format("{:x}\r\n", piece.size());
      if (!co_await send_all(size_line, true)) co_return false;
    }
    if (!co_await send_all(piece, request.chunked || !last)) co_return false;
    if (request.chunked && !co_await send_all(last ? "\r\n0\r\n\r\n" : "\r\n", !last)) co_return false;
  }
  co_return true;
}

// The kernel throws away what is already known to be body: the reader must not be what limits a fast server.
bool ClientConnection::drop_from_kernel() {
  while (reader_.surely_left() > 0) {
    const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(reader_.surely_left(), 4U << 20U));
    const auto got = recv(fd_, buffer_.data(), want, MSG_TRUNC);
    if (got < 0 && errno == EAGAIN) return true;
    if (got == 0) reader_.end_of_stream();
    if (got <= 0) return false;
    bytes_in += static_cast<std::uint64_t>(got);
    reader_.skip(static_cast<std::uint64_t>(got));
  }
  return true;
}

// borrows: the response is exchange()'s own, which awaits this
Task<bool> ClientConnection::receive(Response& response, Wanted wanted) {
  Hasher hasher;
  using State = ResponseReader::State;
  while (reader_.state() == State::head || reader_.state() == State::body) {
    if (wanted.discard_body && ssl_ == nullptr && reader_.surely_left() > 0) {
      if (!drop_from_kernel()) co_return false;
      if (reader_.state() == State::body) co_await *waiter_;
      continue;
    }
    const long got = read_some(buffer_.data(), kBuffer);
    if (got == kAgain) {
      co_await *waiter_;
      continue;
    }
    if (got < 0) co_return false;
    if (got == 0) {
      reader_.end_of_stream();
      break;
    }
    bytes_in += static_cast<std::uint64_t>(got);
    std::string_view data(buffer_.data(), static_cast<std::size_t>(got));
    while (!data.empty() && (reader_.state() == State::head || reader_.state() == State::body)) {
      std::string_view piece;
      data.remove_prefix(reader_.consume(data, piece));
      if (wanted.keep_body) response.body += piece;
      if (wanted.hash_body) hasher.add(piece);
    }
    if (!data.empty() && reader_.state() == State::done) {
      response.error = "bytes after the response";
      co_return false;
    }
  }
  if (wanted.hash_body) response.body_digest = hasher.digest();
  co_return reader_.state() == State::done;
}

// borrows: the request and its bytes are kept by the frame that awaits the exchange
Task<Response> ClientConnection::exchange(const Request& request, Wanted wanted) {
  Response response;
  if (buffer_.empty()) buffer_.resize(kBuffer);
  if (fd_ < 0 && !co_await open()) {
    response.error = fmt::format("cannot connect: {}", std::strerror(errno));
    close();
    co_return response;
  }
  head_.clear();
  head_.append(request.method).append(" ").append(request.target).append(" HTTP/1.1\r\nHost: 127.0.0.1\r\n");
  head_.append(request.fields);
  if (request.body != nullptr && request.chunked) {
    head_.append("Transfer-Encoding: chunked\r\n");
  } else if (request.body != nullptr || !request.small_body.empty() || request.method == "POST" ||
             request.method == "PUT") {
    const std::uint64_t length = request.body != nullptr ? request.body->size : request.small_body.size();
    head_.append("Content-Length: ").append(std::to_string(length)).append("\r\n");
  }
  head_.append("\r\n").append(request.small_body);
  reader_.start(request.method == "HEAD");
  bool sent = co_await send_all(head_, request.body != nullptr);
  if (sent && request.body != nullptr) sent = co_await send_body(request);
  if (sent && request.rest_held > 0) co_return response;
  // Even after a failed send: a server may have answered early and then closed.
  const bool whole = co_await receive(response, wanted);
  if (!whole) {
    if (response.error.empty()) response.error = reader_.why().empty() ? "the connection broke" : reader_.why();
    close();
    co_return response;
  }
  response.status = reader_.head().status;
  response.body_bytes = reader_.body_bytes();
  response.location = reader_.head().location;
  response.digest = reader_.head().digest;
  response.link = reader_.head().link;
  if (reader_.head().close || !sent) close();
  co_return response;
}

}  // namespace berth::load
