#pragma once
// A small blocking HTTP/1.1 client for tests. It shares no code with Berth's own HTTP room, so that a mistake there is
// not repeated here, and it sends whatever bytes it is given.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace berth::test {

/// All of them in a row, as text.
template <class... Parts>
std::string concat(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return std::move(out).str();
}

using Fields = std::vector<std::pair<std::string, std::string>>;

/// Of the fields named so (ASCII case-insensitive), the values in the order sent.
std::vector<std::string> field_values(const Fields& fields, std::string_view name);

struct WireRequest {
  std::string method;
  std::string target;
  Fields fields;  // Host is added if missing; Content-Length if there is a body without either framing field
  std::string body;
  std::size_t chunk_bytes = 0;  // > 0: sent with Transfer-Encoding: chunked in chunks of this size
};

struct WireResponse {
  int status = 0;  // 0: no whole response came; `problem` says why
  Fields fields;
  std::string body;
  bool was_continued = false;  // a 100 came first
  std::string problem;         // what is wrong with the message itself

  std::optional<std::string> field(std::string_view name) const;
};

/// The host that requests name unless they bring their own: nothing in an answer may repeat it (S24).
inline constexpr std::string_view kTestHost = "registry.test:5000";

/// Head and body as they go over the wire.
std::string head_bytes(const WireRequest& request);
std::string body_bytes(const WireRequest& request);

class WireClient {
 public:
  explicit WireClient(std::uint16_t port) : port_(port) {}
  ~WireClient() { close(); }
  WireClient(const WireClient&) = delete;
  WireClient& operator=(const WireClient&) = delete;

  /// Sends and waits for the final answer; with `Expect: 100-continue` the body follows only after a 100. Opens a
  /// connection if there is none, keeps it if the answer allows that.
  WireResponse ask(const WireRequest& request);
  WireResponse ask(std::string method, std::string target, std::string body = {}, Fields fields = {});

  // The pieces, for tests that misbehave.
  void open();
  bool send(std::string_view bytes);  // false if the peer does not take them all
  void finish_sending();
  WireResponse read_response(std::string_view method);
  void close();
  void reset();  // the peer sees the connection break
  bool is_open() const { return fd_ >= 0; }
  /// Whether an answer, or the end of the connection, can be read before so much time has passed.
  bool is_readable_within(int timeout_ms) const;
  std::size_t connections_opened() const { return opened_; }

 private:
  bool receive();
  bool read_head(WireResponse& response);
  void read_body(WireResponse& response);

  std::uint16_t port_;
  int fd_ = -1;
  std::size_t opened_ = 0;
  std::string buffer_;
};

}  // namespace berth::test
