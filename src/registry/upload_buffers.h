#pragma once
// Memory for bodies of uploads on their way from the socket to the disk. A few uploads get large buffers, which cost
// the least per byte; a thousand at once share what there is, so that the sum stays bounded.

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>

namespace berth::registry {

class UploadBuffers {
 public:
  static constexpr std::size_t kBytesMin = 16 * 1024;
  static constexpr std::size_t kBytesMax = 1024 * 1024;

  /// budget_bytes: what is shared out; beyond it everybody still gets kBytesMin.
  explicit UploadBuffers(std::size_t budget_bytes = 24 * 1024 * 1024) : budget_bytes_(budget_bytes) {}

  class Buffer {
   public:
    Buffer() = default;
    Buffer(UploadBuffers& owner, std::size_t bytes)
        : owner_(&owner), data_(std::make_unique_for_overwrite<std::byte[]>(bytes)), bytes_(bytes) {
      owner.used_bytes_.fetch_add(bytes, std::memory_order_relaxed);
    }
    ~Buffer() {
      if (owner_ != nullptr) owner_->used_bytes_.fetch_sub(bytes_, std::memory_order_relaxed);
    }
    Buffer(Buffer&& other) noexcept { swap(other); }
    Buffer& operator=(Buffer&& other) noexcept {
      swap(other);
      return *this;
    }

    std::span<std::byte> bytes() { return {data_.get(), bytes_}; }
    std::size_t size() const { return bytes_; }

   private:
    void swap(Buffer& other) {
      std::swap(owner_, other.owner_);
      std::swap(data_, other.data_);
      std::swap(bytes_, other.bytes_);
    }

    UploadBuffers* owner_ = nullptr;
    std::unique_ptr<std::byte[]> data_;
    std::size_t bytes_ = 0;
  };

  /// How large a buffer may be now: an eighth of what is left.
  std::size_t share_bytes() const {
    constexpr std::size_t kPart = 8;
    const std::size_t used = used_bytes();
    const std::size_t left = budget_bytes_ > used ? budget_bytes_ - used : 0;
    return std::clamp(left / kPart, kBytesMin, kBytesMax);
  }
  std::size_t used_bytes() const { return used_bytes_.load(std::memory_order_relaxed); }

 private:
  std::size_t budget_bytes_;
  std::atomic<std::size_t> used_bytes_{0};
};

}  // namespace berth::registry
