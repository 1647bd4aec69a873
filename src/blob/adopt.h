#pragma once
// Takes a file that somebody else keeps into the store: as a hard link or a clone if the disk can, else as a copy. Its
// bytes are read and hashed either way, and what is staged is durable as an upload is that was sealed. The source is
// only read.

#include "blob/fs_store.h"

#include <atomic>

namespace berth::blob {

enum class AdoptMethod : std::uint8_t { hard_link, reflink, copy };
std::string_view to_string(AdoptMethod method);

class Adopter {
 public:
  enum class Fallback : std::uint8_t { allowed, refused };

  /// `first`: the method to begin with; what the disk refuses is not tried again, and the next one takes its place if
  /// `fallback` allows. Both must outlive it.
  Adopter(io::FileSystem& files, FsStore& store, AdoptMethod first, Fallback fallback)
      : files_(files), store_(store), method_(first), fallback_(fallback) {}

  /// Finds out with one file what the disk can do, and forgets the file again. Errors: unsupported with a reason, if
  /// there is no fallback; no_space, io_failed.
  Result<AdoptMethod> probe(io::File& source, std::uint64_t inc);

  struct Adopted {
    AdoptMethod method = AdoptMethod::copy;
    std::uint64_t size_bytes = 0;
  };
  /// Stages the source's bytes under key.inc, to be placed after the commit. Thread-safe, each source from one thread.
  /// Errors, with nothing staged: digest_mismatch (`message`: what it hashes to); corrupt (the source cannot be read);
  /// unsupported; unavailable (`pace` said stop); no_space, io_failed (the store).
  Result<Adopted> adopt(io::File& source, const BlobKey& key, const BlobMaintenance::Pace& pace);

  AdoptMethod method() const { return method_.load(); }
  /// Why the method is not the first one; empty if it is.
  std::string why_not_first() const;

 private:
  struct Staging;
  Result<AdoptMethod> stage(io::File& source, Staging& staging);
  Result<void> step_down(AdoptMethod from, const Error& error);

  io::FileSystem& files_;
  FsStore& store_;
  std::atomic<AdoptMethod> method_;
  Fallback fallback_;
  mutable std::mutex mutex_;  // guards: why_
  std::string why_;
};

}  // namespace berth::blob
