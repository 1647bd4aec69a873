#pragma once
// The disk below SQLite, broken on purpose: the default VFS while it lives. Syncs and writes of the log or the database
// file fail when told to, reads are counted, and what a power cut would leave is kept: a write that a sync had to make
// durable and did not is gone, as Linux has it (the page stays readable, and no later sync writes it). Where the engine
// itself has to fail, not the call above it; for that see sql/failing_connection.h.

#include "base/assert.h"

#include <sqlite3.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace berth::test {

class FaultySqliteDisk {
 public:
  /// One of the two files of a database.
  struct File {
    std::atomic<int> write_errno{0};      // not 0: every write fails with it
    std::atomic<int> sync_errno{0};       // not 0: every sync does
    std::atomic<std::int64_t> reads{0};   // calls so far
    std::atomic<std::int64_t> writes{0};  // …those that failed too
    std::atomic<std::int64_t> syncs{0};

    /// Leaves at `path` what a power cut would.
    void cut_power(const std::string& path) {
      const std::lock_guard lock(mutex);
      std::ofstream(path, std::ios::binary) << durable;
    }

    std::mutex mutex;  // guards what follows
    std::string durable;
    std::vector<std::pair<std::size_t, std::string>> pending;
  };

  FaultySqliteDisk() {
    BERTH_ASSERT(current() == nullptr, "one broken disk at a time");
    current() = this;
    real_ = sqlite3_vfs_find(nullptr);
    vfs_ = *real_;
    vfs_.zName = "berth-faulty";
    vfs_.pNext = nullptr;
    vfs_.xOpen = open;
    vfs_.xDelete = remove;
    sqlite3_vfs_register(&vfs_, 1);
  }
  ~FaultySqliteDisk() {
    sqlite3_vfs_register(real_, 1);
    sqlite3_vfs_unregister(&vfs_);
    current() = nullptr;
  }
  FaultySqliteDisk(const FaultySqliteDisk&) = delete;
  FaultySqliteDisk& operator=(const FaultySqliteDisk&) = delete;

  void repair() {
    for (File* file : {&database, &log}) file->write_errno = file->sync_errno = 0;
  }

  File database;
  File log;

 private:
  static FaultySqliteDisk*& current() {
    static FaultySqliteDisk* disk = nullptr;
    return disk;
  }
  template <File FaultySqliteDisk::* Which>
  static File& file() {
    return current()->*Which;
  }

  static int open(sqlite3_vfs*, const char* name, sqlite3_file* opened, int flags, int* out_flags) {
    FaultySqliteDisk& disk = *current();
    const int code = disk.real_->xOpen(disk.real_, name, opened, flags, out_flags);
    if (code != SQLITE_OK) return code;
    if ((flags & SQLITE_OPEN_MAIN_DB) != 0) patch<&FaultySqliteDisk::database>(disk.database_methods_, opened);
    if ((flags & SQLITE_OPEN_WAL) != 0) patch<&FaultySqliteDisk::log>(disk.log_methods_, opened);
    return code;
  }
  static int remove(sqlite3_vfs*, const char* name, int sync_folder) {
    FaultySqliteDisk& disk = *current();
    if (std::string_view(name).ends_with("-wal")) {
      const std::lock_guard lock(disk.log.mutex);
      disk.log.durable.clear();
      disk.log.pending.clear();
    }
    return disk.real_->xDelete(disk.real_, name, sync_folder);
  }

  template <File FaultySqliteDisk::* Which>
  static void patch(sqlite3_io_methods& methods, sqlite3_file* opened) {
    current()->real_methods_ = opened->pMethods;
    methods = *opened->pMethods;
    methods.xRead = read<Which>;
    methods.xWrite = write<Which>;
    methods.xSync = sync<Which>;
    methods.xTruncate = truncate<Which>;
    opened->pMethods = &methods;
  }

  template <File FaultySqliteDisk::* Which>
  static int read(sqlite3_file* f, void* to, int size, sqlite3_int64 offset) {
    ++file<Which>().reads;
    return current()->real_methods_->xRead(f, to, size, offset);
  }
  template <File FaultySqliteDisk::* Which>
  static int write(sqlite3_file* f, const void* from, int size, sqlite3_int64 offset) {
    File& to = file<Which>();
    ++to.writes;
    if (const int code = to.write_errno; code != 0) {
      errno = code;
      return code == ENOSPC ? SQLITE_FULL : SQLITE_IOERR_WRITE;  // as the real one does
    }
    {
      const std::lock_guard lock(to.mutex);
      to.pending.emplace_back(offset, std::string(static_cast<const char*>(from), static_cast<std::size_t>(size)));
    }
    return current()->real_methods_->xWrite(f, from, size, offset);
  }
  template <File FaultySqliteDisk::* Which>
  static int sync(sqlite3_file* f, int flags) {
    File& on = file<Which>();
    ++on.syncs;
    const std::lock_guard lock(on.mutex);
    const auto writes = std::exchange(on.pending, {});
    if (const int code = on.sync_errno; code != 0) {
      errno = code;
      return SQLITE_IOERR_FSYNC;
    }
    for (const auto& [offset, bytes] : writes) {
      if (on.durable.size() < offset + bytes.size()) on.durable.resize(offset + bytes.size());
      std::memcpy(on.durable.data() + offset, bytes.data(), bytes.size());
    }
    return current()->real_methods_->xSync(f, flags);
  }
  template <File FaultySqliteDisk::* Which>
  static int truncate(sqlite3_file* f, sqlite3_int64 size) {
    File& on = file<Which>();
    {
      const std::lock_guard lock(on.mutex);
      if (on.durable.size() > static_cast<std::size_t>(size)) on.durable.resize(static_cast<std::size_t>(size));
    }
    return current()->real_methods_->xTruncate(f, size);
  }

  sqlite3_vfs* real_ = nullptr;
  sqlite3_vfs vfs_{};
  const sqlite3_io_methods* real_methods_ = nullptr;  // the same for both files
  sqlite3_io_methods database_methods_{};
  sqlite3_io_methods log_methods_{};
};

}  // namespace berth::test
