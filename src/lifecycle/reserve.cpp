#include "lifecycle/reserve.h"

namespace berth::lifecycle {

Result<bool> ensure_ballast(io::FileSystem& files) {
  if (files.open(kBallastPath, io::FileSystem::Mode::read).has_value()) return true;
  BERTH_TRY(const io::Space space, files.space());
  const std::uint64_t size = ballast_bytes(space.total_bytes);
  if (space.free_bytes < 2 * size) return false;
  BERTH_TRY(const auto file, files.open(kBallastPath, io::FileSystem::Mode::create_new));
  if (auto done = file->reserve(size); !done) {
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
