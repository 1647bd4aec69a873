#pragma once
// Manifests that name another as their subject (R1-R5).

#include "meta/ids.h"

#include <optional>
#include <string>
#include <vector>

namespace berth::meta {

struct Referrer {
  std::int64_t cursor = 0;    // position in the list; pass the last one to go on
  std::string artifact_type;  // derived (R2)
  std::string descriptor;     // JSON, ready to be listed
};
struct ReferrerPage {
  std::vector<Referrer> rows;
  std::optional<std::int64_t> next;  // set if there may be more: where to go on
};
struct ReferrerLimits {
  std::size_t bytes_max = SIZE_MAX;  // of the descriptors with a comma each; one row is always returned (R4)
  std::size_t listed_max = SIZE_MAX;
  std::size_t rows_max = SIZE_MAX;  // looked at, listed or not: a filter that matches nothing walks no further (S21)
};
/// Live referrers of `subject` (its digest string) after `cursor`, oldest first, of one of `artifact_types` (all if
/// empty).
Result<ReferrerPage> list_referrers(sql::Connection& db, RepoId repo, std::string_view subject,
                                    const std::vector<std::string>& artifact_types, std::int64_t cursor,
                                    ReferrerLimits limits);

/// How many manifests name `subject`, deleted ones that can come back included; not counted beyond `limit`.
Result<std::int64_t> count_referrers(sql::Connection& db, RepoId repo, std::string_view subject, std::int64_t limit);

}  // namespace berth::meta
