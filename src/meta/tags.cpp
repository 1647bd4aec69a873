#include "meta/tags.h"

#include "base/hex.h"
#include "meta/usage.h"

#include <algorithm>
#include <utility>

namespace berth::meta {

namespace {

constexpr sql::Sql kFind = R"(
  SELECT t.manifest_id, m.digest, t.version
  FROM tag t
  JOIN manifest m ON m.id = t.manifest_id
  WHERE t.repo_id = $1 AND t.name = $2)";

constexpr sql::Sql kPut = R"(
  INSERT INTO tag(repo_id, name, manifest_id, version, kind, created_at, updated_at, updated_by)
  VALUES($1, $2, $3, 1, $4, $5, $5, $6)
  ON CONFLICT(repo_id, name) DO UPDATE SET manifest_id = excluded.manifest_id, version = tag.version + 1,
    updated_at = excluded.updated_at, updated_by = excluded.updated_by)";

constexpr sql::Sql kDelete = R"(
  DELETE FROM tag
  WHERE repo_id = $1 AND name = $2)";

constexpr sql::Sql kListOf = R"(
  SELECT name
  FROM tag
  WHERE manifest_id = $1)";

constexpr sql::Sql kList = R"(
  SELECT name
  FROM tag
  WHERE repo_id = $1 AND name > $2
  ORDER BY name
  LIMIT $3)";

constexpr sql::Sql kLastEvent = R"(
  SELECT at
  FROM tag_history
  WHERE repo_id = $1 AND name = $2
  ORDER BY id DESC
  LIMIT 1)";

constexpr sql::Sql kRecord = R"(
  INSERT INTO tag_history(repo_id, name, at, op, digest, prev_digest, actor)
  VALUES($1, $2, $3, $4, $5, $6, $7))";

constexpr sql::Sql kHistory = R"(
  SELECT at, op, digest, prev_digest, actor
  FROM tag_history
  WHERE repo_id = $1 AND name = $2
  ORDER BY id DESC
  LIMIT $3)";

constexpr std::int64_t kManual = 0;
constexpr std::int64_t kFallback = 2;

/// Tags of the referrers fallback scheme and cosign's: `sha256-<64 hex>` with or without a suffix (R6).
std::int64_t kind_of(std::string_view name) {
  constexpr std::string_view kPrefix = "sha256-";
  if (!name.starts_with(kPrefix) || name.size() < kPrefix.size() + 64) return kManual;
  const auto hex = name.substr(kPrefix.size(), 64);
  return std::ranges::all_of(hex, [](char c) { return hex_digit(c) >= 0; }) ? kFallback : kManual;
}

sql::Bind storage_or_null(const std::optional<oci::Digest>& digest) {
  return digest ? sql::Bind(digest->storage()) : sql::Bind(nullptr);
}

struct Move {
  TagOp op = TagOp::set;
  std::optional<oci::Digest> to;
  std::optional<oci::Digest> from;
};

Result<void> record(sql::Connection& db, RepoId repo, std::string_view name, const Move& move, const Stamp& stamp) {
  // Times strictly increase per tag, even if the wall clock does not, so that "as of T" has one answer.
  std::int64_t at = stamp.at_ms;
  BERTH_TRYV(db.query(kLastEvent, {repo, name}, [&](const sql::Row& row) { at = std::max(at, row.int64(0) + 1); }));
  BERTH_TRYV(db.execute(kRecord, {repo, name, at, std::to_underlying(move.op), storage_or_null(move.to),
                                  storage_or_null(move.from), bind_optional(stamp.principal)}));
  return {};
}

}  // namespace

Result<std::optional<TagRow>> find_tag(sql::Connection& db, RepoId repo, const oci::Tag& tag) {
  std::optional<TagRow> out;
  BERTH_TRYV(db.query(kFind, {repo, std::string_view(tag.str())}, [&](const sql::Row& row) {
    if (const auto digest = oci::Digest::from_storage(row.blob(1))) out = TagRow{row.int64(0), *digest, row.int64(2)};
  }));
  return out;
}

Result<void> set_tag(sql::Connection& db, RepoId repo, const oci::Tag& tag, ManifestId manifest,
                     const oci::Digest& digest, const Stamp& stamp) {
  BERTH_TRY(const auto before, find_tag(db, repo, tag));
  if (before && before->manifest == manifest) return {};
  const std::string_view name = tag.str();
  BERTH_TRYV(db.execute(kPut, {repo, name, manifest, kind_of(name), stamp.at_ms, bind_optional(stamp.principal)}));
  if (!before) BERTH_TRYV(count_tags(db, repo, 1));
  return record(db, repo, name, {TagOp::set, digest, before ? std::optional(before->digest) : std::nullopt}, stamp);
}

Result<bool> delete_tag(sql::Connection& db, RepoId repo, const oci::Tag& tag, const Stamp& stamp) {
  BERTH_TRY(const auto before, find_tag(db, repo, tag));
  if (!before) return false;
  const std::string_view name = tag.str();
  BERTH_TRYV(db.execute(kDelete, {repo, name}));
  BERTH_TRYV(count_tags(db, repo, -1));
  BERTH_TRYV(record(db, repo, name, {TagOp::deleted, std::nullopt, before->digest}, stamp));
  return true;
}

Result<void> delete_tags_of(sql::Connection& db, RepoId repo, ManifestId manifest, const oci::Digest& digest,
                            const Stamp& stamp) {
  std::vector<std::string> names;
  BERTH_TRYV(db.query(kListOf, {manifest}, [&](const sql::Row& row) { names.emplace_back(row.text(0)); }));
  for (const std::string& name : names) {
    BERTH_TRYV(db.execute(kDelete, {repo, std::string_view(name)}));
    BERTH_TRYV(record(db, repo, name, {TagOp::deleted, std::nullopt, digest}, stamp));
  }
  if (!names.empty()) BERTH_TRYV(count_tags(db, repo, -static_cast<std::int64_t>(names.size())));
  return {};
}

Result<std::vector<std::string>> list_tags(sql::Connection& db, RepoId repo, std::string_view last,
                                           std::int64_t limit) {
  std::vector<std::string> names;
  BERTH_TRYV(db.query(kList, {repo, last, limit}, [&](const sql::Row& row) { names.emplace_back(row.text(0)); }));
  return names;
}

Result<std::vector<TagEvent>> tag_history(sql::Connection& db, RepoId repo, const oci::Tag& tag, std::int64_t limit) {
  std::vector<TagEvent> events;
  BERTH_TRYV(db.query(kHistory, {repo, std::string_view(tag.str()), limit}, [&](const sql::Row& row) {
    TagEvent event{row.int64(0), static_cast<TagOp>(row.int64(1)), oci::Digest::from_storage(row.blob(2)),
                   oci::Digest::from_storage(row.blob(3)), std::nullopt};
    if (!row.is_null(4)) event.actor = row.int64(4);
    events.push_back(std::move(event));
  }));
  return events;
}

}  // namespace berth::meta
