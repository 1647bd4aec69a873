#include "app/data_dir.h"

#include "io/mount.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <utility>

namespace berth::app {

namespace {

constexpr std::string_view kFormat = "berth-data 1\n";
constexpr const char* kFormatPath = "format";
constexpr const char* kFormatNew = "format.new";

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

std::uint64_t read_pid(int fd) {
  std::array<char, 32> text{};
  const ssize_t n = ::pread(fd, text.data(), text.size(), 0);
  std::uint64_t pid = 0;
  if (n > 0) std::from_chars(text.data(), text.data() + n, pid);
  return pid;
}

}  // namespace

std::string read_boot_id() {
  std::ifstream in("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(in, id);
  return id;
}

std::string default_data_dir() {
  const char* state = std::getenv("STATE_DIRECTORY");  // by systemd; several are separated by colons
  if (state != nullptr && *state == '/')
    return std::string(std::string_view(state).substr(0, std::string_view(state).find(':')));
  if (::geteuid() == 0) return "/var/lib/berth";
  const char* xdg = std::getenv("XDG_DATA_HOME");
  if (xdg != nullptr && *xdg == '/') return std::string(xdg) + "/berth/server";
  const char* home = std::getenv("HOME");
  return std::string(home != nullptr ? home : ".") + "/.local/share/berth/server";
}

bool DataDir::exists(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(path + "/" + kFormatPath, error);
}

DataDir::~DataDir() {
  if (lock_fd_ >= 0) ::close(lock_fd_);
}

namespace {

namespace fs = std::filesystem;

std::unexpected<Error> cannot(const char* verb, const std::string& path, const std::string& why) {
  return fail(Errc::io_failed, std::string("cannot ") + verb + " the data folder " + path + ": " + why);
}

/// What is there; an error only if that cannot be told.
Result<fs::file_type> type_of(const std::string& data_path, const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) return fs::file_type::not_found;
  if (error) return cannot("read", data_path, error.message());
  return status.type();
}

/// Only an empty folder becomes a data folder: a slip in --data must not mix with somebody's files.
Result<void> check_ours_or_empty(const std::string& path) {
  BERTH_TRY(const fs::file_type format, type_of(path, path + "/" + kFormatPath));
  if (format != fs::file_type::not_found) return {};
  std::error_code error;
  for (fs::directory_iterator entry(path, error); !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name != "LOCK" && name != kFormatNew && name != "lost+found") {
      return fail(Errc::unavailable, path + " is not empty and not a data folder of berth (found '" + name + "')");
    }
  }
  if (error) return cannot("read", path, error.message());
  return {};
}

/// Makes what is missing of the path, below the deepest folder that is there.
Result<void> create_missing(const std::string& path) {
  std::error_code error;
  fs::path there = fs::absolute(path, error);
  if (error) return cannot("create", path, error.message());
  if (!there.has_filename()) there = there.parent_path();  // written with a slash at its end
  fs::path missing;
  for (;;) {
    BERTH_TRY(const fs::file_type type, type_of(path, there));
    if (type != fs::file_type::not_found) break;
    missing = missing.empty() ? there.filename() : there.filename() / missing;
    there = there.parent_path();
  }
  if (missing.empty()) return {};
  auto files = io::open_posix_file_system(there.string());
  if (!files) return cannot("create", path, files.error().cause);
  if (auto made = make_folders(**files, missing.string()); !made) return cannot("create", path, made.error().cause);
  return {};
}

/// A store must not be lost with the name of its folder. The folder above may be none of ours to open.
Result<void> sync_parent(const std::string& path) {
  std::error_code error;
  const fs::path whole = fs::canonical(path, error);
  if (error) return cannot("read", path, error.message());
  const auto above = io::open_posix_file_system(whole.parent_path().string());
  return above ? (*above)->sync_dir(".") : Result<void>();
}

/// A finished upload gets its final name by a rename, and damaged files are moved by one.
Result<void> check_one_file_system(const std::string& path) {
  std::optional<std::pair<std::string, io::Mount>> first;
  for (const char* dir : {"uploads", "blobs", "blobs/sha256", "blobs/sha512", "quarantine"}) {
    const auto mount = io::find_mount(path + "/" + dir);
    if (!mount && mount.error().code == Errc::file_unknown) continue;  // made later
    if (!mount) return cannot("read", path, mount.error().cause);
    if (!first) first = {dir, *mount};
    if (mount->is_one_with(first->second)) continue;
    return fail(Errc::unavailable, first->first + "/ and " + dir + "/ of the data folder " + path +
                                       " are on two file systems or mounts, but files are moved from one to the "
                                       "other; put the whole data folder on one");
  }
  return {};
}

Result<void> check_start(const std::string& path) {
  const auto mount = io::find_mount(path);
  if (!mount) return cannot("read", path, mount.error().cause);
  BERTH_TRYV(check_file_system_kind(path, mount->magic));
  return check_one_file_system(path);
}

}  // namespace

Result<void> make_folders(io::FileSystem& files, const std::string& path) {
  for (std::size_t end = 0; end < path.size();) {
    const std::size_t begin = end;
    end = std::min(path.find('/', begin + 1), path.size());
    BERTH_TRYV(files.make_dir(path.substr(0, end)));
    BERTH_TRYV(files.sync_dir(begin == 0 ? "." : path.substr(0, begin)));
  }
  return {};
}

Result<void> check_file_system_kind(const std::string& path, std::uint64_t magic) {
  constexpr std::uint64_t kNfs = 0x6969;
  if (magic != kNfs) return {};
  return fail(Errc::unavailable, "the data folder " + path +
                                     " is on NFS, where neither its lock nor the database's log is safe: two "
                                     "registries could write it at once; put it on a local file system");
}

Result<std::unique_ptr<DataDir>> DataDir::open(const std::string& path, Create create, Random& random) {
  // Hashes of passwords are among it: nothing the process makes is for everybody to read.
  ::umask(S_IRWXO | S_IWGRP);
  if (create == Create::if_missing) BERTH_TRYV(create_missing(path));
  BERTH_TRY(const fs::file_type type, type_of(path, path));
  if (type != fs::file_type::directory) return fail(Errc::file_unknown, "there is no data folder at " + path);
  std::unique_ptr<DataDir> dir(new DataDir());
  dir->path_ = path;
  BERTH_TRY(const fs::file_type format, type_of(path, path + "/" + kFormatPath));
  if (create == Create::never && format == fs::file_type::not_found) {
    return fail(Errc::unavailable, path + " is not a data folder of berth");
  }
  BERTH_TRYV(check_ours_or_empty(path));
  if (create == Create::if_missing) BERTH_TRYV(check_start(path));
  BERTH_TRYV(dir->lock());
  auto files = io::open_posix_file_system(path);
  if (!files) return cannot("read", path, files.error().cause);
  dir->files_ = *std::move(files);
  BERTH_TRYV(dir->check_format(random));
  return dir;
}

Result<void> DataDir::lock() {
  const std::string lock_path = path_ + "/LOCK";
  lock_fd_ = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
  if (lock_fd_ < 0)
    return fail(Errc::io_failed, "cannot write to the data folder " + path_ + ": " + std::strerror(errno));
  if (::flock(lock_fd_, LOCK_EX | LOCK_NB) != 0) {
    const std::uint64_t pid = read_pid(lock_fd_);
    return fail(Error(Errc::busy, "the data folder " + path_ + " is in use by process " + std::to_string(pid))
                    .with_number(pid));
  }
  // The pid is for people and for the message above; the lock is what counts.
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(lock_fd_, 0) != 0 || ::pwrite(lock_fd_, pid.data(), pid.size(), 0) < 0) {
    // A full disk must not keep the registry from starting: deletes are how it gets room again.
  }
  return {};
}

Result<void> DataDir::check_format(Random& random) {
  auto opened = files_->open(kFormatPath, io::FileSystem::Mode::read);
  if (!opened && opened.error().code != Errc::file_unknown) return fail(std::move(opened).error());
  if (opened) {
    std::array<std::byte, 64> raw{};
    BERTH_TRY(const std::size_t n, (*opened)->read_at(0, raw));
    const std::string_view text(reinterpret_cast<const char*>(raw.data()), n);
    if (!text.starts_with(kFormat))
      return fail(Errc::unavailable, path_ + " was written by another version of berth, or is not its data folder");
    store_id_ = text.substr(kFormat.size(), 32);
    return {};
  }
  store_id_ = random.hex(16);
  if (auto old = files_->unlink(kFormatNew); !old && old.error().code != Errc::file_unknown) return old;
  BERTH_TRY(const auto file, files_->open(kFormatNew, io::FileSystem::Mode::create_new));
  BERTH_TRYV(file->write_at(0, bytes_of(std::string(kFormat) + store_id_ + "\n")));
  BERTH_TRYV(file->sync());
  BERTH_TRYV(files_->rename(kFormatNew, kFormatPath));
  BERTH_TRYV(files_->sync_dir("."));
  return sync_parent(path_);
}

}  // namespace berth::app
