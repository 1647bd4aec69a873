#pragma once
// What can be listed: tags (L1, L2), repositories (L3), referrers (R1-R6). Pages go by key; the work is bounded by the
// page, never by the store or by a number the client sent (S1).

#include "meta/store.h"
#include "oci/repo_name.h"
#include "registry/limits.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace berth::registry {

struct NamePage {
  std::vector<std::string> names;
  std::int64_t page_size = 0;  // what was asked for, clamped
  bool more = false;
  std::string last;  // if there is more: where the next page begins
};

/// Whether a name may be seen by who asks.
using NameFilter = std::function<Result<bool>(const oci::RepoName& name)>;

struct ReferrersPage {
  std::vector<std::string> descriptors;  // JSON, in a stable order
  std::optional<std::string> next;       // opaque cursor of the next page
};

class Listings {
 public:
  Listings(meta::Store& store, const Limits& limits) : store_(store), limits_(limits) {}

  /// `last` is an exclusive lower bound that need not exist. n absent: the default page. Errors: name_unknown.
  io::Task<Result<NamePage>> tags(oci::RepoName repo, std::optional<std::int64_t> n, std::string last);
  /// `filter` empty: everything. A page looks at a bounded number of names, and may then be short, or empty, with more
  /// to come (S12).
  io::Task<Result<NamePage>> catalog(std::optional<std::int64_t> n, std::string last, NameFilter filter = {});
  /// An unknown repository or subject has an empty list (R1). n absent: as many as fit (R4); otherwise at least one.
  /// Errors: parameter_invalid for a cursor we did not make.
  io::Task<Result<ReferrersPage>> referrers(oci::RepoName repo, std::string subject,
                                            std::vector<std::string> artifact_types, std::optional<std::int64_t> n,
                                            std::string cursor);

 private:
  meta::Store& store_;
  const Limits& limits_;
};

/// Where a filtered page of names goes on, if that is behind a name that the caller may not see: "~", the number of its
/// row and a seal, which no name looks like.
Result<std::string> hidden_position(sql::Connection& db, std::int64_t repo);
/// The name such a position stands for, or the text itself. Errors: parameter_invalid for one that was made up.
Result<std::string> name_at(sql::Connection& db, std::string_view position);

/// The cursor of a referrers page: "r" + lowercase hex of a row id. nullopt for anything else.
std::optional<std::int64_t> parse_cursor(std::string_view text);
std::string print_cursor(std::int64_t position);

}  // namespace berth::registry
