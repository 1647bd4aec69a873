#pragma once
// A descriptor of the kernel, closed with its owner.

#include <unistd.h>

#include <utility>

namespace berth::io {

class FileDescriptor {
 public:
  /// Takes it over; negative: what a call that failed gave, owned by nobody.
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&&) = delete;
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

}  // namespace berth::io
