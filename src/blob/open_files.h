#pragma once
// The most recently read blobs, kept open: a hot layer costs no open(2) and the lookup runs on the I/O thread.

#include "io/streams.h"

#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace berth::blob {

/// Least recently used out first. Keyed by incarnation, so an entry can never stand for other bytes. Thread-safe.
class OpenFileCache {
 public:
  explicit OpenFileCache(std::size_t entries_max) : entries_max_(entries_max) {}

  std::shared_ptr<io::RandomSource> find(std::uint64_t inc) {
    const std::lock_guard lock(mutex_);
    const auto found = index_.find(inc);
    if (found == index_.end()) return nullptr;
    order_.splice(order_.begin(), order_, found->second);
    return found->second->second;
  }

  void put(std::uint64_t inc, std::shared_ptr<io::RandomSource> source) {
    std::shared_ptr<io::RandomSource> evicted;  // closed outside the lock
    const std::lock_guard lock(mutex_);
    if (index_.contains(inc)) return;
    order_.emplace_front(inc, std::move(source));
    index_[inc] = order_.begin();
    if (index_.size() <= entries_max_) return;
    evicted = std::move(order_.back().second);
    index_.erase(order_.back().first);
    order_.pop_back();
  }

  /// A reader that has the source keeps reading; nobody new gets it.
  void drop(std::uint64_t inc) {
    const std::lock_guard lock(mutex_);
    const auto found = index_.find(inc);
    if (found == index_.end()) return;
    order_.erase(found->second);
    index_.erase(found);
  }

 private:
  // shared: a slow download keeps its file open after the entry is gone.
  using Entry = std::pair<std::uint64_t, std::shared_ptr<io::RandomSource>>;
  std::size_t entries_max_;
  std::mutex mutex_;  // guards: order_, index_
  std::list<Entry> order_;
  std::unordered_map<std::uint64_t, std::list<Entry>::iterator> index_;
};

}  // namespace berth::blob
