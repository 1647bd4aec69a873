#include "client/keychain.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/json_text.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

extern char** environ;  // NOLINT: POSIX's own name

namespace berth::client {

namespace {

constexpr std::string_view kOwnHelper = "docker-credential-berth";
constexpr int kTimeoutMs = 10'000;
constexpr std::size_t kAnswerMax = 1024 * 1024;

struct Ended {
  int code = -1;
  std::string output;
};

/// Both ends of a pipe, closed in the program that is started unless it is given one of them.
class Pipe {
 public:
  Pipe() {
    if (::pipe2(ends_.data(), O_CLOEXEC) != 0) ends_ = {-1, -1};
  }
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  int read_end() const { return ends_[0]; }
  int write_end() const { return ends_[1]; }
  void close_end(std::size_t which) {
    if (ends_[which] >= 0) ::close(ends_[which]);
    ends_[which] = -1;
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

/// Waits until there is something to read, or the time is up: then false.
bool wait_for(int fd, const Clock& clock, std::int64_t end_ms) {
  for (;;) {
    const std::int64_t left_ms = end_ms - clock.mono_ms();
    if (left_ms <= 0) return false;
    pollfd ready{.fd = fd, .events = POLLIN, .revents = 0};
    const int count = ::poll(&ready, 1, static_cast<int>(left_ms));
    if (count > 0) return true;
    if (count < 0 && errno != EINTR) return false;
  }
}

std::string read_until_end(int fd, const Clock& clock, std::int64_t end_ms) {
  std::string out;
  std::array<char, 4096> buffer{};
  while (wait_for(fd, clock, end_ms)) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got <= 0 || out.size() > kAnswerMax) return out;
    out.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return out;
}

/// Its status; nullopt: it had to be ended.
std::optional<int> wait_for_end(pid_t pid, const Clock& clock, std::int64_t end_ms) {
  // glibc 2.36 has no more than the number.
  const int handle = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  const bool has_ended = handle >= 0 && wait_for(handle, clock, end_ms);
  if (handle >= 0) ::close(handle);
  if (!has_ended) ::kill(pid, SIGKILL);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return has_ended ? std::optional(status) : std::nullopt;
}

Result<Ended> run(const std::string& program, const char* verb, const std::string& input) {
  Pipe in;
  Pipe out;
  if (in.read_end() < 0 || out.read_end() < 0) return fail(Errc::unavailable, {}, "pipe");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.read_end(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out.write_end(), STDOUT_FILENO);
  std::string name = program;
  std::string word = verb;
  std::array<char*, 3> arguments = {name.data(), word.data(), nullptr};
  pid_t pid = 0;
  int failed = ::posix_spawnp(&pid, program.c_str(), &actions, nullptr, arguments.data(), environ);
  // Docker needs the link on the PATH; we are that program, by whatever name we were started.
  if (failed == ENOENT && program == kOwnHelper)
    failed = ::posix_spawn(&pid, "/proc/self/exe", &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) {
    return fail(Errc::unavailable, "the credential helper " + program + " does not start: " + std::strerror(failed) +
                                       "; install it, or take it out of docker's config.json");
  }
  in.close_end(0);
  out.close_end(1);
  std::signal(SIGPIPE, SIG_IGN);
  (void)!::write(in.write_end(), input.data(), input.size());
  in.close_end(1);
  const SystemClock clock;
  const std::int64_t end_ms = clock.mono_ms() + kTimeoutMs;
  Ended ended;
  ended.output = read_until_end(out.read_end(), clock, end_ms);
  const auto status = wait_for_end(pid, clock, end_ms);
  if (!status) return fail(Errc::unavailable, "the credential helper " + program + " does not answer");
  ended.code = WIFEXITED(*status) ? WEXITSTATUS(*status) : -1;
  return ended;
}

std::string program_of(std::string_view helper) { return "docker-credential-" + std::string(helper); }

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
  return text;
}

std::unexpected<Error> failed(std::string_view helper, const Ended& ended) {
  return fail(Errc::unavailable, "the credential helper " + program_of(helper) + " failed: " + trimmed(ended.output));
}

}  // namespace

std::string helper_json(std::string_view host, const Credentials& credentials) {
  std::string out = "{\"ServerURL\":" + json_string(host);
  append_json_member(out, "Username", credentials.is_identity_token ? "<token>" : std::string_view(credentials.user));
  append_json_member(out, "Secret", std::string_view(credentials.secret));
  return out + "}";
}

Result<std::pair<std::string, Credentials>> parse_helper_json(std::string_view text) {
  const auto parsed = json::parse(text);
  if (!parsed || parsed->text("Secret").empty())
    return fail(Errc::parameter_invalid, "that is not what a credential helper is given");
  const std::string& user = parsed->text("Username");
  return std::pair(parsed->text("ServerURL"),
                   Credentials{.user = user, .secret = parsed->text("Secret"), .is_identity_token = user == "<token>"});
}

Result<std::optional<Credentials>> ask_helper(std::string_view helper, std::string_view host) {
  BERTH_TRY(const Ended ended, run(program_of(helper), "get", std::string(host)));
  if (ended.code != 0 && ended.output.find(kNotInKeychain) != std::string::npos) return std::nullopt;
  if (ended.code != 0) return failed(helper, ended);
  auto parsed = parse_helper_json(ended.output);
  if (!parsed) return failed(helper, ended);
  return std::optional(std::move(parsed->second));
}

Result<void> tell_helper(std::string_view helper, std::string_view host, const Credentials& credentials) {
  BERTH_TRY(const Ended ended, run(program_of(helper), "store", helper_json(host, credentials)));
  if (ended.code != 0) return failed(helper, ended);
  return {};
}

Result<bool> helper_knows(std::string_view helper, std::string_view host) {
  BERTH_TRY(const Ended ended, run(program_of(helper), "list", ""));
  if (ended.code != 0) return failed(helper, ended);
  BERTH_TRY(const auto parsed, json::parse(ended.output));
  if (!parsed.is(json::Value::Kind::object)) return failed(helper, ended);
  return std::ranges::any_of(parsed.object(), [&](const auto& entry) { return config_key(entry.first) == host; });
}

Result<void> erase_from_helper(std::string_view helper, std::string_view host) {
  BERTH_TRY(const Ended ended, run(program_of(helper), "erase", std::string(host)));
  if (ended.code != 0 && ended.output.find(kNotInKeychain) == std::string::npos) return failed(helper, ended);
  return {};
}

}  // namespace berth::client
