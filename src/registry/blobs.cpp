#include "registry/blobs.h"

#include "meta/gc_queue.h"
#include "meta/repos.h"

namespace berth::registry {

/// Whether the collector leaves it alone for as long as a positive answer promises.
bool Blobs::is_safe(const meta::Link& link) const {
  return !link.candidate_due || *link.candidate_due >= deps_.clock.now_ms() + meta::kLeaseMs;
}

/// The link, leased: a positive answer promises that a manifest pushed within the lease finds the blob (E3, S27).
io::Task<Result<meta::Link>> Blobs::find(oci::RepoName repo, oci::Digest digest) {
  const std::string_view item = meta::cache_item(digest);
  if (const auto known = links_.find(repo.str(), item); known && is_safe(*known)) co_return *known;
  const auto stamp = deps_.store.epochs().stamp(meta::Epochs::stripe_of(repo));
  for (int attempt = 0; attempt < 2; ++attempt) {
    BERTH_CO_TRY(const auto link,
                 deps_.store.peek([&](sql::Connection& db) { return meta::find_link(db, repo, digest); }));
    if (!link) break;
    if (is_safe(*link)) {
      if (stamp) links_.put(repo.str(), item, *stamp, std::make_shared<const meta::Link>(*link), sizeof(meta::Link));
      co_return *link;
    }
    // About to be collected: extend first, then look again, since the collector may have been faster.
    // Where nothing can be written nothing can be collected either: reads go on.
    const std::int64_t now = deps_.clock.now_ms();
    const auto extended =
        co_await deps_.store.write([repo_id = link->repo, blob_id = link->blob,
                                    now](sql::Connection& db) { return meta::extend_lease(db, repo_id, blob_id, now); },
                                   {.space = meta::Space::reclaim, .touches = meta::Touches::nothing()});
    if (!extended) co_return *link;
  }
  BERTH_CO_TRY(const auto known, deps_.store.peek([&](sql::Connection& db) { return meta::find_repo(db, repo); }));
  if (!known) co_return fail(Errc::name_unknown, "no such repository");
  co_return fail(Errc::blob_unknown, "no such blob in this repository");
}

io::Task<Result<std::uint64_t>> Blobs::head(oci::RepoName repo, oci::Digest digest) {
  BERTH_CO_TRY(const auto link, co_await find(std::move(repo), digest));
  co_return link.size_bytes;
}

std::optional<BlobView> Blobs::find_open(const oci::RepoName& repo, const oci::Digest& digest) {
  const auto link = links_.find(repo.str(), meta::cache_item(digest));
  if (!link || !is_safe(*link)) return std::nullopt;
  auto source = deps_.blobs.find_open({digest, link->inc});
  if (!source) return std::nullopt;
  return BlobView{link->size_bytes, std::move(source)};
}

io::Task<Result<BlobView>> Blobs::open(oci::RepoName repo, oci::Digest digest) {
  BERTH_CO_TRY(const auto link, co_await find(std::move(repo), digest));
  auto opened = co_await deps_.blobs.open({digest, link.inc}, link.size_bytes);
  if (!opened) {
    if (opened.error().code == Errc::corrupt || opened.error().code == Errc::file_unknown) {
      co_await set_aside(link, digest);
      co_return fail(Errc::corrupt, "the stored blob is damaged; push it again to repair it", opened.error().cause);
    }
    co_return fail(std::move(opened).error());
  }
  co_return BlobView{link.size_bytes, *std::move(opened)};
}

io::Task<void> Blobs::set_aside(meta::Link link, oci::Digest digest) {
  deps_.log.error("blob.damaged", {f("digest", digest.str()), f("bytes", link.size_bytes)});
  // The row first: a push of the same content must not be acknowledged onto bytes that are on their way out.
  const auto marked = co_await deps_.store.write([link, at = deps_.clock.now_ms()](sql::Connection& db) {
    return meta::mark_blob_bad(db, link.blob, link.inc, at);
  });
  if (!marked) {
    deps_.log.error("blob.mark_bad_failed", {f("digest", digest.str()), f("err", marked.error().cause)});
    co_return;
  }
  const auto moved =
      co_await io::offload(deps_.disk, [this, link, digest] { return deps_.files.quarantine({digest, link.inc}); });
  if (!moved) deps_.log.error("blob.quarantine_failed", {f("digest", digest.str()), f("err", moved.error().cause)});
}

io::Task<Result<void>> Blobs::remove(oci::RepoName repo, oci::Digest digest, std::optional<meta::PrincipalId> by,
                                     std::optional<meta::AuditEntry> audit) {
  const meta::Stamp stamp{deps_.clock.now_ms(), by};
  const auto act = [=](sql::Connection& db) -> Result<bool> {
    BERTH_TRY(const bool was_there, meta::trash_link(db, repo, digest, stamp));
    if (!was_there || !audit) return was_there;
    meta::AuditEntry entry = *audit;
    entry.action = "blob.delete";
    entry.target = repo.str() + "@" + digest.str();
    BERTH_TRYV(meta::append_audit(db, std::move(entry)));
    return true;
  };
  BERTH_CO_TRY(const bool removed,
               co_await deps_.store.write(act, {.space = meta::Space::reclaim, .touches = meta::Touches::repo(repo)}));
  if (removed) co_return Result<void>{};
  BERTH_CO_TRY(const auto known, deps_.store.peek([&](sql::Connection& db) { return meta::find_repo(db, repo); }));
  if (!known) co_return fail(Errc::name_unknown, "no such repository");
  co_return fail(Errc::blob_unknown, "no such blob in this repository");
}

}  // namespace berth::registry
