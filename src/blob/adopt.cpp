#include "blob/adopt.h"

#include "blob/blob_paths.h"

#include <optional>
#include <utility>

namespace berth::blob {

namespace {

constexpr std::size_t kReadBytes = 1024 * 1024;

/// Hashes a file with the algorithm of a digest.
class Hasher {
 public:
  explicit Hasher(oci::Algorithm algorithm) : algorithm_(algorithm) {}
  void update(std::span<const std::byte> bytes) {
    if (algorithm_ == oci::Algorithm::sha256) {
      sha256_.update(bytes);
    } else {
      sha512_.update(bytes);
    }
  }
  oci::Digest sum() {
    return algorithm_ == oci::Algorithm::sha256 ? oci::Digest::sha256(sha256_.sum())
                                                : oci::Digest::sha512(sha512_.sum());
  }

 private:
  oci::Algorithm algorithm_;
  crypto::Sha256 sha256_;
  crypto::Sha512 sha512_;
};

struct Read {
  oci::Digest digest;
  std::uint64_t size_bytes = 0;
};

/// Reads `source` to its end; `to`, if given, becomes a copy of it.
Result<Read> read_all(io::File& source, oci::Algorithm algorithm, io::File* to, const BlobMaintenance::Pace& pace) {
  std::vector<std::byte> buffer(kReadBytes);
  Hasher hasher(algorithm);
  for (std::uint64_t offset = 0;;) {
    const auto got = source.read_at(offset, buffer);
    // Not the store's trouble: whoever takes many files goes on with the next.
    if (!got) return fail(Errc::corrupt, "its file cannot be read", got.error().cause);
    if (*got == 0) return Read{hasher.sum(), offset};
    const auto bytes = std::span<const std::byte>(buffer).first(*got);
    hasher.update(bytes);
    if (to != nullptr) BERTH_TRYV(to->write_at(offset, bytes));
    offset += *got;
    if (!pace(*got)) return fail(Errc::unavailable, {}, "stopped");
  }
}

Result<void> check(const Read& read, const oci::Digest& expected) {
  if (read.digest == expected) return {};
  return fail(Errc::digest_mismatch, "its bytes hash to " + read.digest.str());
}

AdoptMethod next_after(AdoptMethod method) {
  return method == AdoptMethod::hard_link ? AdoptMethod::reflink : AdoptMethod::copy;
}

}  // namespace

std::string_view to_string(AdoptMethod method) {
  switch (method) {
    case AdoptMethod::hard_link: return "hard link";
    case AdoptMethod::reflink: return "reflink";
    case AdoptMethod::copy: return "copy";
  }
  return {};
}

/// A staged file that goes away again unless it is kept.
struct Adopter::Staging {
  Staging(io::FileSystem& f, FsStore& s, std::uint64_t inc) : files(f), store(s), path(staged_path(inc)) {}
  ~Staging() {
    file.reset();
    if (made && !kept) (void)files.unlink(path);
  }
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  Result<void> create() {
    if (file) return {};
    BERTH_TRY(file, files.open(path, io::FileSystem::Mode::create_new));
    note();
    return {};
  }
  Result<void> link(const io::File& source) {
    BERTH_TRYV(files.link(source, path));
    note();
    return {};
  }
  void note() {
    made = true;
    store.note_staged();
  }

  io::FileSystem& files;
  FsStore& store;
  std::string path;
  std::unique_ptr<io::File> file;  // not of a hard link: those bytes are not ours to write
  bool made = false;
  bool kept = false;
};

std::string Adopter::why_not_first() const {
  const std::lock_guard lock(mutex_);
  return why_;
}

Result<void> Adopter::step_down(AdoptMethod from, const Error& error) {
  if (error.code == Errc::file_unknown) return fail(Errc::corrupt, "its file was removed meanwhile", error.cause);
  if (error.code != Errc::unsupported || fallback_ == Fallback::refused) return fail(Error(error));
  AdoptMethod expected = from;
  if (!method_.compare_exchange_strong(expected, next_after(from))) return {};  // another thread was told the same
  const std::lock_guard lock(mutex_);
  if (why_.empty()) why_ = error.message;
  return {};
}

/// Makes the staged file by the best method that works; with `copy` it is empty still.
Result<AdoptMethod> Adopter::stage(io::File& source, Staging& staging) {
  for (;;) {
    const AdoptMethod method = method_.load();
    Result<void> done;
    if (method == AdoptMethod::hard_link) done = staging.link(source);
    if (method != AdoptMethod::hard_link) BERTH_TRYV(staging.create());
    if (method == AdoptMethod::reflink) done = staging.file->clone_from(source);
    if (done) return method;
    BERTH_TRYV(step_down(method, done.error()));
  }
}

Result<AdoptMethod> Adopter::probe(io::File& source, std::uint64_t inc) {
  Staging staging(files_, store_, inc);
  return stage(source, staging);
}

Result<Adopter::Adopted> Adopter::adopt(io::File& source, const BlobKey& key, const BlobMaintenance::Pace& pace) {
  const oci::Algorithm algorithm = key.digest.algorithm();
  Staging staging(files_, store_, key.inc);
  std::optional<Read> read;
  if (method() == AdoptMethod::hard_link) {
    // Before it gets a second name: a run that ends here leaves nothing to clean up.
    BERTH_TRY(read, read_all(source, algorithm, nullptr, pace));
    BERTH_TRYV(check(*read, key.digest));
  }
  BERTH_TRY(const AdoptMethod used, stage(source, staging));
  if (used == AdoptMethod::reflink) {
    BERTH_TRY(read, read_all(*staging.file, algorithm, nullptr, pace));
  } else if (used == AdoptMethod::copy) {
    BERTH_TRY(read, read_all(source, algorithm, staging.file.get(), pace));
  }
  BERTH_TRYV(check(*read, key.digest));
  // Also of a hard link: nobody says that the other registry waited for the disk.
  BERTH_TRYV((used == AdoptMethod::hard_link ? source : *staging.file).sync());
  staging.kept = true;
  return Adopted{used, read->size_bytes};
}

}  // namespace berth::blob
