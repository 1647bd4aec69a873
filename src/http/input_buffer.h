#pragma once
// Bytes received and not yet used. A request head stays where it is while its exchange runs, because the request's
// views point into it; what follows the head is consumed from behind it.

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

namespace berth::http {

class InputBuffer {
 public:
  explicit InputBuffer(std::size_t capacity)
      : data_(std::make_unique_for_overwrite<char[]>(capacity)), capacity_(capacity) {}

  std::string_view unread() const { return {data_.get() + begin_, end_ - begin_}; }
  bool empty() const { return begin_ == end_; }
  void consume(std::size_t count) { begin_ += count; }
  void append(std::string_view bytes) {
    std::memcpy(data_.get() + end_, bytes.data(), bytes.size());
    end_ += bytes.size();
  }

  /// Free space behind the unread bytes, to receive into; then commit() what arrived.
  std::span<std::byte> room() { return std::as_writable_bytes(std::span(data_.get() + end_, capacity_ - end_)); }
  void commit(std::size_t count) { end_ += count; }

  /// Moves the unread bytes to the front. Invalidates every view.
  void compact() {
    std::memmove(data_.get(), data_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  /// A buffer of another size with the unread bytes at its front. Invalidates every view.
  void reallocate(std::size_t capacity) {
    InputBuffer other(std::max(capacity, end_ - begin_));
    other.append(unread());
    *this = std::move(other);
  }
  std::size_t capacity() const { return capacity_; }

 private:
  std::unique_ptr<char[]> data_;
  std::size_t capacity_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace berth::http
