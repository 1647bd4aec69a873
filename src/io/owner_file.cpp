#include "io/owner_file.h"

#include "io/file_descriptor.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace berth::io {

namespace {

std::unexpected<Error> cannot(const char* verb, const std::string& path) {
  return fail(Errc::io_failed, std::string("cannot ") + verb + " " + path + ": " + std::strerror(errno));
}

}  // namespace

Result<void> sync_folder(const std::string& path) {
  const FileDescriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0 || ::fsync(folder.get()) != 0) return cannot("sync", path);
  return {};
}

Result<void> replace_owner_file(const std::string& path, std::string_view text) {
  const std::string draft = path + ".new";
  ::unlink(draft.c_str());  // one that is there may be open to others
  {
    const FileDescriptor file(::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (file.get() < 0) return cannot("create", draft);
    if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) || ::fsync(file.get()) != 0)
      return cannot("write", draft);
  }
  if (::rename(draft.c_str(), path.c_str()) != 0) return cannot("replace", path);
  const std::size_t slash = path.rfind('/');
  return sync_folder(slash == std::string::npos ? "." : path.substr(0, slash));
}

}  // namespace berth::io
