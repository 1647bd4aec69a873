#pragma once
// Reads HTTP/1.1 responses from pieces of bytes as they come. Whatever a server sends, this ends in `done` or `bad`.

#include <cstdint>
#include <string>
#include <string_view>

namespace berth::load {

struct ResponseHead {
  int status = 0;
  std::int64_t content_length = -1;  // -1: not given
  bool chunked = false;
  bool close = false;
  std::string location, digest, link;  // Location, Docker-Content-Digest, Link
};

class ResponseReader {
 public:
  enum class State { head, body, done, bad };

  /// For the next response on the connection. `is_head`: the request was a HEAD, so no body follows.
  void start(bool is_head);

  /// Takes bytes up to the end of the response and returns how many. Body bytes go to `body` (a part of `data`, valid
  /// until the next call); call again with the rest while the state is head or body.
  std::size_t consume(std::string_view data, std::string_view& body);

  /// The connection ended: fine only for a body that lasts until then.
  void end_of_stream();

  /// Body bytes that follow for sure, so that a caller may drop them from the socket unread and report that by skip().
  std::uint64_t surely_left() const { return state_ == State::body && !head_.chunked && !until_end_ ? left_ : 0; }
  void skip(std::uint64_t n);

  State state() const { return state_; }
  const ResponseHead& head() const { return head_; }
  std::uint64_t body_bytes() const { return body_bytes_; }
  const std::string& why() const { return why_; }  // of a bad one

 private:
  std::size_t consume_head(std::string_view data);
  std::size_t consume_chunk_line(std::string_view data);
  void parse_head(std::string_view text);
  void parse_field(std::string_view name, std::string_view value);
  void begin_body();
  void fail(std::string why);

  State state_ = State::head;
  ResponseHead head_;
  std::string text_;  // an unfinished head or chunk line
  std::string why_;
  std::uint64_t body_bytes_ = 0;
  std::uint64_t left_ = 0;  // of the body, or of the chunk
  bool is_head_ = false;
  bool until_end_ = false;
  enum class Chunk { size, data, data_end, trailer } chunk_ = Chunk::size;
};

}  // namespace berth::load
