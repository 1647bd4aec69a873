#pragma once
// Who there is and what they may do, as the database has it, kept while it stands still (meta/epochs.h): asking again
// is a lookup in memory, and a change of rights counts from the request after it was acknowledged.

#include "auth/decision.h"
#include "meta/principals.h"
#include "meta/read_cache.h"
#include "meta/store.h"

#include <atomic>
#include <memory>
#include <optional>
#include <string_view>

namespace berth::auth {

/// shared: by the cache and by whoever asked.
using RulingPtr = std::shared_ptr<const Ruling>;

class Directory {
 public:
  /// everybody: what callers without an account may do where nobody owns the namespace.
  Directory(meta::Store& store, Rights everybody)
      : store_(store),
        everybody_(everybody),
        rulings_(store.epochs(), kRulingBytes),
        places_(store.epochs(), kPlaceBytes) {}

  /// Whether anybody has an account: before, nobody signs in and rights do not exist. Once true it stays true.
  bool has_accounts() const { return has_accounts_.load(std::memory_order_relaxed); }
  /// From now on rights exist and everybody proves who he is, as if there were accounts: with tokens of another server.
  void close() { has_accounts_.store(true, std::memory_order_relaxed); }
  /// Looks again, if there was none. Blocks for a point lookup.
  void look_for_accounts();

  /// What the subject may do there. Errors: those of the database.
  Result<RulingPtr> ruling(const Subject& subject, const oci::RepoName& repo);
  /// The same if it is at hand; nullptr says nothing.
  RulingPtr find_ruling(const Subject& subject, std::string_view repo);
  Rights everybody() const { return everybody_; }
  /// Whether he may; ns: the namespace that the act is on. Errors: those of the database.
  Result<Decision> decide(const Asker& asker, Act act, std::string_view ns = {});

 private:
  static constexpr std::size_t kRulingBytes = 8 * 1024 * 1024;
  static constexpr std::size_t kPlaceBytes = 8 * 1024 * 1024;

  Result<meta::Standing> standing(const Subject& subject, const oci::RepoName& repo);

  meta::Store& store_;
  Rights everybody_;
  std::atomic<bool> has_accounts_{false};
  meta::ReadCache<Ruling> rulings_;
  meta::ReadCache<meta::Place> places_;  // of a namespace and a subject: its next repository costs one lookup
};

/// A principal as a subject; nullopt for a team, and for one that is disabled or has expired.
std::optional<Subject> subject_of(const meta::Principal& principal, std::int64_t now_ms);

}  // namespace berth::auth
