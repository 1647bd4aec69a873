#pragma once
// A FileSystem that counts what goes through it to another one.

#include "io/file_system.h"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace berth::test {

/// Calls by kind, thread-safe.
class CallCounts {
 public:
  void add(const std::string& call, std::int64_t count = 1) {
    const std::lock_guard lock(mutex_);
    counts_[call] += count;
  }
  std::map<std::string, std::int64_t> get() const {
    const std::lock_guard lock(mutex_);
    return counts_;
  }

 private:
  mutable std::mutex mutex_;  // guards: counts_
  std::map<std::string, std::int64_t> counts_;
};

class CountingFile final : public io::File {
 public:
  CountingFile(std::unique_ptr<io::File> inner, CallCounts& counts) : inner_(std::move(inner)), counts_(counts) {}
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    counts_.add("read_at");
    return inner_->read_at(offset, out);
  }
  Result<void> write_at(std::uint64_t offset, std::span<const std::byte> bytes) override {
    counts_.add("write_at");
    return inner_->write_at(offset, bytes);
  }
  Result<void> truncate(std::uint64_t size_bytes) override {
    counts_.add("truncate");
    return inner_->truncate(size_bytes);
  }
  Result<void> reserve(std::uint64_t size_bytes) override {
    counts_.add("reserve");
    return inner_->reserve(size_bytes);
  }
  Result<void> sync() override {
    counts_.add("sync");
    return inner_->sync();
  }
  Result<std::uint64_t> size_bytes() override {
    counts_.add("size_bytes");
    return inner_->size_bytes();
  }
  Result<std::uint64_t> allocated_bytes() override {
    counts_.add("allocated_bytes");
    return inner_->allocated_bytes();
  }
  int descriptor() const override { return inner_->descriptor(); }

 private:
  std::unique_ptr<io::File> inner_;
  CallCounts& counts_;
};

class CountingFiles final : public io::FileSystem {
 public:
  CountingFiles(std::unique_ptr<io::FileSystem> inner, CallCounts& counts)
      : inner_(std::move(inner)), counts_(counts) {}

  Result<std::unique_ptr<io::File>> open(const std::string& path, Mode mode) override {
    counts_.add("open");
    BERTH_TRY(auto file, inner_->open(path, mode));
    return std::make_unique<CountingFile>(std::move(file), counts_);
  }
  Result<void> rename(const std::string& from, const std::string& to) override {
    counts_.add("rename");
    return inner_->rename(from, to);
  }
  Result<void> unlink(const std::string& path) override {
    counts_.add("unlink");
    return inner_->unlink(path);
  }
  Result<void> make_dir(const std::string& path) override {
    counts_.add("make_dir");
    return inner_->make_dir(path);
  }
  Result<std::vector<io::DirEntry>> list(const std::string& dir) override {
    counts_.add("list");
    auto entries = inner_->list(dir);
    // Each costs a system call of its own.
    if (entries) counts_.add("entries listed", static_cast<std::int64_t>(entries->size()));
    return entries;
  }
  Result<void> sync_dir(const std::string& dir) override {
    counts_.add("sync_dir");
    return inner_->sync_dir(dir);
  }
  Result<io::Space> space() override {
    counts_.add("space");
    return inner_->space();
  }

 private:
  std::unique_ptr<io::FileSystem> inner_;
  CallCounts& counts_;
};

}  // namespace berth::test
