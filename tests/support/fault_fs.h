#pragma once
// The disk that forgets: a file system in memory that tells what was written from what was synced, breaks the n-th
// operation, fills up, and loses power.
//
// The model of a power cut, as pessimistic as journaling file systems allow:
// - the content of a file is what its last sync() saw; what was written later survives in any part, torn at 512 bytes;
// - a name (create, rename, unlink, make_dir) survives if the folder was synced since; each one not yet synced may
//   survive or not, but one on top of another only together with it. A rename is one step: it never survives by half,
//   and syncing either folder makes both ends durable (ext4, XFS and btrfs keep it in one transaction);
// - syncing a file does not make its name durable, syncing a folder does not make content durable;
// - after a sync() that failed, what it should have written never reaches the disk, though reads still see it and the
//   next sync() succeeds: that is what kernels do.

#include "io/file_system.h"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace berth::test {

class FaultFs final : public io::FileSystem {
 public:
  struct Operation {
    std::string_view call;  // "open", "write_at", "sync", …
    std::string path;
  };

  FaultFs();
  ~FaultFs() override;

  Result<std::unique_ptr<io::File>> open(const std::string& path, Mode mode) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> unlink(const std::string& path) override;
  Result<void> make_dir(const std::string& path) override;
  Result<std::vector<io::DirEntry>> list(const std::string& dir) override;
  Result<void> sync_dir(const std::string& dir) override;
  Result<io::Space> space() override;

  // --- faults: counted from the call on, so that 1 is the next operation ---------------------------------------------

  /// The n-th operation fails with `error`; a write leaves half of its bytes behind.
  void fail_at(std::uint64_t n, Errc error);
  /// The n-th and every later operation fails: the disk is gone, or the process is about to die.
  void fail_from(std::uint64_t n, Errc error);
  /// Ends both, and forgets that they struck.
  void heal();
  /// Whether the fault armed last has struck.
  bool struck() const;
  /// Files may take no more than this in all; what goes beyond is no_space. SIZE_MAX: no limit.
  void set_capacity_bytes(std::uint64_t bytes);
  std::uint64_t used_bytes() const;
  /// A disk that lies: from now on syncs succeed and make nothing durable. For tests of the tests.
  void ignore_syncs();
  /// A file system that cannot reserve: from now on reserve() succeeds and sets nothing aside.
  void ignore_reserves();
  /// Called before each operation, outside every lock: it may use the file system.
  void on_operation(std::function<void(const Operation&)> hook);

  // --- counting ------------------------------------------------------------------------------------------------------

  std::uint64_t operations() const;
  std::uint64_t syncs() const;  // of files and of folders
  void reset_counters();

  // --- power ---------------------------------------------------------------------------------------------------------

  /// Everything not synced is gone. Open files answer io_failed from now on.
  void cut_power();
  /// Of what was not synced, a part chosen by `seed` survives.
  void cut_power_keeping_some(std::uint64_t seed);

  // --- looking in, without counting ----------------------------------------------------------------------------------

  bool exists(const std::string& path) const;
  std::optional<std::string> content(const std::string& path) const;
  /// Every file, by path.
  std::vector<std::string> files() const;
  /// Changes one byte behind everybody's back, durably.
  void flip_byte(const std::string& path, std::size_t offset);
  /// Cuts the file behind everybody's back, durably.
  void shorten(const std::string& path, std::size_t size_bytes);

 private:
  struct Node;
  class Handle;
  using NodePtr = std::shared_ptr<Node>;  // shared: open files outlive their names
  using Names = std::map<std::string, NodePtr>;
  /// One step in the life of names; nullptr: the name goes away.
  struct NameStep {
    std::vector<std::pair<std::string, NodePtr>> changes;
    void apply_to(Names& names) const;
  };
  struct Fault {
    std::uint64_t at = 0;  // in operations_; 0: none
    bool lasting = false;
    Errc error = Errc::io_failed;
  };

  Result<void> begin(std::string_view call, const std::string& path);
  Result<void> check_parent(const std::string& path) const;
  void change_names(NameStep step);
  template <class Keep>
  void cut(Keep keep_step, std::uint64_t* seed);

  mutable std::mutex mutex_;  // guards: everything below, and every Node
  Names names_;
  Names durable_names_;
  std::vector<NameStep> unsynced_names_;
  std::uint64_t epoch_ = 0;  // of power; handles of an earlier one are dead
  std::uint64_t operations_ = 0;
  std::uint64_t syncs_ = 0;
  Fault fault_;
  bool struck_ = false;
  bool ignores_syncs_ = false;
  bool ignores_reserves_ = false;
  std::uint64_t capacity_ = UINT64_MAX;
  std::function<void(const Operation&)> hook_;
  std::int64_t now_ms_ = 1'700'000'000'000;
};

/// Where a test needs files but no faults.
using MemoryFs = FaultFs;

}  // namespace berth::test
