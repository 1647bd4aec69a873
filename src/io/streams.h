#pragma once
// Bytes on their way: what a request body, a stored blob and a test's string have in common.

#include "base/result.h"
#include "io/task.h"

#include <cstddef>
#include <cstdint>
#include <span>

namespace berth::io {

/// A stream read once, front to back.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// Reads at least one byte into `out` (not empty), or returns 0 at the end. `out` must live until the task is done.
  /// Errors: disconnected, timeout, request_malformed, size_invalid (ended early), whatever the source documents.
  virtual Task<Result<std::size_t>> read(std::span<std::byte> out) = 0;
  /// Total length if it is known beforehand (a declared Content-Length), else UINT64_MAX.
  virtual std::uint64_t length_hint() const { return UINT64_MAX; }
};

/// Immutable bytes readable at any offset, for ranged answers. Shared by concurrent readers.
class RandomSource {
 public:
  virtual ~RandomSource() = default;
  virtual std::uint64_t size_bytes() const = 0;
  /// A descriptor that sendfile(2) may read at any offset, or -1. Stays open as long as this object lives.
  virtual int descriptor() const { return -1; }
  /// Reads exactly out.size() bytes at `offset`; less is Errc::corrupt.
  virtual Task<Result<void>> read_at(std::uint64_t offset, std::span<std::byte> out) = 0;
  /// Brings [offset, offset+length) into memory without blocking this core, before a sendfile that would otherwise
  /// wait for the disk. A source that cannot do better returns at once.
  virtual Task<Result<void>> prefetch(std::uint64_t offset, std::uint64_t length) = 0;
};

}  // namespace berth::io
