#pragma once
// Answers to point reads, kept until the repository changes (meta/epochs.h): a pull of what is popular asks no
// database. Least recently used out first, bounded by bytes, in shards so that two cores seldom meet at a lock.
// Negative answers are not kept: what was pushed a moment ago must be found.

#include "meta/epochs.h"
#include "oci/reference.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace berth::meta {

/// The item of a digest. Raw: no tag looks like it, since its first byte is a control character.
inline std::string_view cache_item(const oci::Digest& digest) {
  const auto bytes = digest.storage();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline std::string_view cache_item(const oci::Reference& reference) {
  return reference.is_digest() ? cache_item(reference.digest()) : std::string_view(reference.tag().str());
}

/// Thread-safe. Value: what is kept, immutable.
template <class Value>
class ReadCache {
 public:
  /// shared: an answer on its way out keeps its bytes though the entry is gone.
  using Pointer = std::shared_ptr<const Value>;

  /// bytes_max: of values and keys, over all shards; 0 keeps nothing.
  ReadCache(const Epochs& epochs, std::size_t bytes_max) : epochs_(epochs), shard_bytes_max_(bytes_max / kShards) {}

  /// The key is the pair: a repository, and something within it.
  Pointer find(std::string_view repo, std::string_view item) {
    const std::size_t hash = hash_of(repo, item);
    Shard& shard = shards_[hash % kShards];
    const std::lock_guard lock(shard.mutex);
    const auto found = shard.index.find(View{repo, item, hash});
    if (found != shard.index.end()) {
      if (epochs_.holds(found->second->stamp)) {
        shard.order.splice(shard.order.begin(), shard.order, found->second);
        hits_.fetch_add(1, std::memory_order_relaxed);
        return found->second->value;
      }
      shard.drop(found);
    }
    misses_.fetch_add(1, std::memory_order_relaxed);
    return nullptr;
  }

  /// stamp: taken before the value was read. value_bytes: about what it occupies.
  void put(std::string_view repo, std::string_view item, const Epochs::Stamp& stamp, Pointer value,
           std::size_t value_bytes) {
    const std::size_t bytes = value_bytes + repo.size() + item.size() + kEntryBytes;
    if (bytes > shard_bytes_max_) return;
    const std::size_t hash = hash_of(repo, item);
    Shard& shard = shards_[hash % kShards];
    const std::lock_guard lock(shard.mutex);
    if (const auto old = shard.index.find(View{repo, item, hash}); old != shard.index.end()) shard.drop(old);
    shard.order.push_front(Entry{std::string(repo), std::string(item), hash, stamp, std::move(value), bytes});
    const auto entry = shard.order.begin();
    shard.index.emplace(View{entry->repo, entry->item, hash}, entry);
    shard.bytes += bytes;
    while (shard.bytes > shard_bytes_max_) {
      const Entry& last = shard.order.back();
      shard.drop(shard.index.find(View{last.repo, last.item, last.hash}));
    }
  }

  std::uint64_t hits() const { return hits_.load(std::memory_order_relaxed); }
  std::uint64_t misses() const { return misses_.load(std::memory_order_relaxed); }
  std::size_t bytes() const {
    std::size_t sum = 0;
    for (const Shard& shard : shards_) {
      const std::lock_guard lock(shard.mutex);
      sum += shard.bytes;
    }
    return sum;
  }

 private:
  static constexpr std::size_t kShards = 16;
  static constexpr std::size_t kEntryBytes = 256;  // list node, index node, control block

  struct View {  // into an Entry, or what is looked for
    std::string_view repo;
    std::string_view item;
    std::size_t hash = 0;
    friend bool operator==(const View& a, const View& b) {
      return a.hash == b.hash && a.item == b.item && a.repo == b.repo;
    }
  };
  struct Hash {
    std::size_t operator()(const View& view) const noexcept { return view.hash / kShards; }
  };
  struct Entry {
    std::string repo;
    std::string item;
    std::size_t hash = 0;
    Epochs::Stamp stamp;
    Pointer value;
    std::size_t bytes = 0;
  };
  struct Shard {
    using Index = std::unordered_map<View, typename std::list<Entry>::iterator, Hash>;

    void drop(typename Index::iterator found) {
      const auto entry = found->second;
      bytes -= entry->bytes;
      index.erase(found);  // first: its key looks into the entry
      order.erase(entry);
    }

    mutable std::mutex mutex;  // guards: all of it
    std::list<Entry> order;
    Index index;
    std::size_t bytes = 0;
  };

  static std::size_t hash_of(std::string_view repo, std::string_view item) {
    constexpr std::size_t kSpread = 0x9E3779B97F4A7C15;
    return (std::hash<std::string_view>{}(repo)*kSpread) ^ std::hash<std::string_view>{}(item);
  }

  const Epochs& epochs_;
  std::size_t shard_bytes_max_;
  std::array<Shard, kShards> shards_;
  std::atomic<std::uint64_t> hits_{0};
  std::atomic<std::uint64_t> misses_{0};
};

}  // namespace berth::meta
