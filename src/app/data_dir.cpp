#include "app/data_dir.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>

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
  if (::geteuid() == 0) return "/var/lib/berth";
  const char* xdg = std::getenv("XDG_DATA_HOME");
  if (xdg != nullptr && *xdg == '/') return std::string(xdg) + "/berth/server";
  const char* home = std::getenv("HOME");
  return std::string(home != nullptr ? home : ".") + "/.local/share/berth/server";
}

DataDir::~DataDir() {
  if (lock_fd_ >= 0) ::close(lock_fd_);
}

namespace {

/// Only an empty folder becomes a data folder: a slip in --data must not mix with somebody's files.
Result<void> check_ours_or_empty(const std::string& path) {
  if (std::filesystem::exists(path + "/" + kFormatPath)) return {};
  for (const auto& entry : std::filesystem::directory_iterator(path)) {
    const std::string name = entry.path().filename().string();
    if (name != "LOCK" && name != kFormatNew && name != "lost+found") {
      return fail(Errc::unavailable, path + " is not empty and not a data folder of berth (found '" + name + "')");
    }
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<DataDir>> DataDir::open(const std::string& path, Create create, Random& random) {
  std::unique_ptr<DataDir> dir(new DataDir());
  std::error_code error;
  if (create == Create::if_missing) std::filesystem::create_directories(path, error);
  if (error) return fail(Errc::io_failed, "cannot create the data folder " + path + ": " + error.message());
  if (!std::filesystem::is_directory(path)) return fail(Errc::file_unknown, "there is no data folder at " + path);
  dir->path_ = path;
  if (create == Create::never && !std::filesystem::exists(path + "/format")) {
    return fail(Errc::unavailable, path + " is not a data folder of berth");
  }
  BERTH_TRYV(check_ours_or_empty(path));
  BERTH_TRYV(dir->lock());
  BERTH_TRY(dir->files_, io::open_posix_file_system(path));
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
  return files_->sync_dir(".");
}

}  // namespace berth::app
