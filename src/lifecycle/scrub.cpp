#include "lifecycle/scrub.h"

namespace berth::lifecycle {

namespace {

Result<bool> is_good(const ScrubDeps& deps, const meta::BlobRow& row, const blob::BlobMaintenance::Pace& pace) {
  BERTH_TRY(const auto content, deps.files.inspect({row.digest, row.inc}, &pace));
  return content.present && content.size_bytes == row.size_bytes && content.digest_matches;
}

}  // namespace

Result<ScrubReport> scrub_slice(const ScrubDeps& deps, meta::BlobId position, std::size_t limit,
                                const blob::BlobMaintenance::Pace& pace) {
  BERTH_TRY(const auto rows, deps.store.peek([&](sql::Connection& db) {
    return meta::list_blobs(db, position, static_cast<std::int64_t>(limit));
  }));
  ScrubReport report;
  report.position = position;
  for (const meta::BlobRow& row : rows) {
    if (row.state != 1) {
      report.position = row.id;
      continue;
    }
    const auto good = is_good(deps, row, pace);
    if (!good && good.error().code == Errc::unavailable) return report;  // told to stop: this blob is next
    report.position = row.id;
    if (!good) {
      // Not read is not damaged: descriptors run out, permissions change. Only bytes that are wrong are set aside.
      deps.log.error("scrub.read_failed", {f("digest", row.digest.str()), f("err", good.error().cause)});
      continue;
    }
    ++report.checked;
    const std::int64_t now = deps.clock.now_ms();
    if (*good) {
      deps.store.write_later(
          [id = row.id, inc = row.inc, now](sql::Connection& db) { return meta::mark_blob_checked(db, id, inc, now); });
      continue;
    }
    ++report.bad;
    deps.log.error("scrub.damaged", {f("digest", row.digest.str()), f("bytes", row.size_bytes)});
    // The row first: from then on nobody is sent to the file.
    BERTH_TRYV(
        deps.store.write_blocking([&](sql::Connection& db) { return meta::mark_blob_bad(db, row.id, row.inc, now); }));
    BERTH_TRYV(deps.files.quarantine({row.digest, row.inc}));
  }
  if (rows.size() < limit) report.position = 0;
  return report;
}

}  // namespace berth::lifecycle
