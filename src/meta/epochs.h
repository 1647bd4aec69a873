#pragma once
// How a cache above the store learns that what it holds may be out of date, without asking the database.
//
// Each repository has an epoch (many share a stripe). The writer raises the epochs of what a batch touches before its
// COMMIT and again after it; an entry of a cache carries the stamp read before the SELECT that filled it, and counts
// only while that stamp holds. Whoever got an answer to a write therefore never sees the old value, and nobody sees the
// old one after somebody saw the new one: between the two raises no stamp is given and none holds, so that everybody
// asks the database.

#include "oci/repo_name.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace berth::meta {

class Epochs {
 public:
  static constexpr std::size_t kStripes = 8192;
  using Stripe = std::uint32_t;
  /// Who there is and what they may do: principals, memberships, grants, visibility by namespace, tokens.
  static constexpr Stripe kAccounts = kStripes;

  static Stripe stripe_of(const oci::RepoName& repo) {
    return static_cast<Stripe>(std::hash<oci::RepoName>{}(repo) % kStripes);
  }

  struct Stamp {
    Stripe stripe = 0;
    std::uint64_t of_stripe = 0;
    std::uint64_t of_all = 0;
    std::optional<std::uint64_t> of_accounts;  // if the accounts had a say, too
  };

  /// To be taken before the query whose result is kept. nullopt while a commit is under way: keep nothing then.
  std::optional<Stamp> stamp(Stripe stripe) const {
    const Stamp now{stripe, stripes_[stripe].load(), all_.load(), std::nullopt};
    if ((now.of_stripe | now.of_all) % 2 != 0) return std::nullopt;
    return now;
  }
  /// For what follows from a repository and from the accounts.
  std::optional<Stamp> stamp_with_accounts(Stripe stripe) const {
    const std::uint64_t accounts = stripes_[kAccounts].load();
    auto now = stamp(stripe);
    if (!now || accounts % 2 != 0) return std::nullopt;
    now->of_accounts = accounts;
    return now;
  }
  bool holds(const Stamp& stamp) const {
    return stripes_[stamp.stripe].load() == stamp.of_stripe && all_.load() == stamp.of_all &&
           (!stamp.of_accounts || stripes_[kAccounts].load() == *stamp.of_accounts);
  }

  /// Of everything there is: while it stays the same, nothing is committed. nullopt while a change is under way.
  std::optional<std::uint64_t> moment() const {
    const std::uint64_t now = moment_.load();
    if (now % 2 != 0) return std::nullopt;
    return now;
  }

  /// A commit under way, or the log being brought into the database, from construction to destruction. The writer's
  /// thread only.
  class Change {
   public:
    /// `stripes` without repetition; `everything` when it is not known what changes.
    Change(Epochs& epochs, std::vector<Stripe> stripes, bool everything)
        : epochs_(epochs), stripes_(std::move(stripes)), everything_(everything) {
      raise();
    }
    ~Change() { raise(); }
    Change(const Change&) = delete;
    Change& operator=(const Change&) = delete;

   private:
    void raise() {
      epochs_.moment_.fetch_add(1);
      if (everything_) epochs_.all_.fetch_add(1);
      for (const Stripe stripe : stripes_) epochs_.stripes_[stripe].fetch_add(1);
    }

    Epochs& epochs_;
    std::vector<Stripe> stripes_;
    bool everything_;
  };

 private:
  std::atomic<std::uint64_t> moment_{0};
  std::atomic<std::uint64_t> all_{0};
  std::array<std::atomic<std::uint64_t>, kStripes + 1> stripes_{};
};

/// What a write changes of what readers of a repository see.
class Touches {
 public:
  /// Always right, and expensive: every cached answer is asked for again.
  static constexpr Touches everything() { return Touches(Kind::everything, 0); }
  /// Only what no cache holds: sessions, candidates, settings.
  static constexpr Touches nothing() { return Touches(Kind::nothing, 0); }
  static Touches repo(const oci::RepoName& repo) { return Touches(Kind::repo, Epochs::stripe_of(repo)); }
  /// Who there is and what they may do.
  static constexpr Touches accounts() { return Touches(Kind::repo, Epochs::kAccounts); }

  bool is_everything() const { return kind_ == Kind::everything; }
  std::optional<Epochs::Stripe> stripe() const { return kind_ == Kind::repo ? std::optional(stripe_) : std::nullopt; }

 private:
  enum class Kind : std::uint8_t { everything, nothing, repo };
  constexpr Touches(Kind kind, Epochs::Stripe stripe) : kind_(kind), stripe_(stripe) {}

  Kind kind_;
  Epochs::Stripe stripe_;
};

}  // namespace berth::meta
