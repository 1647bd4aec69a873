// Bytes of the migration: several threads read and hash, this one commits what they staged in large transactions, by
// the protocol of an upload (docs/durability.md): durable, recorded, placed.

#include "io/worker.h"
#include "lifecycle/migrate_run.h"
#include "meta/blobs.h"
#include "meta/repos.h"
#include "meta/uploads.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>

namespace berth::lifecycle {

namespace {

constexpr std::size_t kCommitBlobs = 256;
constexpr std::int64_t kCommitMs = 1'000;   // what a kill may cost in work, with many slow blobs
constexpr std::size_t kWaitingMax = 1'024;  // staged, not yet committed
constexpr auto kLook = std::chrono::milliseconds(100);

struct Staged {
  const BlobJob* job = nullptr;
  std::uint64_t inc = 0;
  Result<blob::Adopter::Adopted> adopted;
};

/// Threads that work through the jobs in their order.
class Hashers {
 public:
  Hashers(MigrateRun& run, std::span<const BlobJob> jobs) : run_(run), jobs_(jobs) {
    const unsigned threads = std::max(1U, run.options().threads);
    working_ = threads;
    for (unsigned i = 0; i < threads; ++i) workers_.emplace_back().start("migrate", [this] { work(); });
  }
  ~Hashers() { stop(); }
  Hashers(const Hashers&) = delete;
  Hashers& operator=(const Hashers&) = delete;

  /// What was staged since the last call, after a moment at most; nullopt: that was all.
  std::optional<std::vector<Staged>> next() {
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, kLook, [this] { return !done_.empty() || working_ == 0; });
    if (done_.empty() && working_ == 0) return std::nullopt;
    std::vector<Staged> out(std::move_iterator(done_.begin()), std::move_iterator(done_.end()));
    done_.clear();
    room_.notify_all();
    return out;
  }
  std::uint64_t bytes() const { return bytes_.load(); }
  void stop() {
    stopping_ = true;
    room_.notify_all();
    for (io::Worker& worker : workers_) worker.join();
  }

 private:
  void work() {
    while (!stopping_) {
      const std::size_t index = next_.fetch_add(1);
      if (index >= jobs_.size()) break;
      Staged staged = stage(jobs_[index]);
      std::unique_lock lock(mutex_);
      room_.wait(lock, [this] { return done_.size() < kWaitingMax || stopping_.load(); });
      done_.push_back(std::move(staged));
      wake_.notify_one();
    }
    const std::lock_guard lock(mutex_);
    --working_;
    wake_.notify_one();
  }

  Staged stage(const BlobJob& job) {
    Staged out{&job, run_.tools().random.u64() >> 1, {}};
    const auto source = run_.tree().files().open(DistributionTree::blob_path(job.digest));
    if (!source) {
      const bool gone = source.error().code == Errc::file_unknown;
      out.adopted = fail(Errc::corrupt, gone ? "its file was removed meanwhile" : "its file cannot be opened",
                         source.error().cause);
      return out;
    }
    out.adopted = run_.adopter().adopt(**source, {job.digest, out.inc}, [this](std::size_t bytes) {
      bytes_ += bytes;
      return !stopping_.load();
    });
    return out;
  }

  MigrateRun& run_;
  std::span<const BlobJob> jobs_;
  std::atomic<std::size_t> next_{0};
  std::atomic<std::uint64_t> bytes_{0};
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;  // guards: done_, working_
  std::condition_variable wake_;
  std::condition_variable room_;
  std::deque<Staged> done_;
  unsigned working_ = 0;
  std::deque<io::Worker> workers_;
};

class Committer {
 public:
  Committer(MigrateRun& run, const MigratePlan& plan) : run_(run), plan_(plan) {}

  /// Keeps what is good for the next commit; notes what is bad. An error is the store's and ends the run.
  Result<void> add(Staged staged) {
    if (staged.adopted) {
      if (waiting_.empty()) since_ms_ = run_.tools().clock.mono_ms();
      waiting_.push_back(std::move(staged));
      return {};
    }
    const Error& error = staged.adopted.error();
    const oci::Digest& digest = staged.job->digest;
    switch (error.code) {
      case Errc::digest_mismatch:
        run_.lose(digest, "it is damaged in the old registry");
        run_.skip(SkipKind::blob_damaged, digest.str(), error.message);
        return {};
      case Errc::corrupt:
        run_.lose(digest, "its file cannot be read");
        run_.skip(SkipKind::blob_unreadable, digest.str(),
                  error.message + (error.cause.empty() ? "" : " (" + error.cause + ")"));
        return {};
      default: return fail(Error(error));
    }
  }

  Result<void> commit_if_due() {
    if (waiting_.empty()) return {};
    const bool due = waiting_.size() >= kCommitBlobs || run_.tools().clock.mono_ms() - since_ms_ >= kCommitMs;
    return due ? commit() : Result<void>();
  }

  Result<void> commit() {
    if (waiting_.empty()) return {};
    const auto kept = run_.store().write_blocking([this](sql::Connection& db) { return record_all(db); },
                                                  {.needs_staging_sync = true});
    // What the database may know of is left as it is: the next start finds out.
    if (!kept && !run_.store().outcome_unknown()) {
      for (const Staged& s : waiting_) (void)run_.blobs()->remove_staged(s.inc);
    }
    BERTH_TRY(const std::vector<bool> surplus, kept);
    for (std::size_t i = 0; i < waiting_.size(); ++i) {
      const Staged& s = waiting_[i];
      if (surplus[i]) {
        BERTH_TRYV(run_.blobs()->remove_staged(s.inc));
      } else {
        BERTH_TRYV(run_.blobs()->ensure_placed({s.job->digest, s.inc}));
      }
    }
    BERTH_TRYV(run_.blobs()->settle());
    BERTH_TRYV(run_.store().write_blocking([this](sql::Connection& db) { return forget_all(db); },
                                           {.ack = meta::Ack::process}));
    for (const Staged& s : waiting_) {
      run_.set_fate(s.job->digest, MigrateRun::Fate::stored);
      run_.report().blobs[static_cast<std::size_t>(s.adopted->method)].add(s.adopted->size_bytes);
      ++run_.report().links;
    }
    waiting_.clear();
    return {};
  }

 private:
  static std::string upload_id(const Staged& s) { return "migrate-" + std::to_string(s.inc); }

  /// Which of the staged copies are surplus. The row of an upload each, so that a start can finish what this run does
  /// not: it tells where the bytes wait.
  Result<std::vector<bool>> record_all(sql::Connection& db) {
    const meta::Stamp stamp = run_.now();
    std::vector<bool> surplus;
    for (const Staged& s : waiting_) {
      const SourceRepo& repo = plan_.repos[s.job->repo];
      BERTH_TRYV(meta::ensure_repo(db, repo.name, {std::min(repo.first_ms, stamp.at_ms), std::nullopt}));
      BERTH_TRY(
          const auto kept,
          meta::commit_blob(db, repo.name, {s.job->digest, s.adopted->size_bytes, s.inc, s.job->damaged_inc}, stamp));
      surplus.push_back(kept.kept_existing);
      if (kept.kept_existing) continue;
      meta::UploadRow row;
      row.id = upload_id(s);
      row.repo = repo.name.str();
      row.inc = s.inc;
      row.offset_bytes = s.adopted->size_bytes;
      row.digest = s.job->digest;
      row.created_at = row.expires_at = stamp.at_ms;
      BERTH_TRYV(meta::record_upload(db, row, /*placed=*/false));
    }
    return surplus;
  }

  Result<void> forget_all(sql::Connection& db) {
    for (const Staged& s : waiting_) {
      BERTH_TRYV(meta::mark_placed(db, upload_id(s)));
      BERTH_TRYV(meta::forget_tombstone(db, upload_id(s)));
    }
    return {};
  }

  MigrateRun& run_;
  const MigratePlan& plan_;
  std::vector<Staged> waiting_;
  std::int64_t since_ms_ = 0;
};

}  // namespace

Result<void> take_blobs(MigrateRun& run, const MigratePlan& plan, std::span<const BlobJob> jobs) {
  if (jobs.empty()) return {};
  Hashers hashers(run, jobs);
  Committer committer(run, plan);
  while (auto staged = hashers.next()) {
    for (Staged& s : *staged) BERTH_TRYV(committer.add(std::move(s)));
    BERTH_TRYV(committer.commit_if_due());
    run.show({.phase = "blobs", .done = hashers.bytes(), .total = plan.bytes, .in_bytes = true});
  }
  return committer.commit();
}

}  // namespace berth::lifecycle
