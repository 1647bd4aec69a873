#pragma once
// Tags and their history. Every move and every delete is an entry of its own, in the transaction that makes it.

#include "meta/ids.h"
#include "oci/digest.h"
#include "oci/reference.h"

#include <optional>
#include <string>
#include <vector>

namespace berth::meta {

struct TagRow {
  ManifestId manifest = 0;
  oci::Digest digest;
  std::int64_t version = 0;
};
Result<std::optional<TagRow>> find_tag(sql::Connection& db, RepoId repo, const oci::Tag& tag);

/// Points the tag at the manifest. Setting it to what it already is changes nothing and writes no history.
Result<void> set_tag(sql::Connection& db, RepoId repo, const oci::Tag& tag, ManifestId manifest,
                     const oci::Digest& digest, const Stamp& stamp);
/// False if there is no such tag.
Result<bool> delete_tag(sql::Connection& db, RepoId repo, const oci::Tag& tag, const Stamp& stamp);
/// Removes every tag that points at the manifest (D1).
Result<void> delete_tags_of(sql::Connection& db, RepoId repo, ManifestId manifest, const oci::Digest& digest,
                            const Stamp& stamp);

/// Names after `last` (exclusive, need not exist), bytewise ascending, at most `limit` (L1).
Result<std::vector<std::string>> list_tags(sql::Connection& db, RepoId repo, std::string_view last, std::int64_t limit);

enum class TagOp : std::int64_t { set = 1, deleted = 2 };
struct TagEvent {
  std::int64_t at_ms = 0;
  TagOp op = TagOp::set;
  std::optional<oci::Digest> digest;    // to
  std::optional<oci::Digest> previous;  // from
  std::optional<std::int64_t> actor;
};
/// Newest first, at most `limit`.
Result<std::vector<TagEvent>> tag_history(sql::Connection& db, RepoId repo, const oci::Tag& tag, std::int64_t limit);

}  // namespace berth::meta
