#pragma once
// Deterministic simulation: one seed decides everything that happens to a registry, clients' requests, faults of the
// disk, restarts, power cuts and clock jumps. After each step the answers are compared with the model's, now and then
// and at the end everything is.
//
// Faults: FaultFs breaks an operation or everything from one on; a power cut drops what was not synced from the blob
// files and commits that did not wait for the disk from the database (crashing_database.h).

#include "sim/crashing_database.h"
#include "sim/model.h"
#include "support/registry_world.h"

#include <optional>
#include <string>
#include <vector>

namespace berth::sim {

struct SimulationOptions {
  std::uint64_t seed = 1;
  int steps = 120;
  enum class Lie : std::uint8_t { none, file_syncs, database_syncs } lie = Lie::none;
};

class Simulation {
 public:
  explicit Simulation(SimulationOptions options);
  /// Empty, or what went wrong with the steps that led there.
  std::string run();

 private:
  /// An upload a client has open, as far as the client knows.
  struct Session {
    std::string repo;
    std::string id;
    std::string text;
    std::uint64_t confirmed = 0;  // bytes of chunks that were acknowledged
    std::int64_t expires_at = 0;  // not before
    bool may_be_gone = false;     // expired, or not durable when the power went
    bool may_start_over = false;  // its bytes were not durable when the power went
  };
  /// An upload that was acknowledged, to be repeated (U10).
  struct Finished {
    std::string repo;
    std::string id;
    oci::Digest digest;
    std::int64_t expires_at = 0;
  };

  // steps.cpp: what clients do
  void step();
  void push_blob();
  void start_session();
  void append_to_session();
  void finish_session();
  void finish(Session& session);
  void cancel_session();
  void repeat_finished();
  void mount();
  void push_image();
  void push_index();
  void delete_tag();
  void delete_manifest();
  void delete_blob();
  void look();
  std::optional<std::uint64_t> session_offset(Session& session);
  void put(const std::string& repo, const ModelManifest& manifest, const std::string& tag);

  // process.cpp: what happens to the process
  Result<void> recover();
  void drain();
  void housekeeping();
  void arm_fault();
  void restart();
  void cut_power();
  void pass_time();
  bool start_process();

  // checks.cpp
  void check_everything();
  void check_repo(const std::string& name);
  void check_store();
  void check_candidates();

  // shared
  std::uint64_t below(std::uint64_t n) { return choice_.u64() % n; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  const std::string& any_repo();
  const std::string& any_text();
  /// Content the store cannot know yet: what it knows hides what goes wrong with a second upload.
  std::string new_text();
  const std::string& known_text();
  std::string any_tag();
  std::string any_manifest(const std::string& repo);
  void note(std::string line) { trace_.push_back(std::move(line)); }
  void fail_with(std::string what);
  /// The result of a request whose outcome the model knows. True if it was acknowledged. A fault on the way may turn
  /// success into failure, never the other way round.
  bool settle(const std::string& what, const Outcome& expected, const Outcome& actual);
  template <class T>
  static Outcome outcome(const Result<T>& result) {
    return result.has_value() ? Outcome() : Outcome(result.error().code);
  }

  SimulationOptions options_;
  SeededRandom choice_;
  CrashingDatabase database_;
  test::RegistryWorld world_;
  Model model_;
  std::map<DigestText, std::string> texts_;  // of every blob there may be
  std::vector<Session> sessions_;
  std::vector<Finished> finished_;
  int boot_ = 1;
  int databases_ = 0;
  std::vector<std::string> trace_;
  std::string failure_;
};

}  // namespace berth::sim
