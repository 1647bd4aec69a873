#pragma once
// Manifests that name another as their subject (R1-R5).

#include "meta/ids.h"

#include <string>
#include <vector>

namespace berth::meta {

struct Referrer {
  std::int64_t cursor = 0;    // position in the list; pass the last one to go on
  std::string artifact_type;  // derived (R2)
  std::string descriptor;     // JSON, ready to be listed
};
/// Live referrers of `subject` (its digest string) after `cursor`, oldest first, of one of `artifact_types` (all if
/// empty). Stops with the first row that takes the descriptors beyond `bytes_max`: that row tells the caller that there
/// is more.
Result<std::vector<Referrer>> list_referrers(sql::Connection& db, RepoId repo, std::string_view subject,
                                             const std::vector<std::string>& artifact_types, std::int64_t cursor,
                                             std::size_t bytes_max);

}  // namespace berth::meta
