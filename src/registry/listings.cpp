#include "registry/listings.h"

#include "base/base64.h"
#include "crypto/hmac.h"
#include "meta/referrers.h"
#include "meta/repos.h"
#include "meta/settings.h"
#include "meta/tags.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>

namespace berth::registry {

namespace {

constexpr std::int64_t kCatalogScanMax = 2'000;  // names that a filtered page looks at
constexpr std::int64_t kCatalogStep = 100;

/// Asks for one name more than the page holds: whether there is a next page costs no second query.
NamePage cut(std::vector<std::string> names, std::int64_t size) {
  NamePage page{std::move(names), size, false, {}};
  if (page.names.size() > static_cast<std::size_t>(size)) {
    page.names.resize(static_cast<std::size_t>(size));
    page.more = size > 0;  // n=0: empty and no Link (L1)
    if (page.more) page.last = page.names.back();
  }
  return page;
}

/// What only this store can have put behind the number of a row: who made up numbers could find out where the names
/// that he may not see stand among those that he may (S12).
Result<std::string> seal_of(sql::Connection& db, std::int64_t repo) {
  BERTH_TRY(const auto store_id, meta::get_setting(db, "store_id"));
  const std::string key = store_id.value_or("");
  const std::string text = "position " + std::to_string(repo);
  const auto sum = crypto::hmac_sha256(std::as_bytes(std::span(key)), std::as_bytes(std::span(text)));
  return encode_base64url(std::span(sum).first(12));
}

}  // namespace

Result<std::string> hidden_position(sql::Connection& db, std::int64_t repo) {
  BERTH_TRY(const std::string seal, seal_of(db, repo));
  return "~" + std::to_string(repo) + "." + seal;
}

Result<std::string> name_at(sql::Connection& db, std::string_view position) {
  if (!position.starts_with('~')) return std::string(position);
  const auto nowhere = [] {
    return fail(Errc::parameter_invalid, "the page begins nowhere; start from the first page");
  };
  const std::size_t dot = position.find('.');
  if (dot == std::string_view::npos) return nowhere();
  std::int64_t id = 0;
  const auto [end, error] = std::from_chars(position.data() + 1, position.data() + dot, id);
  if (error != std::errc{} || end != position.data() + dot) return nowhere();
  BERTH_TRY(const std::string seal, seal_of(db, id));
  const std::string_view given = position.substr(dot + 1);
  if (!crypto::equal_in_constant_time(std::as_bytes(std::span(seal)), std::as_bytes(std::span(given))))
    return nowhere();
  BERTH_TRY(const auto name, meta::find_repo_name(db, id));
  return name.value_or("");
}

std::string print_cursor(std::int64_t position) {
  std::array<char, 17> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), position, 16).ptr;
  return "r" + std::string(text.data(), end);
}

std::optional<std::int64_t> parse_cursor(std::string_view text) {
  if (text.size() < 2 || text.size() > 17 || text.front() != 'r') return std::nullopt;
  std::int64_t position = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data() + 1, end, position, 16);
  if (error != std::errc{} || at != end || position < 0 || print_cursor(position) != text) return std::nullopt;
  return position;
}

io::Task<Result<NamePage>> Listings::tags(oci::RepoName repo, std::optional<std::int64_t> n, std::string last) {
  const std::int64_t size = std::min(n.value_or(limits_.tags_page_default), limits_.tags_page_max.get());
  co_return co_await store_.read(
      [repo = std::move(repo), last = std::move(last), size](sql::Connection& db) -> Result<NamePage> {
        BERTH_TRY(const auto id, meta::find_repo(db, repo));
        if (!id) return fail(Errc::name_unknown, "no such repository");
        BERTH_TRY(auto names, meta::list_tags(db, *id, last, size + 1));
        return cut(std::move(names), size);
      });
}

/// The name itself if it is one that was shown; else what stands for it.
Result<std::string> position_behind(sql::Connection& db, const std::string& name,
                                    const std::vector<std::string>& shown) {
  if (!shown.empty() && shown.back() == name) return name;
  BERTH_TRY(const auto repo, oci::RepoName::parse(name));
  BERTH_TRY(const auto id, meta::find_repo(db, repo));
  return id ? hidden_position(db, *id) : Result<std::string>(std::string());
}

/// Of all names those that may be seen, until the page is full or enough was looked at.
Result<NamePage> visible_page(sql::Connection& db, const std::string& position, std::int64_t size,
                              const NameFilter& filter) {
  NamePage page{{}, size, size > 0, {}};
  BERTH_TRY(page.last, name_at(db, position));
  for (std::int64_t seen = 0; seen < kCatalogScanMax && page.more;) {
    BERTH_TRY(const auto names, meta::list_repos(db, page.last, std::max(size, kCatalogStep)));
    if (names.empty()) page.more = false;
    for (const std::string& name : names) {
      ++seen;
      page.last = name;
      const auto repo = oci::RepoName::parse(name);
      if (!repo) continue;
      BERTH_TRY(const bool is_visible, filter(*repo));
      if (is_visible) page.names.push_back(name);
      if (std::ssize(page.names) == size) return page;
    }
  }
  if (page.more) {
    BERTH_TRY(page.last, position_behind(db, page.last, page.names));
  }
  return page;
}

io::Task<Result<NamePage>> Listings::catalog(std::optional<std::int64_t> n, std::string last, NameFilter filter) {
  const std::int64_t size = std::min(n.value_or(limits_.catalog_page_default), limits_.catalog_page_max.get());
  co_return co_await store_.read(
      [last = std::move(last), size, filter = std::move(filter)](sql::Connection& db) -> Result<NamePage> {
        if (filter) return visible_page(db, last, size, filter);
        BERTH_TRY(auto names, meta::list_repos(db, last, size + 1));
        return cut(std::move(names), size);
      });
}

io::Task<Result<ReferrersPage>> Listings::referrers(oci::RepoName repo, std::string subject,
                                                    std::vector<std::string> artifact_types,
                                                    std::optional<std::int64_t> n, std::string cursor) {
  std::int64_t after = 0;
  if (!cursor.empty()) {
    const auto parsed = parse_cursor(cursor);
    if (!parsed)
      co_return fail(Errc::parameter_invalid,
                     "the page cursor is not one this registry made; start from the first page");
    after = *parsed;
  }
  const meta::ReferrerLimits limits{
      .bytes_max = limits_.referrers_page_bytes_max,
      .listed_max = n ? static_cast<std::size_t>(std::max<std::int64_t>(*n, 1)) : SIZE_MAX,
      .rows_max = limits_.referrers_scan_max,
  };
  co_return co_await store_.read([repo = std::move(repo), subject = std::move(subject),
                                  types = std::move(artifact_types), after,
                                  limits](sql::Connection& db) mutable -> Result<ReferrersPage> {
    ReferrersPage page;
    BERTH_TRY(const auto id, meta::find_repo(db, repo));
    if (!id) return page;
    BERTH_TRY(auto found, meta::list_referrers(db, *id, subject, types, after, limits));
    for (auto& row : found.rows) page.descriptors.push_back(std::move(row.descriptor));
    if (found.next) page.next = print_cursor(*found.next);
    return page;
  });
}

}  // namespace berth::registry
