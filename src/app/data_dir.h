#pragma once
// The data folder: who owns it, and that it is one.
//
//   LOCK       held with flock for the life of the process; holds its pid
//   format     "berth-data 1" and the store's random id
//   meta.db    SQLite, with -wal and -shm
//   ballast    reserved space, see lifecycle/reserve.h
//   uploads/ blobs/ quarantine/   see blob/blob_paths.h

#include "base/random.h"
#include "base/result.h"
#include "io/file_system.h"

#include <memory>
#include <string>
#include <string_view>

namespace berth::app {

/// Whoever works on the folder itself, as the audit log calls him: that is more than any account could prove.
inline constexpr std::string_view kFolderOwner = "(owner of the data folder)";

class DataDir {
 public:
  enum class Create : std::uint8_t { if_missing, never };

  /// Opens and locks the folder. Errors: busy with the owner's pid in `number`; file_unknown; unavailable (not a data
  /// folder, or of a newer format; with if_missing also: spread over file systems, on one that a registry cannot
  /// trust); io_failed. All with a sentence for the person at the terminal.
  static Result<std::unique_ptr<DataDir>> open(const std::string& path, Create create, Random& random);
  /// Whether there is one at all.
  static bool exists(const std::string& path);
  ~DataDir();
  DataDir(const DataDir&) = delete;
  DataDir& operator=(const DataDir&) = delete;

  io::FileSystem& files() { return *files_; }
  std::string database_path() const { return path_ + "/meta.db"; }
  const std::string& path() const { return path_; }
  const std::string& store_id() const { return store_id_; }

 private:
  DataDir() = default;
  Result<void> lock();
  Result<void> check_format(Random& random);

  std::string path_;
  std::string store_id_;
  int lock_fd_ = -1;
  std::unique_ptr<io::FileSystem> files_;
};

/// Makes the folder and those above it that are missing, each durable before the next.
Result<void> make_folders(io::FileSystem& files, const std::string& path);

/// Refuses a file system, by its magic number of statfs(2), whose locks and shared memory do not hold what they
/// promise.
Result<void> check_file_system_kind(const std::string& path, std::uint64_t magic);

/// Where a server that is not told keeps its things: systemd's $STATE_DIRECTORY, else /var/lib/berth for root, else
/// $XDG_DATA_HOME/berth/server.
std::string default_data_dir();

/// Identifies the boot of this machine; see lifecycle/recovery.h.
std::string read_boot_id();

}  // namespace berth::app
