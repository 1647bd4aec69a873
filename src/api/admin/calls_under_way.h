#pragma once
// Which of the calls that came with a key are being done right now, so that none is done twice at once.

#include "meta/kept_calls.h"

#include <algorithm>
#include <mutex>
#include <utility>
#include <vector>

namespace berth::api {

/// Thread-safe.
class CallsUnderWay {
 public:
  /// Ends with the scope. Lives shorter than what gave it.
  class Held {
   public:
    Held(CallsUnderWay& calls, const meta::CallKey& key) : calls_(&calls), key_(key) {}
    Held(Held&& other) noexcept : calls_(std::exchange(other.calls_, nullptr)), key_(other.key_) {}
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;
    Held& operator=(Held&&) = delete;
    ~Held() {
      if (calls_ != nullptr) calls_->end(key_);
    }

   private:
    CallsUnderWay* calls_;  // nullptr: moved from
    meta::CallKey key_;
  };

  /// nullopt: it is under way already.
  std::optional<Held> begin(const meta::CallKey& key) {
    const std::lock_guard lock(mutex_);
    const auto is_it = [&](const meta::CallKey& other) { return other.is_same_call(key); };
    if (std::ranges::any_of(calls_, is_it)) return std::nullopt;
    calls_.push_back(key);
    return std::optional<Held>(std::in_place, *this, key);
  }

 private:
  void end(const meta::CallKey& key) {
    const std::lock_guard lock(mutex_);
    std::erase_if(calls_, [&](const meta::CallKey& other) { return other.is_same_call(key); });
  }

  std::mutex mutex_;                  // guards: calls_
  std::vector<meta::CallKey> calls_;  // few: as many as there are requests at once
};

}  // namespace berth::api
