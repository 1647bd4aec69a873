// berth serve: the registry.

#include "app/config_load.h"
#include "app/data_dir.h"
#include "app/descriptors.h"
#include "app/server.h"
#include "app/systemd.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/serve_flags.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>

namespace berth::cli {

namespace {

std::string url_of(const app::ServeConfig& config, const app::ListenAddress& address, std::uint16_t port) {
  if (address.kind != app::ListenAddress::Kind::tcp) return to_text(address);
  const bool v6 = address.host.find(':') != std::string::npos;
  const std::string host = v6 ? "[" + address.host + "]" : address.host;
  return (uses_tls(config, address) ? "https://" : "http://") + host + ":" + std::to_string(port);
}

/// How a client on this machine names the registry: host and port, without a scheme.
std::string name_for_clients(const app::ServeConfig& config, std::uint16_t port) {
  if (!config.external_url.empty()) return config.external_url.substr(config.external_url.find("://") + 3);
  const auto tcp = std::ranges::find(config.listen, app::ListenAddress::Kind::tcp, &app::ListenAddress::kind);
  if (tcp == config.listen.end()) return "";
  const bool everywhere = tcp->host == "0.0.0.0" || tcp->host == "::";
  if (is_local(*tcp) || everywhere) return "localhost:" + std::to_string(port);
  const bool v6 = tcp->host.find(':') != std::string::npos;
  return (v6 ? "[" + tcp->host + "]" : tcp->host) + ":" + std::to_string(port);
}

void print_welcome(const app::Server& server) {
  const auto& config = server.config();
  for (std::size_t i = 0; i < config.listen.size(); ++i) {
    std::printf("berth: listening on %s  data %s\n", url_of(config, config.listen[i], server.ports()[i]).c_str(),
                config.data_dir.c_str());
  }
  if (config.metrics == app::MetricsMode::own_address)
    std::printf("berth: metrics on %s/metrics\n", url_of(config, config.metrics_listen, server.metrics_port()).c_str());
  if (!config.anonymous && !server.has_accounts()) {
    std::printf("berth: no account exists yet, so everybody on this machine may push and pull\n");
  } else if (config.anonymous == api::Anonymous::write) {
    std::printf("berth: everybody who reaches this address may push and pull%s (--anonymous=write)\n",
                server.has_accounts() ? " where nobody owns the namespace" : "");
  }
  const std::string name = name_for_clients(config, server.port());
  if (!server.setup_secret().empty() && !name.empty()) {
    std::printf("berth: create the first administrator, within an hour: %s://%s/setup#%s\n",
                config.tls_certificates.empty() ? "http" : "https", name.c_str(), server.setup_secret().c_str());
  }
  if (!name.empty()) {
    const bool tls = !config.tls_certificates.empty();
    std::printf(
        "\nTry it:\n"
        "  docker pull busybox\n"
        "  docker tag  busybox %s/team/app:1.0.0\n"
        "  docker push %s/team/app:1.0.0\n"
        "  docker pull %s/team/app:1.0.0\n"
        "  curl %s://%s/v2/_catalog\n\n",
        name.c_str(), name.c_str(), name.c_str(), tls ? "https" : "http", name.c_str());
  }
  std::fflush(stdout);
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

/// What SIGHUP asks for. Whatever is wrong with the new configuration, the old one goes on.
void reload(app::Server& server, const ServeFlags& flags) {
  app::notify_service_manager("RELOADING=1");
  const auto loaded = app::load_config(flags.sources());
  const Log& log = server.log();
  if (!loaded.problems.empty()) {
    for (const std::string& problem : loaded.problems) log.error("config.reload_refused", {f("err", problem)});
  } else if (const auto done = server.reload(loaded.config); !done) {
    log.error("config.reload_refused", {f("err", done.error().message)});
  } else {
    log.info("config.reloaded", {f("changed", joined(done->applied))});
    if (!done->need_restart.empty()) log.warn("config.restart_needed", {f("keys", joined(done->need_restart))});
  }
  app::notify_service_manager("READY=1");
}

enum class Started : std::uint8_t { from_a_terminal, without };

/// Serves until a signal says to stop. A hang-up reloads, unless it is the terminal itself that went away.
void wait_for_the_end(app::Server& server, const ServeFlags& flags, const sigset_t& signals, Started started) {
  for (;;) {
    int received = 0;
    sigwait(&signals, &received);
    const bool is_terminal_gone = started == Started::from_a_terminal && ::isatty(STDIN_FILENO) == 0;
    if (received != SIGHUP || is_terminal_gone) return;
    reload(server, flags);
  }
}

int serve(const ServeFlags& flags) {
  const Started started = ::isatty(STDIN_FILENO) == 1 ? Started::from_a_terminal : Started::without;
  auto loaded = app::load_config(flags.sources());
  if (!loaded.problems.empty()) return report_problems(loaded);
  app::ServeConfig& config = loaded.config;
  auto inherited = app::take_inherited_sockets();
  if (!inherited) return report(inherited.error());
  config.inherited = *std::move(inherited);
  config.descriptors_max = app::raise_descriptor_limit();
  // Blocked before any thread exists, so that every thread inherits it and this one alone receives them.
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  auto server = app::Server::start(std::move(config));
  if (!server) return report(server.error());
  print_welcome(**server);
  app::notify_service_manager("READY=1");
  wait_for_the_end(**server, flags, signals, started);
  app::notify_service_manager("STOPPING=1");
  if (::isatty(STDERR_FILENO) == 1)
    std::fprintf(stderr, "berth: stopping, finishing what is running (press Ctrl-C again to stop at once)\n");
  // A second signal ends the process at once; everything acknowledged is on disk already. A hang-up does not.
  sigdelset(&signals, SIGHUP);
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  (*server)->stop();
  return kOk;
}

constexpr const char* kFooter =
    "Settings come from a file, the environment (BERTH_SECTION__KEY) and these flags, each stronger than the one\n"
    "before: --limits-manifest is manifest in [limits] and BERTH_LIMITS__MANIFEST, --drain is drain in [server] and\n"
    "BERTH_SERVER__DRAIN. 'berth config defaults' prints a file to start from, 'berth config show --origin' what is\n"
    "in force and why. SIGHUP reads file, environment and certificates again;\n"
    "SIGTERM finishes what is running and stops.\n\n"
    "Examples:\n"
    "  berth serve                                              127.0.0.1:5000, for this machine alone\n"
    "  berth serve --listen 0.0.0.0:443 --tls-cert reg.pem --tls-key reg.key --anonymous read\n"
    "  berth serve --config /etc/berth/server.toml --metrics 127.0.0.1:9100";

}  // namespace

void add_serve(CLI::App& parent, int& exit_code) {
  auto flags = std::make_shared<ServeFlags>();  // shared with the callback, which outlives this function
  CLI::App* command = parent.add_subcommand("serve", "Run the registry");
  add_setting_flags(*command, *flags);
  command->footer(kFooter);
  command->callback([flags, &exit_code] { exit_code = serve(*flags); });
}

}  // namespace berth::cli
