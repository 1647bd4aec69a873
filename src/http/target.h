#pragma once
// What a request target says, by the rules G6 and G7: paths split first and decoded after, queries form-decoded.

#include "base/result.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace berth::http {

/// The decoded segments of a path. Segments without an escape point into the text given to split_path, which must
/// therefore outlive this object; decoded ones live in it. Cheap to move, not copyable.
class Path {
 public:
  std::size_t size() const { return segments_.size(); }
  std::string_view operator[](std::size_t index) const { return segments_[index]; }
  auto begin() const { return segments_.begin(); }
  auto end() const { return segments_.end(); }

 private:
  friend Result<Path> split_path(std::string_view path);
  std::vector<std::string_view> segments_;
  std::unique_ptr<char[]> decoded_;
};

/// "/v2/a%3Ab/" → {"v2", "a:b", ""}. Splits on literal '/', then percent-decodes each segment once; empty segments are
/// kept, `//` is never merged, dots are never resolved (G6).
/// Errors: request_malformed: no leading '/', a malformed escape, more than 256 segments, or a decoded segment that is
/// `.` or `..` or holds '/', NUL or another control byte.
Result<Path> split_path(std::string_view path);

/// The parameters of a query string in the order sent, form-decoded: `+` is a space, %XX is decoded once (G7). Which
/// names matter is the caller's business; the rest is ignored.
class Query {
 public:
  static constexpr std::size_t kParametersMax = 1000;

  Query() = default;
  /// Errors: request_malformed (malformed escape, more than kParametersMax parameters).
  static Result<Query> parse(std::string_view text);

  bool has(std::string_view name) const;
  /// The first parameter whose name is none of those, for who takes no others; nullopt if there is none.
  std::optional<std::string_view> first_beyond(std::span<const std::string_view> names) const;
  /// The value of a single-valued parameter, nullopt if absent. The same value twice is fine; two different ones are
  /// parameter_invalid (G7).
  Result<std::optional<std::string>> single(std::string_view name) const;
  /// Every value of a repeatable parameter, in the order sent.
  std::vector<std::string> all(std::string_view name) const;

 private:
  std::vector<std::pair<std::string, std::string>> parameters_;
};

/// A decoded parameter that is a media type: a raw '+' in a query decodes to a space, and no media type has one (G7).
std::string media_type_value(std::string value);

/// For building query values and path segments: everything but RFC 3986 unreserved characters becomes %XX.
std::string percent_encode(std::string_view text);

}  // namespace berth::http
