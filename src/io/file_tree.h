#pragma once
// Somebody else's folder, to be read and never written. Unlike a FileSystem it keeps nothing open, so it may hold any
// number of folders, and it makes no assumption about names. Symbolic links in it are seen, not followed. Every call
// may block: tools and background threads only.

#include "io/file_system.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace berth::io {

class FileTree {
 public:
  enum class Kind : std::uint8_t { file, folder, link, other };
  struct Entry {
    std::string name;
    Kind kind = Kind::other;
  };
  struct Facts {
    std::uint64_t size_bytes = 0;
    std::int64_t modified_ms = 0;
  };
  struct Text {
    std::string text;
    std::int64_t modified_ms = 0;
  };

  explicit FileTree(std::string root) : root_(std::move(root)) {}
  const std::string& root() const { return root_; }

  /// By name, bytewise. Errors: file_unknown (not there, or no folder), io_failed.
  Result<std::vector<Entry>> list(const std::string& dir) const;
  /// Of a regular file. Errors: file_unknown, io_failed.
  Result<Facts> facts(const std::string& path) const;
  /// Errors: as open_foreign_file().
  Result<std::unique_ptr<File>> open(const std::string& path) const;
  /// The whole file. Errors: as open(); size_invalid if it has more than `bytes_max`.
  Result<Text> read(const std::string& path, std::size_t bytes_max) const;

 private:
  std::string root_;
};

}  // namespace berth::io
