#include "meta/audit.h"

#include "base/hex.h"
#include "base/json_text.h"
#include "meta/settings.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <span>

namespace berth::meta {

namespace {

constexpr const char* kAnchorKey = "audit_anchor";  // "<seq> <hex of the hash>"

/// What may follow a repository's name in a target: a longer name, a tag, a digest.
constexpr std::string_view kJoints = "/:@";

constexpr sql::Sql kLast = R"(
  SELECT seq, hash
  FROM audit
  ORDER BY seq DESC
  LIMIT 1)";

constexpr sql::Sql kInsert = R"(
  INSERT INTO audit(seq, at, actor, actor_id, action, target, allowed, rule, peer, request, detail, prev, hash)
  VALUES($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13))";

constexpr sql::Sql kNewest = R"(
  SELECT seq, at, actor, actor_id, action, target, allowed, rule, peer, request, detail, prev, hash
  FROM audit
  WHERE seq < $1
  ORDER BY seq DESC
  LIMIT $2)";

constexpr sql::Sql kNewestOfActor = R"(
  SELECT seq, at, actor, actor_id, action, target, allowed, rule, peer, request, detail, prev, hash
  FROM audit
  WHERE actor = $3 AND seq < $1
  ORDER BY seq DESC
  LIMIT $2)";

constexpr sql::Sql kNewestOfAction = R"(
  SELECT seq, at, actor, actor_id, action, target, allowed, rule, peer, request, detail, prev, hash
  FROM audit
  WHERE action = $3 AND seq < $1
  ORDER BY seq DESC
  LIMIT $2)";

constexpr sql::Sql kNewestOfTarget = R"(
  SELECT seq, at, actor, actor_id, action, target, allowed, rule, peer, request, detail, prev, hash
  FROM audit
  WHERE target = $2 AND seq < $1
  ORDER BY seq DESC
  LIMIT 1)";

constexpr sql::Sql kNextTarget = R"(
  SELECT target
  FROM audit
  WHERE target > $1 AND target < $2
  ORDER BY target
  LIMIT 1)";

constexpr sql::Sql kOldest = R"(
  SELECT seq, at, actor, actor_id, action, target, allowed, rule, peer, request, detail, prev, hash
  FROM audit
  WHERE seq > $1
  ORDER BY seq
  LIMIT $2)";

constexpr sql::Sql kRefused = R"(
  SELECT seq, at, actor, actor_id, action, target, allowed, rule, peer, request, detail, prev, hash
  FROM audit
  WHERE request = $1 AND allowed = 0
  ORDER BY seq DESC
  LIMIT $2)";

constexpr sql::Sql kUpTo = R"(
  SELECT seq
  FROM audit
  WHERE seq <= $1
  ORDER BY seq
  LIMIT 1)";

constexpr sql::Sql kForget = R"(
  DELETE FROM audit
  WHERE seq <= $1)";

crypto::Sha256Sum sum_of(std::span<const std::byte> bytes) {
  crypto::Sha256Sum out{};
  if (bytes.size() == out.size()) std::ranges::copy(bytes, out.begin());
  return out;
}

AuditEntry read(const sql::Row& row) {
  AuditEntry out;
  out.seq = row.int64(0);
  out.at_ms = row.int64(1);
  out.actor = row.text(2);
  if (!row.is_null(3)) out.actor_id = row.int64(3);
  out.action = row.text(4);
  out.target = row.text(5);
  out.allowed = row.int64(6) != 0;
  out.rule = row.text(7);
  out.peer = row.text(8);
  out.request = row.text(9);
  out.detail = row.text(10);
  out.prev = sum_of(row.blob(11));
  out.hash = sum_of(row.blob(12));
  return out;
}

/// What the hash covers: everything but itself, the hash before it included.
std::string hashed_text(const AuditEntry& entry) {
  std::string out = "{\"seq\":" + std::to_string(entry.seq) + ",\"at_ms\":" + std::to_string(entry.at_ms);
  append_json_member(out, "actor", std::string_view(entry.actor));
  if (entry.actor_id) append_json_member(out, "actor_id", static_cast<std::uint64_t>(*entry.actor_id));
  append_json_member(out, "action", std::string_view(entry.action));
  append_json_member(out, "target", std::string_view(entry.target));
  out += entry.allowed ? ",\"allowed\":true" : ",\"allowed\":false";
  append_json_member(out, "rule", std::string_view(entry.rule));
  append_json_member(out, "peer", std::string_view(entry.peer));
  append_json_member(out, "request_id", std::string_view(entry.request));
  out += ",\"detail\":" + entry.detail;
  append_json_member(out, "prev", std::string_view(to_hex(entry.prev)));
  return out;
}

crypto::Sha256Sum hash_of(const AuditEntry& entry) {
  const std::string text = hashed_text(entry);
  return crypto::sha256(std::as_bytes(std::span(text)));
}

bool passes(const AuditEntry& entry, const AuditFilter& filter) {
  if (entry.at_ms < filter.since_ms) return false;
  if (!filter.actor.empty() && entry.actor != filter.actor) return false;
  if (!filter.action.empty() && entry.action != filter.action) return false;
  if (filter.target.empty() || entry.target == filter.target) return true;
  return entry.target.starts_with(filter.target) && kJoints.contains(entry.target[filter.target.size()]);
}

struct Last {
  std::int64_t seq = 0;
  crypto::Sha256Sum hash{};
};

/// The target itself and the targets below it; nullopt: they are more than `max`.
Result<std::optional<std::vector<std::string>>> targets_of(sql::Connection& db, const std::string& target,
                                                           std::int64_t max) {
  std::vector<std::string> out = {target};
  for (const char joint : kJoints) {
    std::string last = target + joint;
    const std::string end = target + static_cast<char>(joint + 1);
    for (;;) {
      std::optional<std::string> next;
      BERTH_TRYV(db.query(kNextTarget, {std::string_view(last), std::string_view(end)},
                          [&](const sql::Row& row) { next = row.text(0); }));
      if (!next) break;
      if (std::ssize(out) == max) return std::optional<std::vector<std::string>>();
      out.push_back(*next);
      last = *std::move(next);
    }
  }
  return std::optional(std::move(out));
}

using Keep = std::function<bool(AuditEntry)>;  // false: enough

/// The entries of all these targets in one order, each target's being in order already.
Result<void> walk_targets(sql::Connection& db, const std::vector<std::string>& targets, std::int64_t before,
                          std::int64_t scan_max, const Keep& keep) {
  std::vector<AuditEntry> newest;  // of each target, what was not walked over yet; a heap
  const auto is_older = [](const AuditEntry& a, const AuditEntry& b) { return a.seq < b.seq; };
  const auto add_next = [&](const std::string& target, std::int64_t below) -> Result<void> {
    return db.query(kNewestOfTarget, {below, std::string_view(target)}, [&](const sql::Row& row) {
      newest.push_back(read(row));
      std::ranges::push_heap(newest, is_older);
    });
  };
  for (const std::string& target : targets) BERTH_TRYV(add_next(target, before));
  for (std::int64_t seen = 0; seen < scan_max && !newest.empty(); ++seen) {
    std::ranges::pop_heap(newest, is_older);
    AuditEntry entry = std::move(newest.back());
    newest.pop_back();
    BERTH_TRYV(add_next(entry.target, entry.seq));
    if (!keep(std::move(entry))) return {};
  }
  return {};
}

/// Newest first, by the index of what narrows it most.
Result<void> walk_newest(sql::Connection& db, const AuditFilter& filter, std::int64_t before, std::int64_t scan_max,
                         const Keep& keep) {
  if (!filter.target.empty()) {
    BERTH_TRY(const auto targets, targets_of(db, filter.target, scan_max));
    if (targets) return walk_targets(db, *targets, before, scan_max, keep);
  }
  const auto by_row = [&](const sql::Row& row) { return keep(read(row)); };
  if (!filter.actor.empty())
    return db.query(kNewestOfActor, {before, scan_max, std::string_view(filter.actor)}, by_row);
  if (!filter.action.empty())
    return db.query(kNewestOfAction, {before, scan_max, std::string_view(filter.action)}, by_row);
  return db.query(kNewest, {before, scan_max}, by_row);
}

}  // namespace

std::string audit_line(const AuditEntry& entry) {
  std::string out = hashed_text(entry);
  append_json_member(out, "hash", std::string_view(to_hex(entry.hash)));
  return out + "}";
}

Result<void> append_audit(sql::Connection& db, AuditEntry entry) {
  std::optional<Last> last;
  BERTH_TRYV(db.query(kLast, {}, [&](const sql::Row& row) { last = Last{row.int64(0), sum_of(row.blob(1))}; }));
  if (!last) {  // the first ever, or everything before was forgotten
    BERTH_TRY(const AuditAnchor anchor, audit_anchor(db));
    last = Last{anchor.seq, anchor.hash};
  }
  entry.seq = last->seq + 1;
  entry.prev = last->hash;
  entry.hash = hash_of(entry);
  BERTH_TRYV(db.execute(
      kInsert, {entry.seq, entry.at_ms, std::string_view(entry.actor), bind_optional(entry.actor_id),
                std::string_view(entry.action), std::string_view(entry.target), std::int64_t{entry.allowed ? 1 : 0},
                std::string_view(entry.rule), std::string_view(entry.peer), std::string_view(entry.request),
                std::string_view(entry.detail), std::span<const std::byte>(entry.prev),
                std::span<const std::byte>(entry.hash)}));
  return {};
}

Result<std::vector<AuditEntry>> list_audit(sql::Connection& db, const AuditFilter& filter, std::int64_t before,
                                           std::int64_t limit, std::int64_t scan_max, std::int64_t& last) {
  std::vector<AuditEntry> out;
  std::int64_t seen = 0;
  last = before > 0 ? before : INT64_MAX;
  bool is_old = false;
  const auto keep = [&](AuditEntry entry) {
    ++seen;
    last = entry.seq;
    is_old = entry.at_ms < filter.since_ms;
    if (passes(entry, filter)) out.push_back(std::move(entry));
    return !is_old && std::ssize(out) < limit;
  };
  BERTH_TRYV(walk_newest(db, filter, last, scan_max, keep));
  const bool has_more = !is_old && (std::ssize(out) == limit || seen == scan_max);
  if (!has_more) last = 0;
  return out;
}

Result<std::vector<AuditEntry>> read_audit(sql::Connection& db, std::int64_t after, std::int64_t limit) {
  std::vector<AuditEntry> out;
  BERTH_TRYV(db.query(kOldest, {after, limit}, [&](const sql::Row& row) { out.push_back(read(row)); }));
  return out;
}

Result<std::vector<AuditEntry>> find_refusals(sql::Connection& db, std::string_view request, std::int64_t limit) {
  std::vector<AuditEntry> out;
  BERTH_TRYV(db.query(kRefused, {request, limit}, [&](const sql::Row& row) { out.push_back(read(row)); }));
  return out;
}

Result<std::optional<std::int64_t>> find_entry_up_to(sql::Connection& db, std::int64_t seq) {
  std::optional<std::int64_t> out;
  BERTH_TRYV(db.query(kUpTo, {seq}, [&](const sql::Row& row) { out = row.int64(0); }));
  return out;
}

Result<AuditAnchor> audit_anchor(sql::Connection& db) {
  AuditAnchor out;
  BERTH_TRY(const auto text, get_setting(db, kAnchorKey));
  if (!text) return out;
  const std::size_t space = text->find(' ');
  std::from_chars(text->data(), text->data() + std::min(space, text->size()), out.seq);
  if (space == std::string::npos || !from_hex(std::string_view(*text).substr(space + 1), out.hash))
    return fail(Errc::corrupt, {}, "the audit anchor cannot be read");
  return out;
}

Result<std::int64_t> forget_audit(sql::Connection& db, std::int64_t before_ms, std::int64_t limit) {
  BERTH_TRY(const AuditAnchor anchor, audit_anchor(db));
  BERTH_TRY(const auto oldest, read_audit(db, anchor.seq, limit));
  const AuditEntry* last = nullptr;
  std::int64_t count = 0;
  for (const AuditEntry& entry : oldest) {
    if (entry.at_ms >= before_ms) break;
    last = &entry;
    ++count;
  }
  if (last == nullptr) return std::int64_t{0};
  BERTH_TRYV(db.execute(kForget, {last->seq}));
  BERTH_TRYV(put_setting(db, kAnchorKey, std::to_string(last->seq) + " " + to_hex(last->hash)));
  return count;
}

std::optional<std::string> AuditVerifier::check(const AuditEntry& entry) {
  const std::string name = "entry " + std::to_string(entry.seq);
  if (entry.seq != seq_ + 1)
    return "entries " + std::to_string(seq_ + 1) + " to " + std::to_string(entry.seq - 1) + " are missing";
  if (entry.prev != hash_) return name + " does not follow the one before it";
  if (hash_of(entry) != entry.hash) return name + " was changed";
  seq_ = entry.seq;
  hash_ = entry.hash;
  return std::nullopt;
}

}  // namespace berth::meta
