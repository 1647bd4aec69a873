// The end of an upload: verified, durable, recorded, placed. See docs/durability.md.

#include "meta/blobs.h"
#include "registry/upload_session.h"

namespace berth::registry {

io::Task<Result<oci::Digest>> Uploads::digest_of_session(SessionPtr session, oci::Algorithm algorithm) {
  if (algorithm == oci::Algorithm::sha256) co_return oci::Digest::sha256(session->hashes.sha256.sum());
  if (session->hashes.sha512) co_return oci::Digest::sha512(session->hashes.sha512->sum());
  // Nobody said sha512 while the bytes came in: read them once more (U8).
  BERTH_CO_TRY(const auto sum, co_await session->staged->sha512(session->offset_bytes));
  co_return oci::Digest::sha512(sum);
}

/// The incarnation the store believes in for this digest, if its file is gone or of another size: then the copy at hand
/// is the good one. 0: there is none, or nothing speaks against it.
Result<std::uint64_t> Uploads::find_damaged(const oci::Digest& digest) {
  BERTH_TRY(const auto known, deps_.store.peek([&](sql::Connection& db) { return meta::find_stored(db, digest); }));
  if (!known) return 0;
  BERTH_TRY(const auto content, deps_.files.inspect({digest, known->inc}, nullptr));
  const bool intact = content.present && content.size_bytes == known->size_bytes;
  if (!intact) deps_.log.error("blob.damaged", {f("digest", digest.str()), f("bytes", known->size_bytes)});
  return intact ? 0 : known->inc;
}

/// What the disk pool finds out on the way to the commit.
struct Uploads::Sealing {
  Result<void> sealed = fail(Errc::unavailable);  // not tried yet
  std::uint64_t damaged_inc = 0;
};

/// Blocks. The bytes are durable behind it.
Result<meta::WriteOptions> Uploads::seal(const Session& session, const oci::Digest& digest, Sealing& out) {
  out.sealed = session.staged->seal(session.offset_bytes);
  if (!out.sealed) return fail(Error(out.sealed.error()));
  BERTH_TRY(out.damaged_inc, find_damaged(digest));
  return meta::WriteOptions{
      .needs_staging_sync = true,
      // Damaged bytes that are replaced change what every repository with that link is served from.
      .touches = out.damaged_inc != 0 ? meta::Touches::everything() : meta::Touches::repo(session.repo)};
}

/// Verifies, makes durable, records, places: the order is the promise (docs/durability.md).
io::Task<Result<void>> Uploads::commit(SessionPtr session, oci::Digest digest) {
  BERTH_CO_TRY(const oci::Digest actual, co_await digest_of_session(session, digest.algorithm()));
  if (actual != digest) {
    (void)co_await discard(session);
    co_return fail(Errc::digest_mismatch, "the content does not match the digest; it hashes to " + actual.str());
  }
  meta::UploadRow row = row_of(*session);
  row.digest = digest;
  row.expires_at = deps_.clock.now_ms() + deps_.limits.tombstone_ms;
  const auto sealing = std::make_shared<Sealing>();  // shared: by the disk pool, the writer and this
  const auto kept = co_await deps_.store.write_after(
      deps_.disk, [this, session, digest, sealing] { return seal(*session, digest, *sealing); },
      [row, session, digest, sealing,
       at = stamp(session->uploader)](sql::Connection& db) -> Result<meta::CommittedBlob> {
        BERTH_TRY(auto out,
                  meta::commit_blob(db, session->repo, {digest, row.offset_bytes, row.inc, sealing->damaged_inc}, at));
        const bool placed = out.kept_existing;
        // Of a session that was cancelled meanwhile the row is not open any more, and its bytes may be gone.
        BERTH_TRYV(session->known == Known::to_a_client ? meta::commit_upload(db, row, placed)
                                                        : meta::record_upload(db, row, placed));
        return out;
      });
  // After a failed sync the kernel may have dropped the bytes: nothing of this file can be trusted.
  if (!sealing->sealed && sealing->sealed.error().code != Errc::unavailable) (void)co_await discard(session);
  if (!kept) co_return fail(Error(kept.error()));
  session->closed = true;
  session->committed = digest;
  forget(*session);
  // Committed. What is left is housekeeping's, and so is a failure of it: the bytes are readable under their staged
  // name.
  if (kept->kept_existing) {
    if (const auto removed = co_await deps_.blobs.discard(session->inc); !removed)
      deps_.log.warn("upload.discard_failed", {f("err", removed.error().cause)});
  } else {
    deps_.blobs.place({digest, session->inc}, [&log = deps_.log, digest](const Error& why) {
      log.warn("blob.place_failed", {f("digest", digest.str()), f("err", why.cause)});
    });
  }
  co_return Result<void>{};
}

}  // namespace berth::registry
