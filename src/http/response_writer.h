#pragma once
// A response head as bytes.

#include "http/message.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace berth::http {

/// What the connection adds to a Response.
struct HeadFrame {
  enum class Connection : std::uint8_t {
    implicit,    // nothing to say: HTTP/1.1 stays open
    keep_alive,  // HTTP/1.0 that asked for it
    close,
  };
  std::string_view date;
  std::optional<std::uint64_t> content_length;  // absent: no body can follow (H2)
  Connection connection = Connection::implicit;
};

/// Whether responses of this status have neither body nor Content-Length: 1xx, 204, 304.
bool is_bodyless(int status);

/// Appends status line, fields, frame and the empty line.
void append_head(std::string& out, const Response& response, const HeadFrame& frame);

/// The Date value, formatted once a second. One per core.
class DateCache {
 public:
  std::string_view at(std::int64_t now_ms);

 private:
  std::int64_t second_ = -1;
  std::string text_;
};

}  // namespace berth::http
