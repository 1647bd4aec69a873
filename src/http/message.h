#pragma once
// What an HTTP exchange is made of, without the wire: names and values. See exchange.h for the moving parts.

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace berth::http {

// NOLINTNEXTLINE(readability-identifier-naming): delete is a keyword
enum class Method : std::uint8_t { get, head, post, put, patch, delete_, options, other };

struct HeaderField {
  std::string_view name;   // as sent
  std::string_view value;  // without surrounding white space
};

/// A request head. Every view points into the connection's buffer and is valid until the exchange ends.
struct Request {
  Method method = Method::other;
  std::string_view method_text;
  std::string_view target;  // as sent, percent-encoding and all; always starts with '/' (or is "*")
  std::string_view path;    // target up to '?', undecoded
  std::string_view query;   // after '?', undecoded, empty if none
  std::vector<HeaderField> fields;
  std::optional<std::uint64_t> content_length;
  bool chunked = false;
  bool expect_continue = false;
  bool keep_alive = true;
  int version_minor = 1;

  /// First field of that name (ASCII case-insensitive), or nullopt.
  std::optional<std::string_view> find(std::string_view name) const;
  std::size_t count(std::string_view name) const;
  /// All fields of that name joined with ", " as RFC 9110 §5.3 says, empty if none.
  std::string joined(std::string_view name) const;
  bool has_body() const { return chunked || content_length.value_or(0) > 0; }
};

/// A response head. The server adds Date, Content-Length (from the body it is given) and Connection by itself.
struct Response {
  int status = 200;
  std::string reason;       // the text behind the status code; empty, or unfit for a status line: the standard one
  std::string field_lines;  // "\r\nName: value" each, as they are sent: one buffer, not a pair of strings a field
  std::size_t left_out_count = 0;  // fields that were not fit to be sent

  /// A field whose name is not a token or whose value holds a control byte is left out, never sent (S23); likewise the
  /// three that the server owns: Content-Length, Transfer-Encoding, Connection.
  Response& add(std::string_view name, std::string_view value);
  /// Fields as they are sent ("\r\nName: value", any number), in pieces. Unchecked: literals, digests, numbers.
  Response& add_lines(std::initializer_list<std::string_view> pieces);
};

/// A slice of a RandomSource, or literal text between slices (multipart boundaries).
struct BodyPart {
  std::string text;                // sent first
  std::uint64_t offset_bytes = 0;  // then this slice of the source
  std::uint64_t length_bytes = 0;
};

}  // namespace berth::http
