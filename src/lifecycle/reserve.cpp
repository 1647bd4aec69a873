#include "lifecycle/reserve.h"

#include <algorithm>
#include <vector>

namespace berth::lifecycle {

namespace {

constexpr std::size_t kFillBytes = 1024 * 1024;
constexpr std::uint64_t kSamples = 16;

/// Bytes that no file system stores in less room: never zero, so that no copy leaves holes for them, and in no order a
/// compressor would find.
class Noise {
 public:
  void fill(std::span<std::byte> out) {
    for (std::byte& b : out) {
      state_ ^= state_ << 13;
      state_ ^= state_ >> 7;
      state_ ^= state_ << 17;
      b = static_cast<std::byte>((state_ >> 32) | 1);
    }
  }

 private:
  std::uint64_t state_ = 0x9e3779b97f4a7c15;
};

/// There are file systems that cannot reserve, and pretend; what is written takes its room everywhere.
Result<void> write_full(io::File& file, std::uint64_t size_bytes) {
  Noise noise;
  std::vector<std::byte> piece(std::min<std::uint64_t>(kFillBytes, size_bytes));
  for (std::uint64_t at = 0; at < size_bytes; at += piece.size()) {
    piece.resize(std::min<std::uint64_t>(piece.size(), size_bytes - at));
    noise.fill(piece);
    BERTH_TRYV(file.write_at(at, piece));
  }
  return file.sync();
}

/// For a file system that does not tell what a file takes: whether it was filled, by a few looks at its bytes. Else it
/// would be filled anew each time.
Result<bool> looks_filled(io::File& file, std::uint64_t size_bytes) {
  BERTH_TRY(const std::uint64_t now, file.size_bytes());
  if (now < size_bytes) return false;
  for (std::uint64_t i = 0; i < kSamples; ++i) {
    std::byte sample{0};
    BERTH_TRYV(file.read_at(size_bytes / kSamples * i, std::span(&sample, 1)));
    if (sample == std::byte{0}) return false;
  }
  return true;
}

/// Whether it really takes its room: a copied data folder has a ballast of the right name with nothing in it.
Result<bool> takes_room(io::File& file, std::uint64_t size_bytes) {
  BERTH_TRY(const std::uint64_t allocated, file.allocated_bytes());
  if (allocated >= size_bytes) return true;
  return looks_filled(file, size_bytes);
}

Result<void> make_ballast(io::FileSystem& files, std::uint64_t size_bytes) {
  BERTH_TRY(const auto file, files.open(kBallastPath, io::FileSystem::Mode::create_new));
  BERTH_TRYV(file->reserve(size_bytes));
  BERTH_TRY(const bool reserved, takes_room(*file, size_bytes));
  if (reserved) return {};
  return write_full(*file, size_bytes);
}

}  // namespace

Result<bool> ensure_ballast(io::FileSystem& files) {
  BERTH_TRY(const io::Space space, files.space());
  const std::uint64_t size = ballast_bytes(space.total_bytes);
  if (const auto old = files.open(kBallastPath, io::FileSystem::Mode::read)) {
    BERTH_TRY(const bool whole, takes_room(**old, size));
    if (whole) return true;
  }
  if (space.free_bytes < 2 * size) return false;
  BERTH_TRYV(drop_ballast(files));
  if (auto done = make_ballast(files, size); !done) {
    (void)drop_ballast(files);
    return fail(std::move(done).error());
  }
  return true;
}

Result<void> drop_ballast(io::FileSystem& files) {
  auto done = files.unlink(kBallastPath);
  if (!done && done.error().code == Errc::file_unknown) return {};
  return done;
}

}  // namespace berth::lifecycle
