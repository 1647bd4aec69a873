#pragma once
// Hashing a buffer while another thread writes it: on its own the hash takes twice as long as the write, one after the
// other they bound a single upload. Whoever comes first does it, a second thread of the pool or the writer itself after
// its write; so nobody waits for work that has not begun, however busy the pool is.

#include "blob/upload_hashes.h"
#include "io/blocking_pool.h"

#include <atomic>
#include <latch>
#include <memory>

namespace berth::blob {

class HashAside {
 public:
  HashAside(const UploadHashes& hashes, std::span<const std::byte> bytes) : hashes_(hashes), bytes_(bytes) {}

  /// `bytes` must live until take().
  static std::shared_ptr<HashAside> start(io::BlockingPool& pool, const UploadHashes& hashes,
                                          std::span<const std::byte> bytes) {
    // shared: a job that comes too late still looks at it.
    auto aside = std::make_shared<HashAside>(hashes, bytes);
    (void)pool.post([aside] { aside->run_unless_taken(); });  // refused: the writer does it
    return aside;
  }

  /// The hashes with the bytes in them. Nothing looks at the bytes any more.
  const UploadHashes& take() {
    run_unless_taken();
    done_.wait();
    return hashes_;
  }

 private:
  void run_unless_taken() {
    if (taken_.exchange(true)) return;
    hashes_.update(bytes_);
    done_.count_down();
  }

  UploadHashes hashes_;
  std::span<const std::byte> bytes_;
  std::atomic<bool> taken_{false};
  std::latch done_{1};
};

}  // namespace berth::blob
