#pragma once
// The one seam to the disk: every byte of the blob store goes through here, so that a test can lose what was not
// synced, fill the disk or break the n-th operation. Paths are relative to the root folder and built from hex only
// (S14); the real implementation resolves them below a root descriptor and follows no symbolic link.
//
// Every call may block: pool threads and start-up only. Errors: file_unknown (ENOENT), no_space (ENOSPC, EDQUOT),
// unavailable (EMFILE, ENFILE, ENOMEM: nothing was touched), io_failed (everything else; the cause names the call, the
// path and errno).

#include "base/result.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace berth::io {

class File {
 public:
  virtual ~File() = default;
  /// Bytes read, less than asked only at the end of the file.
  virtual Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) = 0;
  /// Writes all of `bytes`, or fails; after a failure an unknown part may have been written.
  virtual Result<void> write_at(std::uint64_t offset, std::span<const std::byte> bytes) = 0;
  virtual Result<void> truncate(std::uint64_t size_bytes) = 0;
  /// Reserves disk space beyond the current size without changing it. Best effort on file systems that cannot.
  virtual Result<void> reserve(std::uint64_t size_bytes) = 0;
  /// Starts to bring what was written there to the disk, so that sync() has less to wait for. A hint: promises nothing,
  /// reports nothing.
  virtual void start_writeback(std::uint64_t /*offset*/, std::uint64_t /*length*/) {}
  /// After success the content and size survive a power cut. A failure means the file's content is unknown: discard it.
  virtual Result<void> sync() = 0;
  virtual Result<std::uint64_t> size_bytes() = 0;
  /// Disk space the file takes, reserved or written; holes take none. Some file systems tell only after a sync().
  virtual Result<std::uint64_t> allocated_bytes() = 0;
  /// A real descriptor for sendfile, or -1.
  virtual int descriptor() const = 0;
  /// Becomes a copy of `source` that shares its blocks on disk until one of the two is written. Errors: unsupported,
  /// with the reason as its message, where the file system cannot or will not; the content is then as it was.
  virtual Result<void> clone_from(const File& source);
};

struct Space {
  std::uint64_t total_bytes = 0;
  std::uint64_t free_bytes = 0;  // to us, i.e. without root's reserve
};

struct DirEntry {
  std::string name;
  std::int64_t modified_ms = 0;
  std::uint64_t size_bytes = 0;
};

class FileSystem {
 public:
  enum class Mode : std::uint8_t { read, create_new, read_write };

  virtual ~FileSystem() = default;
  virtual Result<std::unique_ptr<File>> open(const std::string& path, Mode mode) = 0;
  virtual Result<void> rename(const std::string& from, const std::string& to) = 0;
  virtual Result<void> unlink(const std::string& path) = 0;
  virtual Result<void> make_dir(const std::string& path) = 0;              // an existing folder is success
  virtual Result<std::vector<DirEntry>> list(const std::string& dir) = 0;  // regular files only
  /// After success every create, rename and unlink in the folder survives a power cut.
  virtual Result<void> sync_dir(const std::string& dir) = 0;
  virtual Result<Space> space() = 0;
  /// Gives a file from anywhere on the machine, open for reading, a second name here. Errors: unsupported, with the
  /// reason as its message, where that cannot be: another file system or mount, not allowed, too many names;
  /// file_unknown if the last of its names was removed meanwhile.
  virtual Result<void> link(const File& source, const std::string& to);
};

/// The real thing, rooted at `root` (must exist).
Result<std::unique_ptr<FileSystem>> open_posix_file_system(const std::string& root);

/// A file of somebody else's, for reading. Never a device, a pipe or a symbolic link: those are file_unknown.
Result<std::unique_ptr<File>> open_foreign_file(const std::string& path);

}  // namespace berth::io
