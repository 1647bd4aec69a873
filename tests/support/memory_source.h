#pragma once
// A request body from a string, in pieces, that may end in an error as a broken connection does (U11).

#include "io/streams.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <utility>

namespace berth::test {

class MemorySource final : public io::ByteSource {
 public:
  struct Options {
    std::size_t piece_bytes = SIZE_MAX;        // at most this many per read
    std::optional<Errc> error_at_end;          // instead of a clean end
    std::function<void(std::size_t)> on_read;  // called with the offset before each read
  };

  explicit MemorySource(std::string text) : text_(std::move(text)) {}
  MemorySource(std::string text, Options options) : text_(std::move(text)), options_(std::move(options)) {}

  io::Task<Result<std::size_t>> read(std::span<std::byte> out) override {
    if (options_.on_read) options_.on_read(position_);
    const std::size_t n = std::min({out.size(), text_.size() - position_, options_.piece_bytes});
    if (n == 0 && options_.error_at_end) co_return fail(*options_.error_at_end, "the test broke the connection");
    std::memcpy(out.data(), text_.data() + position_, n);
    position_ += n;
    co_return n;
  }

  /// How much was asked for so far.
  std::size_t position() const { return position_; }

 private:
  std::string text_;
  Options options_;
  std::size_t position_ = 0;
};

}  // namespace berth::test
