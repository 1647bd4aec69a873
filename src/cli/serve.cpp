// berth serve: the registry.

#include "app/data_dir.h"
#include "app/descriptors.h"
#include "app/server.h"
#include "cli/commands.h"
#include "cli/exit_code.h"

#include <unistd.h>

#include <csignal>
#include <cstdio>

namespace berth::cli {

namespace {

struct ServeFlags {
  std::string listen = "127.0.0.1:5000";
  std::string data;
  std::string reference_policy = "strict";
  std::string anonymous;
  std::string deletes = "on";
  std::string log_level = "info";
  std::string log_format = "auto";
  std::string access_log = "all";
  unsigned threads = 0;
  std::uint64_t scrub_rate = 20'000'000;
};

Result<app::ServeConfig> config_of(const ServeFlags& flags) {
  app::ServeConfig config;
  BERTH_TRY(config.listen, app::parse_listen(flags.listen));
  BERTH_TRY(config.limits.reference_policy, app::parse_reference_policy(flags.reference_policy));
  BERTH_TRY(config.deletes, app::parse_deletes(flags.deletes));
  BERTH_TRY(config.log_level, app::parse_log_level(flags.log_level));
  BERTH_TRY(config.log_format, app::parse_log_format(flags.log_format));
  BERTH_TRY(config.access_log, app::parse_access_log(flags.access_log));
  if (!flags.anonymous.empty()) {
    BERTH_TRY(config.anonymous, app::parse_anonymous(flags.anonymous));
  }
  config.data_dir = flags.data.empty() ? app::default_data_dir() : flags.data;
  config.threads = flags.threads;
  config.scrub_bytes_per_second = flags.scrub_rate;
  return config;
}

void print_welcome(const app::Server& server) {
  const auto& config = server.config();
  const bool v6 = config.listen.host.find(':') != std::string::npos;
  const std::string host = v6 ? "[" + config.listen.host + "]" : config.listen.host;
  const unsigned port = server.port();
  std::printf("berth: listening on http://%s:%u  data %s\n", host.c_str(), port, config.data_dir.c_str());
  if (!config.anonymous) {
    std::printf("berth: no account exists yet, so everybody on this machine may push and pull\n");
  } else if (*config.anonymous == api::Anonymous::write) {
    std::printf("berth: everybody who reaches this address may push and pull (--anonymous=write)\n");
  }
  const bool everywhere = config.listen.host == "0.0.0.0" || config.listen.host == "::";
  const std::string name = app::is_loopback(config.listen) || everywhere ? "localhost" : host;
  std::printf(
      "\nTry it:\n"
      "  docker pull busybox\n"
      "  docker tag  busybox %s:%u/team/app:1.0.0\n"
      "  docker push %s:%u/team/app:1.0.0\n"
      "  docker pull %s:%u/team/app:1.0.0\n"
      "  curl http://%s:%u/v2/_catalog\n\n",
      name.c_str(), port, name.c_str(), port, name.c_str(), port, name.c_str(), port);
  std::fflush(stdout);
}

int serve(const ServeFlags& flags) {
  auto config = config_of(flags);
  if (!config) return report(config.error());
  config->descriptors_max = app::raise_descriptor_limit();
  // Blocked before any thread exists, so that every thread inherits it and this one alone receives them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  auto server = app::Server::start(*std::move(config));
  if (!server) return report(server.error());
  print_welcome(**server);
  int received = 0;
  sigwait(&signals, &received);
  if (::isatty(STDERR_FILENO) == 1)
    std::fprintf(stderr, "berth: stopping, finishing what is running (press Ctrl-C again to stop at once)\n");
  // A second signal ends the process at once; everything acknowledged is on disk already.
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  (*server)->stop();
  return kOk;
}

}  // namespace

void add_serve(CLI::App& parent, int& exit_code) {
  auto flags = std::make_shared<ServeFlags>();  // shared with the callback, which outlives this function
  CLI::App* command = parent.add_subcommand("serve", "Run the registry");
  command->add_option("--listen", flags->listen, "Address to listen on, HOST:PORT; port 0 picks a free one")
      ->type_name("HOST:PORT")
      ->capture_default_str();
  command
      ->add_option("--data", flags->data,
                   "Folder for everything the registry keeps (default: " + app::default_data_dir() + ")")
      ->type_name("DIR");
  command
      ->add_option(
          "--reference-policy", flags->reference_policy,
          "What a manifest may refer to that is not here: strict (nothing), sparse-index (children of an index), "
          "sparse (anything)")
      ->capture_default_str();
  command->add_option(
      "--anonymous", flags->anonymous,
      "What callers without an account may do: off, read or write (default: write, but only on a loopback address)");
  command
      ->add_option("--deletes", flags->deletes,
                   "on, or off: nothing that was pushed can be deleted (uploads can still be cancelled)")
      ->capture_default_str();
  command->add_option("--log-level", flags->log_level, "debug, info, warn, error or off")->capture_default_str();
  command->add_option("--log-format", flags->log_format, "json, text, or auto: text on a terminal")
      ->capture_default_str();
  command->add_option("--access-log", flags->access_log, "Which requests get a line: all, errors or off")
      ->capture_default_str();
  command->add_option("--threads", flags->threads, "I/O threads; 0 is one per core")->capture_default_str();
  command->add_option("--scrub-rate", flags->scrub_rate, "Bytes a second the background check may read; 0 turns it off")
      ->capture_default_str();
  // A flag given twice means the later one: scripts put their defaults first.
  for (CLI::Option* option : command->get_options()) option->take_last();
  command->callback([flags, &exit_code] { exit_code = serve(*flags); });
}

}  // namespace berth::cli
