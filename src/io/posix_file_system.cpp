#include "io/file_descriptor.h"
#include "io/file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace berth::io {

namespace {

std::unexpected<Error> errno_error(const char* call, const std::string& path) {
  const int code = errno;
  std::string cause = std::string(call) + " " + path + ": " + std::strerror(code);
  if (code == ENOENT) return fail(Errc::file_unknown, {}, std::move(cause));
  if (code == ENOSPC || code == EDQUOT) return fail(Errc::no_space, "the disk is full", std::move(cause));
  // Nothing is wrong with the disk or the file: it works again as soon as somebody lets go of something.
  if (code == EMFILE || code == ENFILE || code == ENOMEM)
    return fail(Errc::unavailable, "the registry is out of file descriptors or memory; try again", std::move(cause));
  return fail(Errc::io_failed, "storage failed", std::move(cause));
}

/// A shortcut that is not open to us: the caller takes the long way round. Errors of the disk itself stay what they
/// are.
std::unexpected<Error> shortcut_error(const char* call, const std::string& path) {
  const char* why = nullptr;
  switch (errno) {
    case EXDEV: why = "the two are on different file systems or mounts"; break;
    case EPERM:
    case EACCES:
      why = "the system does not allow it (the file is another user's, see fs.protected_hardlinks, or may not change)";
      break;
    case EMLINK: why = "the file has as many names as the file system allows"; break;
    case EOPNOTSUPP:
    case ENOTTY:
    case EINVAL:
    case ENOSYS: why = "the file system cannot do it"; break;
    default: return errno_error(call, path);
  }
  return fail(Errc::unsupported, why, std::string(call) + " " + path + ": " + std::strerror(errno));
}

class PosixFile final : public File {
 public:
  PosixFile(FileDescriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    std::size_t done = 0;
    while (done < out.size()) {
      const ssize_t n = ::pread(fd_.get(), out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return errno_error("pread", path_);
      if (n == 0) break;
      done += static_cast<std::size_t>(n);
    }
    return done;
  }

  Result<void> write_at(std::uint64_t offset, std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      const ssize_t n = ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return errno_error("pwrite", path_);
      bytes = bytes.subspan(static_cast<std::size_t>(n));
      offset += static_cast<std::uint64_t>(n);
    }
    return {};
  }

  Result<void> truncate(std::uint64_t size_bytes) override {
    if (::ftruncate(fd_.get(), static_cast<off_t>(size_bytes)) != 0) return errno_error("ftruncate", path_);
    return {};
  }

  Result<void> reserve(std::uint64_t size_bytes) override {
    if (::fallocate(fd_.get(), FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(size_bytes)) == 0) return {};
    if (errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL) return {};
    return errno_error("fallocate", path_);
  }

  void start_writeback(std::uint64_t offset, std::uint64_t length) override {
    // Without the flags that wait: those would take an error away from the sync that has to report it.
    (void)::sync_file_range(fd_.get(), static_cast<off_t>(offset), static_cast<off_t>(length), SYNC_FILE_RANGE_WRITE);
  }

  Result<void> sync() override {
    if (::fdatasync(fd_.get()) != 0) return errno_error("fdatasync", path_);
    return {};
  }

  Result<std::uint64_t> size_bytes() override {
    struct stat st{};
    if (::fstat(fd_.get(), &st) != 0) return errno_error("fstat", path_);
    return static_cast<std::uint64_t>(st.st_size);
  }

  Result<std::uint64_t> allocated_bytes() override {
    constexpr std::uint64_t kBlockBytes = 512;  // of st_blocks, whatever the file system's own block is
    struct stat st{};
    if (::fstat(fd_.get(), &st) != 0) return errno_error("fstat", path_);
    return static_cast<std::uint64_t>(st.st_blocks) * kBlockBytes;
  }

  int descriptor() const override { return fd_.get(); }

  Result<void> clone_from(const File& source) override {
    if (::ioctl(fd_.get(), FICLONE, source.descriptor()) != 0) return shortcut_error("clone", path_);
    return {};
  }

 private:
  FileDescriptor fd_;
  std::string path_;
};

struct CloseDir {
  void operator()(DIR* stream) const { ::closedir(stream); }
};
using Stream = std::unique_ptr<DIR, CloseDir>;

/// Regular files only. A listing cut short by an error is an error: somebody would take what is missing for gone.
Result<std::vector<DirEntry>> read_entries(DIR* stream, const std::string& dir) {
  std::vector<DirEntry> out;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(stream);
    if (entry == nullptr && errno != 0) return errno_error("readdir", dir);
    if (entry == nullptr) return out;
    struct stat st{};
    if (::fstatat(::dirfd(stream), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) continue;  // removed meanwhile
      return errno_error("fstatat", dir + "/" + entry->d_name);
    }
    if (!S_ISREG(st.st_mode)) continue;
    out.push_back({entry->d_name, st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1'000'000,
                   static_cast<std::uint64_t>(st.st_size)});
  }
}

/// Folders are opened once, component by component without following links, and kept: there are a few hundred, fixed
/// when the store is made. Below a folder only plain names are used (S14).
class PosixFileSystem final : public FileSystem {
 public:
  explicit PosixFileSystem(FileDescriptor root) : root_(std::move(root)) {}

  Result<std::unique_ptr<File>> open(const std::string& path, Mode mode) override {
    int flags = O_NOFOLLOW | O_CLOEXEC;
    if (mode == Mode::read) flags |= O_RDONLY;
    if (mode == Mode::read_write) flags |= O_RDWR;
    if (mode == Mode::create_new) flags |= O_RDWR | O_CREAT | O_EXCL;
    BERTH_TRY(const Place at, locate(path));
    const int fd = ::openat(at.folder, at.name, flags, 0640);
    if (fd < 0) return errno_error("open", path);
    return std::make_unique<PosixFile>(FileDescriptor(fd), path);
  }

  Result<void> rename(const std::string& from, const std::string& to) override {
    BERTH_TRY(const Place source, locate(from));
    BERTH_TRY(const Place target, locate(to));
    if (::renameat(source.folder, source.name, target.folder, target.name) != 0) return errno_error("rename", from);
    return {};
  }

  Result<void> unlink(const std::string& path) override {
    BERTH_TRY(const Place at, locate(path));
    if (::unlinkat(at.folder, at.name, 0) != 0) return errno_error("unlink", path);
    return {};
  }

  Result<void> make_dir(const std::string& path) override {
    BERTH_TRY(const Place at, locate(path));
    if (::mkdirat(at.folder, at.name, 0750) != 0 && errno != EEXIST) return errno_error("mkdir", path);
    return {};
  }

  Result<std::vector<DirEntry>> list(const std::string& dir) override {
    BERTH_TRY(const int folder, folder_at(dir));
    const int fd = ::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return errno_error("open", dir);
    const Stream stream(::fdopendir(fd));
    if (!stream) {
      auto failed = errno_error("fdopendir", dir);
      ::close(fd);
      return failed;
    }
    return read_entries(stream.get(), dir);
  }

  Result<void> sync_dir(const std::string& dir) override {
    BERTH_TRY(const int folder, folder_at(dir));
    if (::fsync(folder) != 0) return errno_error("fsync", dir);
    return {};
  }

  Result<Space> space() override {
    struct statvfs st{};
    if (::fstatvfs(root_.get(), &st) != 0) return errno_error("statvfs", ".");
    // What root keeps back is not ours: count it as used.
    const std::uint64_t reserved = st.f_bfree - st.f_bavail;
    return Space{(st.f_blocks - reserved) * st.f_frsize, st.f_bavail * st.f_frsize};
  }

  Result<void> link(const File& source, const std::string& to) override {
    BERTH_TRY(const Place at, locate(to));
    // Through its descriptor: what was read is what gets the name, whatever happened to the old name meanwhile.
    const std::string open_file = "/proc/self/fd/" + std::to_string(source.descriptor());
    if (::linkat(AT_FDCWD, open_file.c_str(), at.folder, at.name, AT_SYMLINK_FOLLOW) != 0)
      return shortcut_error("link", to);
    return {};
  }

 private:
  struct Place {
    int folder;
    const char* name;  // into the path that was asked for
  };

  Result<Place> locate(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) return Place{root_.get(), path.c_str()};
    BERTH_TRY(const int folder, folder_at(path.substr(0, slash)));
    return Place{folder, path.c_str() + slash + 1};
  }

  Result<int> folder_at(const std::string& path) {
    if (path == ".") return root_.get();
    {
      const std::lock_guard lock(mutex_);
      if (const auto known = folders_.find(path); known != folders_.end()) return known->second.get();
    }
    BERTH_TRY(const Place at, locate(path));
    FileDescriptor fd(::openat(at.folder, at.name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    if (fd.get() < 0) return errno_error("open", path);
    const std::lock_guard lock(mutex_);
    return folders_.try_emplace(path, std::move(fd)).first->second.get();
  }

  FileDescriptor root_;
  std::mutex mutex_;  // guards: folders_
  std::unordered_map<std::string, FileDescriptor> folders_;
};

}  // namespace

Result<void> File::clone_from(const File&) { return fail(Errc::unsupported, "this kind of file cannot be cloned"); }

Result<void> FileSystem::link(const File&, const std::string&) {
  return fail(Errc::unsupported, "this file system has no hard links");
}

Result<std::unique_ptr<File>> open_foreign_file(const std::string& path) {
  // O_NONBLOCK: a pipe must not hold us up.
  FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (fd.get() < 0 && (errno == ELOOP || errno == ENXIO || errno == ENOTDIR))
    return fail(Errc::file_unknown, {}, path + " is not a file");
  if (fd.get() < 0) return errno_error("open", path);
  struct stat st{};
  if (::fstat(fd.get(), &st) != 0) return errno_error("fstat", path);
  if (!S_ISREG(st.st_mode)) return fail(Errc::file_unknown, {}, path + " is not a file");
  return std::make_unique<PosixFile>(std::move(fd), path);
}

Result<std::unique_ptr<FileSystem>> open_posix_file_system(const std::string& root) {
  const int fd = ::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return errno_error("open", root);
  return std::make_unique<PosixFileSystem>(FileDescriptor(fd));
}

}  // namespace berth::io
