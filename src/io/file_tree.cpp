#include "io/file_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace berth::io {

namespace {

std::unexpected<Error> read_error(const char* call, const std::string& path) {
  const int code = errno;
  std::string cause = std::string(call) + " " + path + ": " + std::strerror(code);
  const bool absent = code == ENOENT || code == ENOTDIR || code == ELOOP;
  return fail(absent ? Errc::file_unknown : Errc::io_failed, {}, std::move(cause));
}

FileTree::Kind kind_of(mode_t mode) {
  if (S_ISREG(mode)) return FileTree::Kind::file;
  if (S_ISDIR(mode)) return FileTree::Kind::folder;
  if (S_ISLNK(mode)) return FileTree::Kind::link;
  return FileTree::Kind::other;
}

struct CloseDir {
  void operator()(DIR* stream) const { ::closedir(stream); }
};

std::int64_t modified_ms(const struct stat& st) { return st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1'000'000; }

/// Without asking about each name: most file systems tell with the name what it is.
FileTree::Kind kind_of(DIR* stream, const dirent& entry) {
  switch (entry.d_type) {
    case DT_REG: return FileTree::Kind::file;
    case DT_DIR: return FileTree::Kind::folder;
    case DT_LNK: return FileTree::Kind::link;
    case DT_UNKNOWN: break;
    default: return FileTree::Kind::other;
  }
  struct stat st{};
  if (::fstatat(::dirfd(stream), entry.d_name, &st, AT_SYMLINK_NOFOLLOW) != 0) return FileTree::Kind::other;
  return kind_of(st.st_mode);
}

}  // namespace

Result<std::vector<FileTree::Entry>> FileTree::list(const std::string& dir) const {
  const std::string path = root_ + "/" + dir;
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return read_error("open", path);
  const std::unique_ptr<DIR, CloseDir> stream(::fdopendir(fd));
  if (!stream) {
    auto failed = read_error("fdopendir", path);
    ::close(fd);
    return failed;
  }
  std::vector<Entry> out;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(stream.get());
    if (entry == nullptr && errno != 0) return read_error("readdir", path);
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    out.push_back({std::string(name), kind_of(stream.get(), *entry)});
  }
  std::ranges::sort(out, {}, &Entry::name);
  return out;
}

Result<FileTree::Facts> FileTree::facts(const std::string& path) const {
  const std::string whole = root_ + "/" + path;
  struct stat st{};
  if (::lstat(whole.c_str(), &st) != 0) return read_error("stat", whole);
  if (!S_ISREG(st.st_mode)) return fail(Errc::file_unknown, {}, whole + " is not a file");
  return Facts{static_cast<std::uint64_t>(st.st_size), modified_ms(st)};
}

Result<std::unique_ptr<File>> FileTree::open(const std::string& path) const {
  return open_foreign_file(root_ + "/" + path);
}

Result<FileTree::Text> FileTree::read(const std::string& path, std::size_t bytes_max) const {
  BERTH_TRY(const auto file, open(path));
  struct stat st{};
  if (::fstat(file->descriptor(), &st) != 0) return read_error("fstat", path);
  if (static_cast<std::uint64_t>(st.st_size) > bytes_max)
    return fail(Errc::size_invalid, {}, path + " has " + std::to_string(st.st_size) + " bytes");
  Text out{std::string(static_cast<std::size_t>(st.st_size), '\0'), modified_ms(st)};
  BERTH_TRY(const std::size_t got, file->read_at(0, std::as_writable_bytes(std::span(out.text))));
  out.text.resize(got);
  return out;
}

}  // namespace berth::io
