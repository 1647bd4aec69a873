#pragma once
// The public keys of issuers of ID tokens (OpenID Connect Discovery 1.0): found by the issuer's address alone, kept for
// an hour, asked for anew when a token names a key that is not among them, which is how issuers rotate.
//
// Who makes tokens up cannot make us ask around: only issuers that a rule names are asked, once a minute at most, by
// one request at a time whatever the number of those who wait. One that does not answer is left alone for twice as long
// after each time, so that rules about many such do not keep the threads busy, and is believed for a day by the keys it
// had.

#include "base/clock.h"
#include "base/log.h"
#include "crypto/verify_key.h"
#include "io/async_mutex.h"
#include "io/blocking_pool.h"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth::auth {

/// What a discovery document says, as far as it matters here. Addresses that may not be asked are empty.
struct Discovery {
  std::string keys;           // never empty
  std::string authorization;  // where people are sent to sign in
  std::string token;          // where the code that they come back with is exchanged
  std::string userinfo;
  bool takes_basic = true;  // a client's secret as Basic credentials, not in the form
};
/// The document must be that issuer's own. Errors: unavailable with a sentence.
Result<Discovery> parse_discovery(std::string_view text, std::string_view issuer);
inline constexpr std::size_t kDiscoveryBytesMax = 64 * 1024;
/// The keys of a JWK set that can check signatures; others are passed over. Errors: unavailable: not one, or none left.
Result<std::vector<crypto::VerifyKey>> parse_jwks(std::string_view text);
/// Where the discovery document is.
std::string discovery_url(std::string_view issuer);

class IssuerKeys {
 public:
  using Keys = std::vector<crypto::VerifyKey>;
  /// shared: requests use the keys they began with.
  using KeysPtr = std::shared_ptr<const Keys>;
  /// The body at an address, at most so many bytes. Blocks; it runs on the pool. Which addresses may be asked is its
  /// business.
  using Fetch = std::function<Result<std::string>(const std::string& url, std::size_t bytes_max)>;

  struct Deps {
    Fetch fetch;
    io::BlockingPool& pool;
    const Clock& clock;
    const Log& log;
  };
  explicit IssuerKeys(Deps deps) : deps_(std::move(deps)) {}

  /// The issuer's keys, if possible with the one of that name. Errors: unavailable.
  io::Task<Result<KeysPtr>> keys(std::string issuer, std::string kid);

 private:
  // shared: by the map and by those who wait for its lock.
  struct Issuer {
    io::AsyncMutex fetching;
    KeysPtr keys;
    std::int64_t fetched_ms = 0;                // of the monotonic clock, as the next one
    std::optional<std::int64_t> not_before_ms;  // of the next question
    int failures = 0;                           // since one was answered
    bool is_asked = false;                      // just now
  };
  using IssuerPtr = std::shared_ptr<Issuer>;

  IssuerPtr find(const std::string& name);
  /// Keys with that one among them that need no question now; nullptr: ask, or wait for who asks.
  KeysPtr known(const Issuer& issuer, std::string_view kid) const;
  /// Whether it is time for a question; then it counts as asked.
  bool begin_question(Issuer& issuer) const;
  void end_question(Issuer& issuer, KeysPtr keys) const;
  /// What there is where asking does not help.
  Result<KeysPtr> leftovers(const Issuer& issuer, const std::string& name) const;
  Result<KeysPtr> ask(const std::string& name) const;

  Deps deps_;
  mutable std::mutex mutex_;  // guards: issuers_ and the fields of each
  std::map<std::string, IssuerPtr> issuers_;
};

}  // namespace berth::auth
