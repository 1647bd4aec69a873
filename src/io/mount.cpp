#include "io/mount.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <cerrno>
#include <cstring>

namespace berth::io {

namespace {

std::unexpected<Error> failed(const char* call, const std::string& path) {
  const Errc code = errno == ENOENT ? Errc::file_unknown : Errc::io_failed;
  return fail(code, {}, std::string(call) + " " + path + ": " + std::strerror(errno));
}

}  // namespace

Result<Mount> find_mount(const std::string& path) {
  struct statx found{};
  if (::statx(AT_FDCWD, path.c_str(), 0, STATX_MNT_ID, &found) != 0) return failed("statx", path);
  struct statfs kind{};
  if (::statfs(path.c_str(), &kind) != 0) return failed("statfs", path);
  Mount out;
  out.device = (std::uint64_t{found.stx_dev_major} << 32) | found.stx_dev_minor;
  if ((found.stx_mask & STATX_MNT_ID) != 0) out.id = found.stx_mnt_id;
  out.magic = static_cast<std::uint64_t>(kind.f_type);
  return out;
}

}  // namespace berth::io
