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
io::Task<Result<std::uint64_t>> Uploads::find_damaged(oci::Digest digest) {
  BERTH_CO_TRY(const auto known, deps_.store.peek([&](sql::Connection& db) { return meta::find_stored(db, digest); }));
  if (!known) co_return std::uint64_t{0};
  const auto content = co_await io::offload(
      deps_.disk, [this, key = blob::BlobKey{digest, known->inc}] { return deps_.files.inspect(key, nullptr); });
  BERTH_CO_TRYV(content);
  const bool intact = content->present && content->size_bytes == known->size_bytes;
  if (!intact) deps_.log.error("blob.damaged", {f("digest", digest.str()), f("bytes", known->size_bytes)});
  co_return intact ? 0 : known->inc;
}

/// Verifies, makes durable, records, places: the order is the promise (docs/durability.md).
io::Task<Result<void>> Uploads::commit(SessionPtr session, oci::Digest digest) {
  BERTH_CO_TRY(const oci::Digest actual, co_await digest_of_session(session, digest.algorithm()));
  if (actual != digest) {
    (void)co_await discard(session);
    co_return fail(Errc::digest_mismatch, "the content does not match the digest; it hashes to " + actual.str());
  }
  auto sealed = co_await session->staged->seal(session->offset_bytes);
  if (!sealed) {
    // After a failed sync the kernel may have dropped the bytes: nothing of this file can be trusted.
    if (sealed.error().code != Errc::unavailable) (void)co_await discard(session);
    co_return fail(std::move(sealed).error());
  }
  BERTH_CO_TRY(const std::uint64_t damaged, co_await find_damaged(digest));
  meta::UploadRow row = row_of(*session);
  row.digest = digest;
  row.expires_at = deps_.clock.now_ms() + deps_.limits.tombstone_ms;
  BERTH_CO_TRY(const meta::CommittedBlob kept,
               co_await deps_.store.write(
                   [row, session, digest, damaged,
                    at = stamp(session->uploader)](sql::Connection& db) -> Result<meta::CommittedBlob> {
                     BERTH_TRY(auto out,
                               meta::commit_blob(db, session->repo, {digest, row.offset_bytes, row.inc, damaged}, at));
                     const bool placed = out.kept_existing;
                     // Of a session that was cancelled meanwhile the row is not open any more, and its bytes may be
                     // gone.
                     BERTH_TRYV(session->known == Known::to_a_client ? meta::commit_upload(db, row, placed)
                                                                     : meta::record_upload(db, row, placed));
                     return out;
                   },
                   {.needs_staging_sync = true,
                    // Damaged bytes that are replaced change what every repository with that link is served from.
                    .touches = damaged != 0 ? meta::Touches::everything() : meta::Touches::repo(session->repo)}));
  session->closed = true;
  session->committed = digest;
  forget(*session);
  // Committed. A failure from here on is housekeeping's: the bytes are readable under their staged name.
  const auto placed = kept.kept_existing ? co_await deps_.blobs.discard(session->inc)
                                         : co_await deps_.blobs.place({digest, session->inc});
  if (!placed) deps_.log.warn("blob.place_failed", {f("digest", digest.str()), f("err", placed.error().cause)});
  co_return Result<void>{};
}

}  // namespace berth::registry
