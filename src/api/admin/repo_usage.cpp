// What a repository holds, in bytes, and how much of it is in no other one.

#include "api/admin/repo_replies.h"
#include "api/admin/routes.h"
#include "meta/usage.h"

#include <algorithm>
#include <unordered_map>

namespace berth::api::admin {

namespace {

constexpr std::int64_t kPageLinks = 500;  // looked at in one read, which holds a snapshot of the database
constexpr std::int64_t kOthersMax = 64;   // of each blob, as for a mount without a source (X3)

struct Counted {
  std::int64_t blobs = 0;
  std::int64_t shared = 0;
};

/// Whether a blob is shared is told by repositories that the caller may see: another one's content is not to be guessed
/// by pushing the same (S4, A10).
class Sharing {
 public:
  // borrows: the call outlives the handler's frame that this is in
  explicit Sharing(const AdminCall& call)
      : call_(call), sees_all_(check_act(call, auth::Act::see_every_repository).has_value()) {}

  Result<bool> is_shared(sql::Connection& db, const meta::CountedLink& link, meta::RepoId repo) {
    const std::int64_t wanted = sees_all_ ? 1 : kOthersMax;
    BERTH_TRY(const auto others, meta::other_holders(db, link.blob, repo, wanted));
    for (const meta::Holder& other : others) {
      BERTH_TRY(const bool is_seen, sees(other));
      if (is_seen) return true;
    }
    return false;
  }

 private:
  Result<bool> sees(const meta::Holder& other) {
    if (sees_all_) return true;
    if (const auto known = seen_.find(other.repo); known != seen_.end()) return known->second;
    BERTH_TRY(const auto name, oci::RepoName::parse(other.name));
    BERTH_TRY(const auth::Rights rights, rights_on(call_, name));
    return seen_[other.repo] = rights.has(auth::Right::read);
  }

  const AdminCall& call_;
  bool sees_all_;
  std::unordered_map<meta::RepoId, bool> seen_;
};

/// One page; the blob that it ends with, 0 at the end.
Result<meta::BlobId> count_page(sql::Connection& db, meta::RepoId repo, meta::BlobId after, Sharing& sharing,
                                Counted& out) {
  BERTH_TRY(const auto links, meta::list_counted_links(db, repo, after, kPageLinks));
  for (const meta::CountedLink& link : links) {
    out.blobs += link.size_bytes;
    BERTH_TRY(const bool is_shared, sharing.is_shared(db, link, repo));
    if (is_shared) out.shared += link.size_bytes;
  }
  return std::ssize(links) < kPageLinks ? 0 : links.back().blob;
}

}  // namespace

Done get_usage(AdminCall& call) {
  BERTH_CO_TRY(const auto name, oci::RepoName::parse(call.captures[0]));
  BERTH_CO_TRY(const auto info, call.deps.store.peek([&](sql::Connection& db) { return load_repo(db, name); }));
  Counted counted;
  Sharing sharing(call);
  meta::BlobId after = 0;
  do {
    BERTH_CO_TRY(after, co_await call.deps.store.read(
                            [&](sql::Connection& db) { return count_page(db, info.id, after, sharing, counted); }));
  } while (after != 0);
  // What is pushed meanwhile may be in the one number and not in the other.
  const std::int64_t manifests = std::max<std::int64_t>(info.used_bytes - counted.blobs, 0);
  JsonObject out;
  out.number("logical", counted.blobs + manifests).number("manifests", manifests).number("blobs", counted.blobs);
  out.number("unique", counted.blobs - counted.shared).number("shared", counted.shared);
  AdminReply reply;
  reply.body = out.str();
  co_return reply;
}

}  // namespace berth::api::admin
