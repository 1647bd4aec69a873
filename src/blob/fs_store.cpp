#include "blob/fs_store.h"

#include "blob/blob_paths.h"
#include "blob/open_files.h"
#include "io/strand.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <set>

namespace berth::blob {

namespace {

constexpr std::size_t kReadBytes = 256 * 1024;
constexpr std::size_t kPrefetchBytes = 64 * 1024;  // by every thread of the pool at once
constexpr std::uint64_t kReserveFromBytes = 1024 * 1024;
constexpr std::uint64_t kWritebackBytes = 8 * 1024 * 1024;
constexpr const char* kFoldersMark = "blobs/complete";  // an empty folder
constexpr std::array kAlgorithms = {oci::Algorithm::sha256, oci::Algorithm::sha512};

/// Feeds bytes [from, to) of a file to `take`, which returns false to stop.
template <class Take>
Result<void> read_through(io::File& file, std::uint64_t from, std::uint64_t to, Take take,
                          std::size_t buffer_bytes = kReadBytes) {
  std::vector<std::byte> buffer(buffer_bytes);
  while (from < to) {
    const auto want = std::span(buffer).first(std::min<std::uint64_t>(buffer.size(), to - from));
    BERTH_TRY(const std::size_t got, file.read_at(from, want));
    if (got == 0) return fail(Errc::size_invalid, {}, "file is shorter than expected");
    if (!take(std::span<const std::byte>(want.first(got)))) return fail(Errc::unavailable, {}, "stopped");
    from += got;
  }
  return {};
}

}  // namespace

/// Folders whose entries changed since they were last synced.
struct FsStore::Dirty {
  // True from the start: files left by an earlier process may have been created but not synced.
  std::atomic<bool> staging{true};
  std::mutex mutex;  // guards: shards
  std::set<std::string> shards;

  void add_shard(std::string dir) {
    const std::lock_guard lock(mutex);
    shards.insert(std::move(dir));
  }
};

class FsStore::Source final : public io::RandomSource {
 public:
  Source(std::unique_ptr<io::File> file, std::uint64_t size, io::BlockingPool& disk)
      : file_(std::move(file)), size_(size), disk_(disk) {}

  std::uint64_t size_bytes() const override { return size_; }
  int descriptor() const override { return file_->descriptor(); }

  io::Task<Result<void>> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    co_return co_await io::offload(disk_, [this, offset, out]() -> Result<void> {
      BERTH_TRY(const std::size_t got, file_->read_at(offset, out));
      if (got != out.size()) return fail(Errc::corrupt, {}, "blob file is shorter than recorded");
      return {};
    });
  }

  io::Task<Result<void>> prefetch(std::uint64_t offset, std::uint64_t length) override {
    const std::uint64_t end = std::min(offset + length, size_);
    co_return co_await io::offload(disk_, [this, offset, end]() -> Result<void> {
      return read_through(*file_, offset, end, [](std::span<const std::byte>) { return true; }, kPrefetchBytes);
    });
  }

 private:
  std::unique_ptr<io::File> file_;
  std::uint64_t size_;
  io::BlockingPool& disk_;
};

/// The file is created by the first append: a session that is opened and cancelled touches no disk.
class FsStore::StagedUpload final : public Staged, public std::enable_shared_from_this<StagedUpload> {
 public:
  StagedUpload(FsStore& store, std::uint64_t inc) : store_(store), open_count_(store.staged_open_), inc_(inc) {}
  ~StagedUpload() override { close(); }

  io::Ticket<UploadHashes> append(std::uint64_t offset, std::span<const std::byte> bytes,
                                  RunningHashes running) override {
    if (bytes.size() >= kPipelineBytes) return append_in_parts(offset, bytes, std::move(running));
    return io::Ticket<UploadHashes>::start(
        store_.disk_, [self = shared_from_this(), offset, bytes, running]() -> Result<UploadHashes> {
          BERTH_TRYV(self->write(offset, bytes));
          running->update(bytes);
          return *running;
        });
  }

  void rest() override {
    if (open_count_->load(std::memory_order_relaxed) > store_.staged_open_max_) close();
  }

  io::Task<Result<void>> reserve(std::uint64_t total_bytes) override {
    if (total_bytes < kReserveFromBytes) co_return Result<void>{};
    co_return co_await io::offload(store_.disk_, [self = shared_from_this(), total_bytes]() -> Result<void> {
      BERTH_TRYV(self->ensure_open());
      return self->file_->reserve(total_bytes);
    });
  }

  io::Task<Result<void>> truncate(std::uint64_t size_bytes) override {
    co_return co_await io::offload(store_.disk_, [self = shared_from_this(), size_bytes]() -> Result<void> {
      BERTH_TRYV(self->ensure_open());
      if (size_bytes > self->size_bytes_) return fail(Errc::corrupt, {}, "staged file is shorter than the session");
      self->size_bytes_ = size_bytes;
      return self->file_->truncate(size_bytes);
    });
  }

  Result<void> seal(std::uint64_t size_bytes) override {
    BERTH_TRYV(ensure_open());
    BERTH_TRY(const std::uint64_t now, file_->size_bytes());
    if (now < size_bytes) return fail(Errc::corrupt, {}, "staged file is shorter than what was written");
    // Also gives back what reserve() asked for beyond the end.
    BERTH_TRYV(file_->truncate(size_bytes));
    return store_.timed([this] { return file_->sync(); });
  }

  io::Task<Result<crypto::Sha512Sum>> sha512(std::uint64_t size_bytes) override {
    co_return co_await io::offload(
        store_.disk_, [self = shared_from_this(), size_bytes]() -> Result<crypto::Sha512Sum> {
          BERTH_TRYV(self->ensure_open());
          crypto::Sha512 hash;
          BERTH_TRYV(read_through(*self->file_, 0, size_bytes, [&](std::span<const std::byte> bytes) {
            hash.update(bytes);
            return true;
          }));
          return hash.sum();
        });
  }

 private:
  /// An append whose bytes are hashed by one thread while another writes them; whoever is last brings the result.
  struct InParts {
    io::Ticket<UploadHashes>::Promise promise;
    Result<void> written;
    UploadHashes hashes;
    std::atomic<int> parts_left{2};

    void finish_part() {
      if (parts_left.fetch_sub(1) > 1) return;
      if (written) {
        promise.finish(hashes);
      } else {
        promise.finish(fail(std::move(written).error()));
      }
    }
  };

  /// On its own the hash takes twice as long as the write, and one after the other they bound a single upload. So that
  /// neither waits for the other's stragglers, each is a strand of its own.
  io::Ticket<UploadHashes> append_in_parts(std::uint64_t offset, std::span<const std::byte> bytes,
                                           RunningHashes running) {
    if (!writes_) writes_ = std::make_shared<io::Strand>(store_.disk_);
    if (!hashing_) hashing_ = std::make_shared<io::Strand>(store_.disk_);
    auto [ticket, promise] = io::Ticket<UploadHashes>::open();
    const auto step = std::make_shared<InParts>();  // shared: by the two parts
    step->promise = promise;
    const auto hash = [step, bytes, running] {
      running->update(bytes);
      step->hashes = *running;
      step->finish_part();
    };
    // The pool may be full: then the writer hashes, and all behind it, until none of that is left. A refusal also tells
    // that nothing before is being hashed any more.
    const bool is_posted = inline_hashes_ == 0 && hashing_->post(hash);
    if (!is_posted) ++inline_hashes_;
    const bool is_accepted = writes_->post([self = shared_from_this(), step, offset, bytes, is_posted, hash] {
      step->written = self->write(offset, bytes);
      step->finish_part();
      if (is_posted) return;
      hash();
      --self->inline_hashes_;
    });
    if (!is_accepted) {
      step->written = fail(Errc::unavailable, "the server is busy; try again");
      step->finish_part();
      if (!is_posted) {
        step->finish_part();
        --inline_hashes_;
      }
    }
    return std::move(ticket);
  }

  Result<void> write(std::uint64_t offset, std::span<const std::byte> bytes) {
    BERTH_TRYV(ensure_open());
    // A file that vanished under a resumed session comes back empty: bytes behind a hole are not the upload.
    if (offset > size_bytes_) return fail(Errc::corrupt, {}, "staged file is shorter than the session");
    BERTH_TRYV(file_->write_at(offset, bytes));
    size_bytes_ = std::max(size_bytes_, offset + bytes.size());
    start_writeback();
    return {};
  }

  Result<void> ensure_open() {
    if (file_) return {};
    const std::string path = staged_path(inc_);
    auto opened = store_.files_.open(path, io::FileSystem::Mode::read_write);
    if (!opened && opened.error().code == Errc::file_unknown) {
      opened = store_.files_.open(path, io::FileSystem::Mode::create_new);
      if (opened) store_.dirty_->staging = true;
    }
    BERTH_TRY(auto file, std::move(opened));
    BERTH_TRY(size_bytes_, file->size_bytes());
    file_ = std::move(file);
    open_count_->fetch_add(1, std::memory_order_relaxed);
    return {};
  }
  /// A long upload reaches the disk while it comes in: its seal waits for the last stretch instead of all of it.
  void start_writeback() {
    if (size_bytes_ < written_back_ + kWritebackBytes) return;
    file_->start_writeback(written_back_, size_bytes_ - written_back_);
    written_back_ = size_bytes_;
  }
  void close() {
    if (!file_) return;
    file_.reset();
    open_count_->fetch_sub(1, std::memory_order_relaxed);
  }

  FsStore& store_;
  std::shared_ptr<std::atomic<std::size_t>> open_count_;
  std::uint64_t inc_;
  std::unique_ptr<io::File> file_;
  std::uint64_t size_bytes_ = 0;    // of the file, as far as it was written without gaps
  std::uint64_t written_back_ = 0;  // up to here it is on its way to the disk
  // Of appends in parts; made by the first.
  std::shared_ptr<io::Strand> writes_;
  std::shared_ptr<io::Strand> hashing_;
  std::atomic<int> inline_hashes_{0};
};

FsStore::FsStore(io::FileSystem& files, io::BlockingPool& disk, OpenFiles open_files, SyncObserver observer)
    : files_(files),
      disk_(disk),
      observer_(observer),
      staged_open_max_(open_files.staged_max),
      open_files_(std::make_unique<OpenFileCache>(open_files.read_max)),
      dirty_(std::make_unique<Dirty>()) {}

FsStore::~FsStore() = default;

void FsStore::note_staged() { dirty_->staging = true; }

Result<std::unique_ptr<FsStore>> FsStore::open_store(io::FileSystem& files, io::BlockingPool& disk,
                                                     OpenFiles open_files, SyncObserver observer) {
  std::unique_ptr<FsStore> store(new FsStore(files, disk, open_files, observer));
  // All folders exist from the start, so that no request ever waits for a mkdir. The mark is made once they are
  // durable.
  if (files.open(kFoldersMark, io::FileSystem::Mode::read).has_value()) return store;
  for (const char* dir : {kUploadsDir, kQuarantineDir, "blobs", "blobs/sha256", "blobs/sha512"}) {
    BERTH_TRYV(files.make_dir(dir));
  }
  for (const oci::Algorithm algorithm : kAlgorithms) {
    for (unsigned shard = 0; shard < 256; ++shard) BERTH_TRYV(files.make_dir(shard_dir(algorithm, shard)));
  }
  for (const char* dir : {"blobs/sha256", "blobs/sha512", "blobs", "."}) BERTH_TRYV(files.sync_dir(dir));
  BERTH_TRYV(files.make_dir(kFoldersMark));
  return store;
}

Result<std::unique_ptr<io::File>> FsStore::open_bytes(const BlobKey& key) {
  // Placement may happen between two attempts: final, staged, final again covers every order.
  const std::string final = final_path(key);
  auto opened = files_.open(final, io::FileSystem::Mode::read);
  if (!opened && opened.error().code == Errc::file_unknown)
    opened = files_.open(staged_path(key.inc), io::FileSystem::Mode::read);
  if (!opened && opened.error().code == Errc::file_unknown) opened = files_.open(final, io::FileSystem::Mode::read);
  return opened;
}

io::Task<Result<std::shared_ptr<io::RandomSource>>> FsStore::open(BlobKey key, std::uint64_t size_bytes) {
  if (auto hot = open_files_->find(key.inc)) co_return hot;
  co_return co_await io::offload(disk_, [this, key, size_bytes]() -> Result<std::shared_ptr<io::RandomSource>> {
    BERTH_TRY(auto file, open_bytes(key));
    BERTH_TRY(const std::uint64_t size, file->size_bytes());
    if (size != size_bytes) {
      return fail(Errc::corrupt, {},
                  final_path(key) + " has " + std::to_string(size) + " bytes, not " + std::to_string(size_bytes));
    }
    std::shared_ptr<io::RandomSource> source = std::make_shared<Source>(std::move(file), size, disk_);
    open_files_->put(key.inc, source);
    return source;
  });
}

std::shared_ptr<io::RandomSource> FsStore::find_open(const BlobKey& key) { return open_files_->find(key.inc); }

std::shared_ptr<Staged> FsStore::begin(std::uint64_t inc) { return std::make_shared<StagedUpload>(*this, inc); }

void FsStore::place(BlobKey key, std::move_only_function<void(const Error&)> on_failure) {
  disk_.post([this, key, on_failure = std::move(on_failure)]() mutable {
    if (const auto placed = ensure_placed(key); !placed) on_failure(placed.error());
  });
}

io::Task<Result<void>> FsStore::discard(std::uint64_t inc) {
  co_return co_await io::offload(disk_, [this, inc] { return remove_staged(inc); });
}

Result<void> FsStore::sync_staging() {
  if (!dirty_->staging.exchange(false)) return {};
  auto done = timed([this] { return files_.sync_dir(kUploadsDir); });
  if (!done) dirty_->staging = true;
  return done;
}

Result<void> FsStore::timed(const std::function<Result<void>()>& sync) const {
  if (observer_.durations == nullptr) return sync();
  const std::int64_t began_us = observer_.clock->mono_us();
  auto done = sync();
  observer_.durations->observe_us(observer_.clock->mono_us() - began_us);
  return done;
}

Result<void> FsStore::settle() {
  std::set<std::string> shards;
  {
    const std::lock_guard lock(dirty_->mutex);
    shards.swap(dirty_->shards);
  }
  Result<void> done;
  for (const std::string& dir : shards) {
    if (done) done = files_.sync_dir(dir);
    if (!done) dirty_->add_shard(dir);
  }
  if (done && !shards.empty()) done = files_.sync_dir(kUploadsDir);
  return done;
}

Result<void> FsStore::ensure_placed(const BlobKey& key) {
  auto done = files_.rename(staged_path(key.inc), final_path(key));
  if (!done && done.error().code == Errc::file_unknown) {
    // Somebody else placed it, or recovery finds it placed: then the final name exists.
    BERTH_TRYV(files_.open(final_path(key), io::FileSystem::Mode::read));
    done = {};
  }
  if (done) dirty_->add_shard(shard_dir(key));
  return done;
}

Result<std::vector<BlobMaintenance::StagedFile>> FsStore::list_staged() {
  BERTH_TRY(const auto entries, files_.list(kUploadsDir));
  std::vector<StagedFile> out;
  for (const auto& entry : entries) {
    if (const auto inc = parse_inc(entry.name)) out.push_back({*inc, entry.size_bytes});
  }
  return out;
}

Result<void> FsStore::remove_staged(std::uint64_t inc) {
  auto done = files_.unlink(staged_path(inc));
  if (!done && done.error().code == Errc::file_unknown) return {};
  return done;
}

Result<void> FsStore::remove(const BlobKey& key) {
  open_files_->drop(key.inc);
  BERTH_TRYV(remove_staged(key.inc));
  auto done = files_.unlink(final_path(key));
  if (!done && done.error().code == Errc::file_unknown) return {};
  return done;
}

Result<void> FsStore::quarantine(const BlobKey& key) {
  open_files_->drop(key.inc);
  auto done = files_.rename(final_path(key), quarantine_path(key));
  if (!done && done.error().code == Errc::file_unknown)
    done = files_.rename(staged_path(key.inc), quarantine_path(key));
  if (!done && done.error().code == Errc::file_unknown) return {};
  return done;
}

Result<BlobMaintenance::Content> FsStore::inspect(const BlobKey& key, const Pace* pace) {
  auto opened = open_bytes(key);
  if (!opened && opened.error().code == Errc::file_unknown) return Content{};
  BERTH_TRY(auto file, std::move(opened));
  Content content;
  content.present = true;
  BERTH_TRY(content.size_bytes, file->size_bytes());
  if (pace == nullptr) return content;
  crypto::Sha256 sha256;
  crypto::Sha512 sha512;
  const bool wide = key.digest.algorithm() == oci::Algorithm::sha512;
  BERTH_TRYV(read_through(*file, 0, content.size_bytes, [&](std::span<const std::byte> bytes) {
    if (wide) {
      sha512.update(bytes);
    } else {
      sha256.update(bytes);
    }
    return (*pace)(bytes.size());
  }));
  content.digest_matches = key.digest == (wide ? oci::Digest::sha512(sha512.sum()) : oci::Digest::sha256(sha256.sum()));
  return content;
}

Result<std::vector<BlobMaintenance::StoredFile>> FsStore::list_shard(oci::Algorithm algorithm, unsigned shard) {
  BERTH_TRY(const auto entries, files_.list(shard_dir(algorithm, shard)));
  std::vector<StoredFile> out;
  for (const auto& entry : entries) {
    if (const auto key = parse_final_name(algorithm, entry.name))
      out.push_back({*key, entry.modified_ms, entry.size_bytes});
  }
  return out;
}

Result<std::uint64_t> FsStore::rehash_staged(std::uint64_t inc, std::uint64_t from_bytes, UploadHashes& hashes,
                                             const Pace* pace) {
  auto opened = files_.open(staged_path(inc), io::FileSystem::Mode::read);
  if (!opened && opened.error().code == Errc::file_unknown && from_bytes == 0) return 0;
  BERTH_TRY(auto file, std::move(opened));
  BERTH_TRY(const std::uint64_t size, file->size_bytes());
  if (size < from_bytes) return fail(Errc::size_invalid, {}, "staged file is shorter than recorded");
  BERTH_TRYV(read_through(*file, from_bytes, size, [&](std::span<const std::byte> bytes) {
    hashes.update(bytes);
    return pace == nullptr || (*pace)(bytes.size());
  }));
  return size;
}

}  // namespace berth::blob
