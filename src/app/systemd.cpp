#include "app/systemd.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <optional>

namespace berth::app {

namespace {

constexpr int kFirstDescriptor = 3;  // sd_listen_fds(3)

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

std::optional<long> parse_number(const std::string& text) {
  long value = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc{} || at != end) return std::nullopt;
  return value;
}

}  // namespace

Result<std::vector<InheritedSocket>> take_inherited_sockets() {
  const std::string pid = variable("LISTEN_PID");
  const std::string count = variable("LISTEN_FDS");
  std::string names = variable("LISTEN_FDNAMES");
  for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) ::unsetenv(name);
  std::vector<InheritedSocket> out;
  if (pid.empty() || count.empty()) return out;
  const auto owner = parse_number(pid);
  const auto sockets = parse_number(count);
  constexpr long kSocketsMax = 1000;
  if (!owner || !sockets || *sockets < 0 || *sockets > kSocketsMax)
    return fail(Errc::parameter_invalid, "LISTEN_PID and LISTEN_FDS are not numbers that make sense");
  if (*owner != ::getpid()) return out;  // meant for a parent
  for (int i = 0; i < static_cast<int>(*sockets); ++i) {
    const std::size_t colon = names.find(':');
    const int descriptor = kFirstDescriptor + i;
    ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
    out.push_back({descriptor, names.substr(0, colon)});
    names = colon == std::string::npos ? "" : names.substr(colon + 1);
  }
  return out;
}

void notify_service_manager(std::string_view state) {
  const std::string path = variable("NOTIFY_SOCKET");
  ::sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path || (path[0] != '/' && path[0] != '@')) return;
  std::memcpy(address.sun_path, path.data(), path.size());
  if (path[0] == '@') address.sun_path[0] = '\0';  // an abstract socket
  const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (socket < 0) return;
  const auto length = static_cast<::socklen_t>(offsetof(::sockaddr_un, sun_path) + path.size());
  static_cast<void>(::sendto(socket, state.data(), state.size(), MSG_NOSIGNAL,
                             reinterpret_cast<const ::sockaddr*>(&address), length));
  ::close(socket);
}

}  // namespace berth::app
