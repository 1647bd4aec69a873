// berth k8s: a pull secret for Kubernetes.

#include "auth/secret.h"
#include "base/base64.h"
#include "base/json_text.h"
#include "cli/admin_client.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/password_input.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace berth::cli {

namespace {

struct SecretFlags {
  std::string name = "regcred";
  std::string ns;
  std::string registry;
  std::string user;
  bool password_stdin = false;
  bool from_login = false;
};

// What Kubernetes takes as names (RFC 1123, in lower case): of a Secret several labels, of a namespace one.
constexpr std::size_t kLabelBytesMax = 63;
constexpr std::size_t kNameBytesMax = 253;

bool is_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool is_label(std::string_view text) {
  return !text.empty() && is_letter_or_digit(text.front()) && is_letter_or_digit(text.back()) &&
         std::ranges::all_of(text, [](char c) { return is_letter_or_digit(c) || c == '-'; });
}

bool is_name(std::string_view text) {
  if (text.size() > kNameBytesMax) return false;
  for (std::size_t dot = text.find('.'); dot != std::string_view::npos; dot = text.find('.')) {
    if (!is_label(text.substr(0, dot))) return false;
    text.remove_prefix(dot + 1);
  }
  return is_label(text);
}

/// Names stand in YAML, where nothing else may follow from them.
Result<void> check_names(const SecretFlags& flags) {
  if (!is_name(flags.name)) {
    return fail(Errc::parameter_invalid,
                "Kubernetes takes no Secret of that name: it has lower case letters, digits, '-' and '.', begins and "
                "ends with a letter or digit, and has at most 253 of them");
  }
  if (flags.ns.empty() || (is_label(flags.ns) && flags.ns.size() <= kLabelBytesMax)) return {};
  return fail(Errc::parameter_invalid,
              "Kubernetes has no namespace of that name: it has lower case letters, digits and '-', begins and ends "
              "with a letter or digit, and has at most 63 of them");
}

/// A name that YAML would read as a number, a date or a truth value is put in quotes.
std::string yaml_text(std::string_view name) {
  constexpr std::array<std::string_view, 9> kWords = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"};
  const bool is_plain = name.front() >= 'a' && std::ranges::find(kWords, name) == kWords.end();
  return is_plain ? std::string(name) : '"' + std::string(name) + '"';
}

/// What docker and berth login stored. It is a person's as a rule, and a cluster's secrets are read by many.
Result<client::Credentials> stored_login(const std::string& registry) {
  BERTH_TRY(const auto config, load_docker_config());
  BERTH_TRY(auto found, config.find(client::config_key(registry)));
  if (!found) return fail(Errc::parameter_invalid, "there is no login for " + registry + ": berth login " + registry);
  if (found->is_identity_token) {
    return fail(Errc::parameter_invalid,
                "the login for " + registry +
                    " is a refresh token, which kubelet cannot use; give a robot's name with --username and its secret "
                    "on standard input with --password-stdin");
  }
  if (auth::parse_secret(found->secret) == auth::SecretKind::login) {
    return fail(
        Errc::parameter_invalid,
        "docker asks berth for " + registry +
            ", which gives it passwords for an hour, of no use in a cluster; give a robot's name with --username "
            "and its secret on standard input with --password-stdin");
  }
  if (auth::parse_secret(found->secret) != auth::SecretKind::robot) {
    std::fprintf(
        stderr,
        "berth: warning: this is the login of %s, and whoever reads the Secret in the cluster can sign in with "
        "it; better is a robot that only pulls:\n"
        "       berth robot create NAMESPACE+deploy --repo 'NAMESPACE/*:pull'\n",
        found->user.c_str());
  }
  return *std::move(found);
}

Result<client::Credentials> credentials_of(const SecretFlags& flags) {
  BERTH_TRYV(client::check_registry_name(flags.registry));
  if (flags.from_login) return stored_login(flags.registry);
  if (flags.user.empty()) {
    return fail(
        Errc::parameter_invalid,
        "say who pulls: --username with a robot's name and --password-stdin, or --from-login for the login that "
        "is stored here");
  }
  client::Credentials given{.user = flags.user, .secret = {}, .is_identity_token = false};
  BERTH_TRY(given.secret, read_password(flags.password_stdin ? PasswordFrom::standard_input : PasswordFrom::prompt,
                                        "Secret of " + flags.user + ": "));
  if (given.secret.empty()) return fail(Errc::parameter_invalid, "the secret is empty");
  return given;
}

Result<void> print_secret(const SecretFlags& flags) {
  BERTH_TRYV(check_names(flags));
  BERTH_TRY(const client::Credentials given, credentials_of(flags));
  std::string config = "{\"auths\":{" + json_string(flags.registry) + ":{\"username\":" + json_string(given.user);
  append_json_member(config, "password", std::string_view(given.secret));
  append_json_member(config, "auth", std::string_view(encode_base64(given.user + ":" + given.secret)));
  config += "}}}";
  std::printf(
      "apiVersion: v1\ndata:\n  .dockerconfigjson: %s\nkind: Secret\nmetadata:\n  creationTimestamp: null\n"
      "  name: %s\n%stype: kubernetes.io/dockerconfigjson\n",
      encode_base64(config).c_str(), yaml_text(flags.name).c_str(),
      flags.ns.empty() ? "" : ("  namespace: " + yaml_text(flags.ns) + "\n").c_str());
  return {};
}

}  // namespace

void add_k8s(CLI::App& parent, int& exit_code) {
  CLI::App* k8s = parent.add_subcommand("k8s", "For Kubernetes");
  k8s->require_subcommand(1);
  auto flags = std::make_shared<SecretFlags>();  // shared with the callback, which outlives this function
  CLI::App* secret =
      k8s->add_subcommand("secret", "Print a pull secret, as kubectl create secret docker-registry does");
  secret->add_option("NAME", flags->name, "The secret's name")->capture_default_str();
  secret->add_option("--registry", flags->registry, "The registry")->required();
  CLI::Option* user = secret->add_option("--username", flags->user, "Who pulls; best a robot");
  secret->add_flag("--password-stdin", flags->password_stdin, "Read its secret from standard input")->needs(user);
  secret->add_flag("--from-login", flags->from_login, "Take the login that is stored on this machine")->excludes(user);
  secret->add_option("-n,--namespace", flags->ns, "Of Kubernetes");
  secret->footer(
      "Example:\n  printf %s \"$SECRET\" | berth k8s secret regcred --registry reg.example.com --username "
      "acme+deploy --password-stdin | kubectl apply -f -");
  secret->callback([flags, &exit_code] {
    const auto done = print_secret(*flags);
    exit_code = done ? kOk : report(done.error());
  });
}

}  // namespace berth::cli
