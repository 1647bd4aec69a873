#include "client/private_file.h"

#include "base/json_edit.h"
#include "client/credential_key.h"
#include "io/file_descriptor.h"
#include "io/owner_file.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace berth::client {

namespace {

namespace fs = std::filesystem;

std::unexpected<Error> cannot(const char* verb, const std::string& path) {
  return fail(Errc::io_failed, std::string("cannot ") + verb + " " + path + ": " + std::strerror(errno));
}

}  // namespace

std::string read_private_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

Result<std::string> edit_private_json(const std::string& path, std::span<const std::string> members,
                                      std::string_view json, const CredentialKey* key) {
  std::error_code error;
  fs::create_directories(fs::path(path).parent_path(), error);
  if (error) return fail(Errc::io_failed, "cannot create the folder of " + path + ": " + error.message());
  const std::string lock_path = path + ".berth-lock";
  const io::FileDescriptor lock(::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (lock.get() < 0 || ::flock(lock.get(), LOCK_EX) != 0) return cannot("lock", path);
  BERTH_TRY(const auto before, unsealed(read_private_file(path), key));
  BERTH_TRY(auto changed, edit_json(before, members, json));
  BERTH_TRYV(io::replace_owner_file(path, key != nullptr ? key->seal(changed) : changed));
  return changed;
}

}  // namespace berth::client
