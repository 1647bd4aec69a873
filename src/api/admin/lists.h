#pragma once
// The shape that lists have in common: pages by keyset in either order, and how many there are for who wants to know.

#include "api/admin/routes.h"

#include <algorithm>
#include <functional>
#include <type_traits>

namespace berth::api::admin {

/// How many rows a count looks at, one more than it can tell of.
inline std::int64_t rows_to_count(Count count) { return (count == Count::exact ? kExactMax : kEstimateMax) + 1; }

/// The member "total": null beyond what is counted exactly, and as far as was looked for an estimate.
inline std::string total_json(Count count, std::int64_t found, bool is_all) {
  if (count == Count::exact && !is_all) return "null";
  return std::to_string(std::min(found, rows_to_count(count) - 1));
}

template <class Show, class Row>
Result<std::string> shown(sql::Connection& db, Show& show, const Row& row) {
  if constexpr (std::is_invocable_v<Show&, sql::Connection&, const Row&>) {
    return show(db, row);
  } else {
    return show(row);
  }
}

/// The inside of list(), on a thread that reads.
template <class Fetch, class Show, class Key, class Filter>
Result<AdminReply> page_of_rows(sql::Connection& db, const PageParameters& page, Fetch& fetch, Show& show, Key key,
                                Filter& filter) {
  BERTH_TRY(const auto rows, fetch(db, page));
  std::vector<std::string> items;
  for (const auto& row : rows) {
    if (!filter(row)) continue;
    BERTH_TRY(auto item, shown(db, show, row));
    items.push_back(std::move(item));
  }
  const std::string next = std::ssize(rows) == page.limit ? cursor_of(page, std::invoke(key, rows.back())) : "";
  if (page.count == Count::none) return page_reply(items, next);
  PageParameters all;
  all.limit = rows_to_count(page.count);
  BERTH_TRY(const auto counted, fetch(db, all));
  const bool is_all = std::ssize(counted) < all.limit;
  return page_reply(items, next, total_json(page.count, std::ranges::count_if(counted, filter), is_all));
}

constexpr auto kEveryRow = [](const auto&) { return true; };

/// fetch: (Connection&, const PageParameters&) → Result<vector<Row>>, as many as the page's limit unless there are no
/// more; show: a row, or Connection& and a row, → its JSON; key: what rows are sorted by; filter: which of them are
/// shown.
// borrows: the call is of AdminApi::handle
template <class Fetch, class Show, class Key, class Filter = decltype(kEveryRow)>
Done list(AdminCall& call, Fetch fetch, Show show, Key key, Filter filter = {}) {
  using Rows = typename std::invoke_result_t<Fetch&, sql::Connection&, const PageParameters&>::value_type;
  using SortedBy = std::invoke_result_t<Key&, const typename Rows::value_type&>;
  constexpr bool kIsByName = std::is_convertible_v<SortedBy, std::string_view>;
  BERTH_CO_TRY(const auto page, page_of(call, kIsByName ? SortKey::name : SortKey::number));
  co_return co_await call.deps.store.read([page, fetch = std::move(fetch), show = std::move(show), key,
                                           filter = std::move(filter)](sql::Connection& db) mutable {
    return page_of_rows(db, page, fetch, show, key, filter);
  });
}

}  // namespace berth::api::admin
