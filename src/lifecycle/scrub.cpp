#include "lifecycle/scrub.h"

#include "lifecycle/missing.h"
#include "meta/blobs.h"
#include "meta/fsck.h"

#include <vector>

namespace berth::lifecycle {

namespace {

constexpr std::int64_t kPresent = 1;
constexpr std::int64_t kBad = 3;
constexpr std::size_t kSliceBlobs = 100;

enum class Verdict : std::uint8_t { good, wrong, missing, unread, stopped };

struct Candidate {
  meta::BlobId id = 0;
  blob::BlobKey key;
  std::uint64_t size_bytes = 0;
};

class Slice {
 public:
  Slice(const ScrubDeps& deps, const blob::BlobMaintenance::Pace& pace) : deps_(deps), pace_(pace) {}

  Result<ScrubReport> run(meta::BlobId position, std::size_t limit) {
    report_.position = position;
    // fsck's list, since it also names the rows it cannot read: a walk has to get past those.
    BERTH_TRY(const auto rows, deps_.store.peek([&](sql::Connection& db) {
      return meta::check_blobs(db, position, static_cast<std::int64_t>(limit));
    }));
    for (const meta::BlobCheck& row : rows) {
      BERTH_TRYV(check(row));
      if (report_.stopped) break;  // this blob is next
      report_.position = row.id;
    }
    BERTH_TRYV(write_off_missing());
    note_good();
    if (!report_.stopped && rows.size() < limit) report_.position = 0;
    return report_;
  }

 private:
  Result<void> check(const meta::BlobCheck& row) {
    if (!row.digest || (row.state != kPresent && row.state != kBad)) return {};
    const Candidate blob{row.id, {*row.digest, row.inc}, row.size_bytes};
    const Verdict verdict = judge(blob);
    report_.stopped = verdict == Verdict::stopped;
    if (verdict == Verdict::stopped || verdict == Verdict::unread) return {};
    if (row.state == kBad) return settle_bad(blob, verdict);
    ++report_.checked;
    if (verdict == Verdict::good) good_.push_back(blob);
    if (verdict == Verdict::missing) missing_.push_back(blob);
    if (verdict == Verdict::wrong) return set_aside(blob);
    return {};
  }

  Verdict judge(const Candidate& blob) {
    if (!pace_(kScrubFileBytes)) return Verdict::stopped;
    const auto content = deps_.files.inspect(blob.key, &pace_);
    if (!content && content.error().code == Errc::unavailable) return Verdict::stopped;
    if (!content) {
      // Not read is not damaged: descriptors run out, permissions change. Only bytes that are wrong are set aside.
      deps_.log.error("scrub.read_failed", {f("digest", blob.key.digest.str()), f("err", content.error().cause)});
      return Verdict::unread;
    }
    if (!content->present) return Verdict::missing;
    return content->size_bytes == blob.size_bytes && content->digest_matches ? Verdict::good : Verdict::wrong;
  }

  /// Known to be bad: its file was missing for a while, or a server died between marking it and moving its file.
  Result<void> settle_bad(const Candidate& blob, Verdict verdict) {
    if (verdict == Verdict::missing) return {};
    if (verdict == Verdict::wrong) return deps_.files.quarantine(blob.key);
    BERTH_TRYV(deps_.store.write_blocking([&, now = deps_.clock.now_ms()](sql::Connection& db) {
      return meta::mark_blob_present(db, blob.id, blob.key.inc, now);
    }));
    ++report_.restored;
    deps_.log.warn("scrub.restored", {f("digest", blob.key.digest.str()), f("bytes", blob.size_bytes)});
    return {};
  }

  Result<void> set_aside(const Candidate& blob) {
    ++report_.bad;
    deps_.log.error("scrub.damaged", {f("digest", blob.key.digest.str()), f("bytes", blob.size_bytes)});
    // The row first: from then on nobody is sent to the file.
    BERTH_TRYV(deps_.store.write_blocking([&, now = deps_.clock.now_ms()](sql::Connection& db) {
      return meta::mark_blob_bad(db, blob.id, blob.key.inc, now);
    }));
    return deps_.files.quarantine(blob.key);
  }

  Result<void> write_off_missing() {
    if (too_many_missing(missing_.size(), report_.checked)) {
      deps_.log.error("scrub.many_missing",
                      {f("missing", missing_.size()), f("checked", report_.checked),
                       f("err", "nothing is marked missing: is the volume with the blobs mounted? berth fsck tells")});
      return {};
    }
    for (const Candidate& blob : missing_) BERTH_TRYV(set_aside(blob));
    return {};
  }

  void note_good() {
    if (good_.empty()) return;
    deps_.store.write_later([blobs = std::move(good_), now = deps_.clock.now_ms()](sql::Connection& db) {
      Result<void> done;
      for (const Candidate& blob : blobs) {
        if (done) done = meta::mark_blob_checked(db, blob.id, blob.key.inc, now);
      }
      return done;
    });
  }

  const ScrubDeps& deps_;
  const blob::BlobMaintenance::Pace& pace_;
  ScrubReport report_;
  std::vector<Candidate> good_;
  std::vector<Candidate> missing_;
};

}  // namespace

Result<ScrubReport> scrub_slice(const ScrubDeps& deps, meta::BlobId position, std::size_t limit,
                                const blob::BlobMaintenance::Pace& pace) {
  return Slice(deps, pace).run(position, limit);
}

Result<bool> scrub_pass(const ScrubDeps& deps, meta::BlobId position, const blob::BlobMaintenance::Pace& pace,
                        const std::function<void(const ScrubReport&)>& on_slice) {
  for (;;) {
    BERTH_TRY(const ScrubReport report, scrub_slice(deps, position, kSliceBlobs, pace));
    position = report.position;
    on_slice(report);
    if (report.stopped) return false;
    if (position == 0) return true;
  }
}

}  // namespace berth::lifecycle
