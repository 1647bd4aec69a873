// berth keys and berth k8s: the keys that sign tokens; a pull secret for Kubernetes.

#include "app/token_keys.h"
#include "base/base64.h"
#include "base/clock.h"
#include "base/json_text.h"
#include "cli/admin_client.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/password_input.h"
#include "cli/serve_flags.h"

#include <cstdio>

namespace berth::cli {

namespace {

constexpr std::int64_t kKeepMs = 2LL * 24 * 60 * 60 * 1000;  // longer than any token lives

int rotate(const std::string& data) {
  const Result<std::string> folder = data.empty() ? configured_data_dir() : data;
  if (!folder) return report(folder.error());
  const SystemClock clock;
  const auto made = app::rotate_token_keys(*folder, clock, kKeepMs);
  if (!made) return report(made.error());
  std::printf(
      "New key %s. A running server signs with it after SIGHUP; tokens of the key before stay good until they "
      "end.\n",
      made->c_str());
  return kOk;
}

struct SecretFlags {
  std::string name = "regcred";
  std::string ns;
  std::string registry;
  std::string user;
  bool password_stdin = false;
};

Result<void> print_secret(const SecretFlags& flags) {
  client::Credentials given{.user = flags.user, .secret = {}, .is_identity_token = false};
  if (flags.password_stdin) {
    BERTH_TRY(given.secret, read_password(PasswordFrom::standard_input, {}));
  } else {
    BERTH_TRY(const auto config, load_docker_config());
    BERTH_TRY(const auto found, config.find(client::config_key(flags.registry)));
    if (!found || found->is_identity_token) {
      return fail(Errc::parameter_invalid,
                  "give a robot's name with --username and its secret on standard input with "
                  "--password-stdin");
    }
    given = *found;
  }
  std::string config = "{\"auths\":{" + json_string(flags.registry) + ":{\"username\":" + json_string(given.user);
  append_json_member(config, "password", std::string_view(given.secret));
  append_json_member(config, "auth", std::string_view(encode_base64(given.user + ":" + given.secret)));
  config += "}}}";
  std::printf(
      "apiVersion: v1\ndata:\n  .dockerconfigjson: %s\nkind: Secret\nmetadata:\n  creationTimestamp: null\n"
      "  name: %s\n%stype: kubernetes.io/dockerconfigjson\n",
      encode_base64(config).c_str(), flags.name.c_str(),
      flags.ns.empty() ? "" : ("  namespace: " + flags.ns + "\n").c_str());
  return {};
}

}  // namespace

void add_keys(CLI::App& parent, int& exit_code) {
  CLI::App* command = parent.add_subcommand("keys", "The keys that sign tokens");
  command->require_subcommand(1);
  auto data = std::make_shared<std::string>();  // shared with the callback, which outlives this function
  CLI::App* rotating = command->add_subcommand("rotate", "Make a new key; the one before stays good for its tokens");
  rotating->add_option("--data", *data, "The data folder (default: the one of serve)");
  rotating->callback([data, &exit_code] { exit_code = rotate(*data); });

  CLI::App* k8s = parent.add_subcommand("k8s", "For Kubernetes");
  k8s->require_subcommand(1);
  auto flags = std::make_shared<SecretFlags>();
  CLI::App* secret =
      k8s->add_subcommand("secret", "Print a pull secret, as kubectl create secret docker-registry does");
  secret->add_option("NAME", flags->name, "The secret's name")->capture_default_str();
  secret->add_option("--registry", flags->registry, "The registry")->required();
  secret->add_option("--username", flags->user, "Who pulls; best a robot (default: your login)");
  secret->add_flag("--password-stdin", flags->password_stdin, "Read its secret from standard input")
      ->needs("--username");
  secret->add_option("--namespace", flags->ns, "Of Kubernetes");
  secret->footer(
      "Example:\n  printf %s \"$SECRET\" | berth k8s secret regcred --registry reg.example.com --username "
      "acme+deploy --password-stdin | kubectl apply -f -");
  secret->callback([flags, &exit_code] {
    const auto done = print_secret(*flags);
    exit_code = done ? kOk : report(done.error());
  });
}

}  // namespace berth::cli
