#include "api/admin/lists.h"

#include "base/base64.h"
#include "base/setting_text.h"

namespace berth::api {

namespace {

constexpr std::int64_t kPageDefault = 50;
constexpr std::int64_t kPageMax = 500;

constexpr char kDown = '-';  // no name begins with it, and no number

Result<meta::Order> order_of(const AdminCall& call, SortKey key) {
  BERTH_TRY(const auto word, call.query.single("sort"));
  const std::string name = key == SortKey::name ? "name" : "id";
  if (!word || *word == name) return meta::Order::up;
  if (*word == kDown + name) return meta::Order::down;
  return fail(Errc::parameter_invalid, "this is sorted by " + name + ", or by -" + name + ", the other way round");
}

Result<Count> count_of(const AdminCall& call) {
  BERTH_TRY(const auto word, call.query.single("count"));
  if (!word) return Count::none;
  if (*word == "exact") return Count::exact;
  if (*word == "estimate") return Count::estimate;
  return fail(Errc::parameter_invalid, "count is exact or estimate");
}

Result<std::string> after_cursor(std::string_view cursor, meta::Order order) {
  const auto after = decode_base64url(cursor);
  if (!after) return fail(Errc::parameter_invalid, "the cursor is not one of ours");
  const bool goes_down = after->starts_with(kDown);
  if (goes_down != (order == meta::Order::down) && !after->empty())
    return fail(Errc::parameter_invalid, "the cursor is of another order; start from the first page");
  return after->substr(goes_down ? 1 : 0);
}

}  // namespace

Result<PageParameters> page_of(const AdminCall& call, SortKey key) {
  PageParameters out{.limit = kPageDefault, .after = {}};
  BERTH_TRY(out.order, order_of(call, key));
  BERTH_TRY(out.count, count_of(call));
  BERTH_TRY(const auto limit, call.query.single("limit"));
  if (limit) {
    BERTH_TRY(const std::int64_t wanted, parse_integer(*limit));
    if (wanted < 1) return fail(Errc::parameter_invalid, "limit must be at least 1");
    out.limit = std::min(wanted, kPageMax);
  }
  BERTH_TRY(const auto cursor, call.query.single("cursor"));
  if (cursor) {
    BERTH_TRY(out.after, after_cursor(*cursor, out.order));
  }
  return out;
}

std::string PageParameters::name_after() const {
  constexpr std::string_view kBeyondNames = "{";  // the character behind z
  return after.empty() && order == meta::Order::down ? std::string(kBeyondNames) : after;
}

Result<std::int64_t> PageParameters::number_after() const {
  if (after.empty()) return order == meta::Order::up ? 0 : INT64_MAX;
  const auto id = id_of(after);
  if (!id) return fail(Errc::parameter_invalid, "the cursor is not one of ours");
  return *id;
}

std::string cursor_of(const PageParameters& page, std::string_view last) {
  return encode_base64url((page.order == meta::Order::up ? "" : std::string(1, kDown)) + std::string(last));
}

AdminReply page_reply(const std::vector<std::string>& items, std::string_view next, std::string_view total_json) {
  std::string list = "[";
  for (const std::string& item : items) {
    if (&item != &items.front()) list += ',';
    list += item;
  }
  JsonObject out;
  out.raw("items", list + "]");
  if (next.empty()) {
    out.raw("next", "null");
  } else {
    out.text("next", next);
  }
  if (!total_json.empty()) out.raw("total", total_json);
  AdminReply reply;
  reply.body = out.str();
  reply.next = next;
  return reply;
}

}  // namespace berth::api
