// The audit log: who did what, and whether the record is whole.

#include "api/admin/routes.h"
#include "base/hex.h"

#include <charconv>

namespace berth::api::admin {

namespace {

constexpr std::int64_t kScanMax = 5'000;     // entries that one page looks at
constexpr std::int64_t kVerifyStep = 1'000;  // entries read at once

std::string entry_json(const meta::AuditEntry& entry) {
  JsonObject out;
  out.number("seq", entry.seq).raw("at", time_json(entry.at_ms)).text_or_null("actor", entry.actor);
  out.text("action", entry.action).text("target", entry.target).boolean("allowed", entry.allowed);
  out.text("rule", entry.rule)
      .text_or_null("ip", entry.peer)
      .text("request_id", entry.request)
      .raw("detail", entry.detail);
  return out.text("prev", to_hex(entry.prev)).text("hash", to_hex(entry.hash)).str();
}

Result<std::int64_t> number_of(const AdminCall& call, std::string_view name, std::int64_t otherwise) {
  BERTH_TRY(const auto text, call.query.single(name));
  if (!text) return otherwise;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc{} || end != text->data() + text->size() || value < 0)
    return fail(Errc::parameter_invalid, std::string(name) + " must be a whole number");
  return value;
}

Result<meta::AuditFilter> filter_of(const AdminCall& call) {
  meta::AuditFilter out;
  BERTH_TRY(const auto actor, call.query.single("actor"));
  BERTH_TRY(const auto target, call.query.single("target"));
  BERTH_TRY(const auto action, call.query.single("action"));
  BERTH_TRY(const auto since, call.query.single("since"));
  out.actor = actor.value_or("");
  out.target = target.value_or("");
  out.action = action.value_or("");
  if (since) {
    const auto age_ms = parse_life_ms(*since);
    if (!age_ms) return fail(Errc::parameter_invalid, "since is how long ago, from a minute to ten years, such as 7d");
    out.since_ms = call.deps.clock.now_ms() - *age_ms;
  }
  return out;
}

/// How far a verification has come.
struct Verification {
  meta::AuditVerifier verifier{meta::AuditAnchor{}};
  std::int64_t first = 0;  // the number of the oldest entry; 0: not begun
  std::int64_t count = 0;
  std::optional<std::string> wrong;
  bool has_head = false;  // whether the hash that was asked for is one of them
  bool is_done = false;

  void begin_at(const meta::AuditAnchor& anchor) {
    verifier = meta::AuditVerifier(anchor);
    first = anchor.seq + 1;
    count = 0;
  }
};

bool is_head(std::string_view text) {
  const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return text.size() == 64 && std::ranges::all_of(text, is_digit);
}

/// One step. What was forgotten since the step before, since it was old enough, is no gap: it begins anew behind it.
Result<Verification> verify_some(sql::Connection& db, Verification state, const std::string& head_wanted) {
  if (state.first == 0) {
    BERTH_TRY(const auto anchor, meta::audit_anchor(db));
    state.begin_at(anchor);
    BERTH_TRY(const auto before, meta::find_entry_up_to(db, anchor.seq));
    if (before) {
      state.wrong = "entry " + std::to_string(*before) + " stands before the first one, number " +
                    std::to_string(anchor.seq + 1) + ": it was put there";
      state.is_done = true;
      return state;
    }
  }
  BERTH_TRY(const auto entries, meta::read_audit(db, state.verifier.seq(), kVerifyStep));
  if (!entries.empty() && entries.front().seq != state.verifier.seq() + 1) {
    BERTH_TRY(const auto anchor, meta::audit_anchor(db));
    if (anchor.seq + 1 == entries.front().seq) state.begin_at(anchor);
  }
  for (const meta::AuditEntry& entry : entries) {
    state.wrong = state.verifier.check(entry);
    if (state.wrong) break;
    ++state.count;
    if (!state.has_head && to_hex(entry.hash) == head_wanted) state.has_head = true;
  }
  state.is_done = state.wrong || std::ssize(entries) < kVerifyStep;
  return state;
}

}  // namespace

Done list_audit(AdminCall& call) {
  BERTH_CO_TRY(const auto page, page_of(call, SortKey::number));
  BERTH_CO_TRY(const auto filter, filter_of(call));
  BERTH_CO_TRY(const std::int64_t before, page.number_after());
  std::int64_t last = 0;
  BERTH_CO_TRY(const auto entries, co_await call.deps.store.read([&](sql::Connection& db) {
    return meta::list_audit(db, filter, before, page.limit, kScanMax, last);
  }));
  std::vector<std::string> items;
  for (const meta::AuditEntry& entry : entries) items.push_back(entry_json(entry));
  co_return page_reply(items, last > 0 ? cursor_of(page, last) : "");
}

/// Oldest first, a line an entry, as it was hashed: what a copy kept elsewhere is compared with.
Done export_audit(AdminCall& call) {
  BERTH_CO_TRY(const std::int64_t after, number_of(call, "after", 0));
  BERTH_CO_TRY(const std::int64_t limit, number_of(call, "limit", kVerifyStep));
  if (limit < 1) co_return fail(Errc::parameter_invalid, "limit must be at least 1");
  BERTH_CO_TRY(const auto entries, co_await call.deps.store.read([=](sql::Connection& db) {
    return meta::read_audit(db, after, std::min(limit, kScanMax));
  }));
  AdminReply reply;
  reply.content_type = "application/x-ndjson";
  for (const meta::AuditEntry& entry : entries) reply.body.append(meta::audit_line(entry)).append("\n");
  co_return reply;
}

/// In steps, between which others get their turn on the threads that read: a log of years takes a while to hash.
Done verify_audit(AdminCall& call) {
  BERTH_CO_TRY(const auto wanted, call.query.single("head"));
  const std::string head = wanted.value_or("");
  if (wanted && !is_head(head))
    co_return fail(Errc::parameter_invalid, "a head is 64 hexadecimal digits, as an earlier verification told it");
  Verification state;
  state.has_head = head.empty();
  while (!state.is_done) {
    BERTH_CO_TRY(state,
                 co_await call.deps.store.read([&](sql::Connection& db) { return verify_some(db, state, head); }));
  }
  const std::string newest = state.wrong ? std::string() : to_hex(state.verifier.head());
  if (!state.wrong && !state.has_head) state.wrong = "the entry with that hash is not in the log any more";
  JsonObject out;
  out.boolean("whole", !state.wrong).number("first", state.first).number("entries", state.count);
  out.text("head", newest).text_or_null("problem", state.wrong.value_or(""));
  AdminReply reply;
  reply.body = out.str();
  co_return reply;
}

}  // namespace berth::api::admin
