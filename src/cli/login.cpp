// berth login, logout, login-password, configure-docker, and the program docker-credential-berth.

#include "app/environment.h"
#include "base/clock.h"
#include "base/json_text.h"
#include "cli/admin_verb.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/password_input.h"
#include "client/device_sign_in.h"
#include "client/keychain.h"
#include "client/own_store.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <thread>

namespace berth::cli {

namespace {

namespace fs = std::filesystem;

constexpr const char* kPasswordWarning = "WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n";
constexpr const char* kHelperName = "docker-credential-berth";

std::string own_folder() {
  const std::string config = app::environment("XDG_CONFIG_HOME");
  return (config.empty() ? app::environment("HOME") + "/.config" : config) + "/berth";
}

Result<client::OwnStore> open_own_store() {
  return client::OwnStore::load(own_folder(), app::environment("BERTH_CREDENTIALS_KEY_FILE"), ca_places());
}

struct LoginFlags {
  std::string server;
  std::string user;
  std::string ca_file;
  std::string realm_host;
  std::string password;
  bool password_stdin = false;
  bool token_stdin = false;
  bool web = false;
};

Result<std::string> ask_user_name() {
  if (!can_prompt()) return fail(Errc::parameter_invalid, "Cannot perform an interactive login from a non TTY device");
  std::fputs("Username: ", stderr);
  std::string name;
  std::getline(std::cin, name);
  if (name.empty()) return fail(Errc::parameter_invalid, "no user name was given");
  return name;
}

/// What was stored before is tried first, as docker does.
Result<bool> is_signed_in(const LoginFlags& flags, const client::RegistryAddress& address,
                          const client::DockerConfig& config) {
  if (!flags.user.empty() || !flags.password.empty() || flags.password_stdin || flags.web) return false;
  const auto known = config.find(address.host);
  if (!known || !*known) return false;
  std::fprintf(stderr, "Authenticating with existing credentials...%s\n",
               (*known)->user.empty() ? "" : (" [Username: " + (*known)->user + "]").c_str());
  return client::check_credentials(address, **known, flags.ca_file, flags.realm_host).has_value();
}

std::string this_machine() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 && name[0] != '\0' ? "berth on " + std::string(name.data())
                                                                             : "berth";
}

/// With a browser, on this machine or any other.
Result<client::Credentials> sign_in_elsewhere(const LoginFlags& flags, const client::RegistryAddress& address) {
  BERTH_TRY(auto waiting, client::begin_device_sign_in(address, this_machine(), flags.ca_file));
  std::fprintf(stderr, "Open in a browser:  %s\nand check the code:  %s\n\nWaiting for you to agree there...\n",
               (waiting.address_with_code.empty() ? waiting.address : waiting.address_with_code).c_str(),
               waiting.user_code.c_str());
  const SystemClock clock;
  const std::int64_t end_ms = clock.mono_ms() + waiting.life_s * 1000;
  while (clock.mono_ms() < end_ms) {
    BERTH_TRY(auto given, client::poll_device_sign_in(address, waiting, flags.ca_file));
    if (given) return *std::move(given);
    // allowed(sleep): a command that waits for a person has nothing else to do
    std::this_thread::sleep_for(std::chrono::seconds(waiting.interval_s));
  }
  return fail(Errc::timeout, "nobody agreed in time; try again");
}

Result<client::Credentials> ask_for_password(const LoginFlags& flags, const client::RegistryAddress& address) {
  client::Credentials given{.user = flags.user, .secret = {}, .is_identity_token = false};
  if (given.user.empty()) {
    BERTH_TRY(given.user, ask_user_name());
  }
  if (!flags.password.empty()) std::fputs(kPasswordWarning, stderr);
  BERTH_TRY(given.secret, !flags.password.empty() ? Result<std::string>(flags.password)
                                                  : read_password(flags.password_stdin ? PasswordFrom::standard_input
                                                                                       : PasswordFrom::prompt,
                                                                  "Password: "));
  BERTH_TRY(const auto signed_in, client::check_credentials(address, given, flags.ca_file, flags.realm_host));
  if (signed_in.refresh_token) {
    given.secret = *signed_in.refresh_token;
    given.is_identity_token = true;
  }
  return given;
}

Result<void> login(LoginFlags flags) {
  if (flags.web && (flags.password_stdin || !flags.password.empty() || !flags.user.empty()))
    return fail(Errc::parameter_invalid, "--web asks for no name and no password");
  if (flags.token_stdin) {
    if (flags.web || flags.password_stdin || !flags.password.empty() || !flags.user.empty())
      return fail(Errc::parameter_invalid, "--token-stdin takes a token alone, which says itself whose it is");
    flags.user = "token";
    flags.password_stdin = true;
  }
  if (flags.password_stdin && flags.user.empty())
    return fail(Errc::parameter_invalid, "the --password-stdin option requires --username to be set");
  BERTH_TRY(auto config, load_docker_config());
  if (flags.ca_file.empty()) flags.ca_file = client::ca_file_of(client::config_key(flags.server), ca_places());
  BERTH_TRY(const auto address, client::find_registry(flags.server, flags.ca_file));
  BERTH_TRY(const bool is_in, is_signed_in(flags, address, config));
  if (!is_in) {
    BERTH_TRY(const auto given, flags.web ? sign_in_elsewhere(flags, address) : ask_for_password(flags, address));
    BERTH_TRYV(config.store(address.host, given));
    if (config.helper_for(address.host).empty()) {
      std::fprintf(stderr,
                   "\nWARNING! Your credentials are stored unencrypted in '%s'.\n"
                   "Configure a credential helper to remove this warning, as with: berth configure-docker %s\n\n",
                   config.path().c_str(), address.host.c_str());
    }
  }
  std::puts("Login Succeeded");
  return {};
}

Result<void> logout(const LoginFlags& flags) {
  if (!flags.server.empty()) BERTH_TRYV(client::check_registry_name(flags.server));
  BERTH_TRY(auto config, load_docker_config());
  const std::string host = client::config_key(flags.server);
  BERTH_TRY(const bool was_there, config.erase(host));
  std::printf(was_there ? "Removing login credentials for %s\n" : "Not logged in to %s\n", host.c_str());
  return {};
}

struct PasswordFlags {
  AdminFlags admin;
  std::string life = "12h";
  std::vector<std::string> scopes;
};

/// What others' registries have of the kind; empty: a password of ours is asked for.
std::string_view tool_of(std::string_view host) {
  const std::pair<std::string_view, std::string_view> tools[] = {
      {".amazonaws.com", "aws ecr get-login-password"},
      {"-docker.pkg.dev", "gcloud auth print-access-token"},
      {"gcr.io", "gcloud auth print-access-token"},
      {".azurecr.io", "az acr login --expose-token"},
  };
  for (const auto& [ending, tool] : tools) {
    if (host.ends_with(ending)) return tool;
  }
  return {};
}

Result<void> print_password(PasswordFlags& flags) {
  if (flags.admin.server.empty()) flags.admin.server = app::environment("BERTH_SERVER");
  if (flags.admin.server.empty())
    return fail(Errc::parameter_invalid, "say which registry with --registry, or in $BERTH_SERVER");
  const std::string host = client::config_key(flags.admin.server);
  if (const std::string_view tool = tool_of(host); !tool.empty())
    return fail(Errc::parameter_invalid, host + " makes its passwords itself: " + std::string(tool));
  BERTH_TRY(auto client, AdminClient::open(flags.admin));
  std::string body = "{\"expires_in\":" + json_string(flags.life);
  for (const std::string& scope : flags.scopes) {
    body += &scope == &flags.scopes.front() ? ",\"scopes\":[" : ",";
    append_json_string(body, scope);
  }
  body += flags.scopes.empty() ? "}" : "]}";
  BERTH_TRY(const auto made, client.call(http::Method::post, "auth/short-lived", body));
  std::puts(shown(made, "secret").c_str());
  return {};
}

struct ConfigureFlags {
  std::vector<std::string> hosts;
  bool all = false;
  bool yes = false;
  bool dry_run = false;
  bool remove = false;
};

/// Where this program is, and may have a second name beside it.
Result<std::string> make_link() {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  if (error) return fail(Errc::io_failed, "cannot find this program's file: " + error.message());
  for (const fs::path& folder : {self.parent_path(), fs::path(app::environment("HOME")) / ".local/bin"}) {
    const fs::path link = folder / kHelperName;
    if (fs::exists(link, error)) return folder.string();
    fs::create_directories(folder, error);
    fs::create_symlink(self, link, error);
    if (!error) return folder.string();
  }
  return fail(Errc::io_failed, std::string("cannot make a link ") + kHelperName + ": " + error.message());
}

bool is_on_path(const std::string& folder) {
  return (":" + app::environment("PATH") + ":").find(":" + folder + ":") != std::string::npos;
}

bool is_agreed() {
  std::fputs("Do you want to continue (Y/n)? ", stderr);
  std::string answer;
  if (!std::getline(std::cin, answer)) return false;  // the end of the input is no answer
  return answer.empty() || answer == "y" || answer == "Y";
}

/// Only what lies in the open moves. What a keychain of the system keeps would lie in the open afterwards.
Result<void> ask_us(client::DockerConfig& config, client::OwnStore& own, const std::string& host) {
  const auto plain = config.find_plain(host);
  const std::string before = config.helper_for(host);
  if (plain) BERTH_TRYV(own.store(host, *plain));
  BERTH_TRYV(config.set_helper(host, "berth"));
  if (plain) BERTH_TRYV(config.erase_plain(host));
  if (plain) std::fprintf(stderr, "berth: the login to %s moved into the helper's own file\n", host.c_str());
  if (!plain && !before.empty() && before != "berth") {
    std::fprintf(stderr, "berth: what docker-credential-%s keeps of %s stays there; sign in anew: berth login %s\n",
                 before.c_str(), host.c_str(), host.c_str());
  }
  return {};
}

bool is_kept(const client::OwnStore& own, const std::string& host) {
  return std::ranges::any_of(own.list(), [&](const auto& entry) { return entry.first == host; });
}

/// Nobody would look for what we keep any more.
Result<void> stop_asking_us(client::DockerConfig& config, const std::vector<std::string>& hosts) {
  BERTH_TRY(auto own, open_own_store());
  for (const std::string& typed : hosts) {
    const std::string host = client::config_key(typed);
    const bool was_signed_in = is_kept(own, host);
    BERTH_TRYV(config.set_helper(host, ""));
    BERTH_TRYV(own.erase(host));
    if (!was_signed_in) continue;
    std::fprintf(stderr, "berth: you are signed out of %s; sign in anew: berth login %s\n", host.c_str(), host.c_str());
  }
  return {};
}

/// Those that were named, or all there are. Errors: parameter_invalid: none.
Result<std::vector<std::string>> hosts_meant(const ConfigureFlags& flags, const client::DockerConfig& config) {
  if (!flags.all) {
    for (const std::string& host : flags.hosts) BERTH_TRYV(client::check_registry_name(host));
    if (!flags.hosts.empty()) return flags.hosts;
    return fail(Errc::parameter_invalid, "say which registries, or --all");
  }
  auto found = flags.remove ? config.helped_by("berth") : config.signed_in();
  if (!found.empty()) return found;
  return fail(Errc::parameter_invalid, flags.remove
                                           ? "docker asks berth for no registry, as " + config.path() + " says"
                                           : "you are signed in to no registry, as " + config.path() + " says");
}

Result<void> configure_docker(ConfigureFlags flags) {
  BERTH_TRY(auto config, load_docker_config());
  BERTH_TRY(flags.hosts, hosts_meant(flags, config));
  for (const std::string& typed : flags.hosts) {
    const std::string host = client::config_key(typed);
    std::printf("%s credHelpers[\"%s\"]%s in %s\n", flags.remove ? "Removing" : "Adding", host.c_str(),
                flags.remove ? "" : " = \"berth\"", config.path().c_str());
  }
  if (flags.dry_run) return {};
  if (!flags.yes && !can_prompt())
    return fail(Errc::denied, "there is no terminal to ask at; if that is meant, say so with --yes");
  if (!flags.yes && !is_agreed()) return {};
  if (flags.remove) return stop_asking_us(config, flags.hosts);
  // First what may fail, last what cannot be had again: broken off anywhere, each login is where docker looks for it.
  BERTH_TRY(const std::string folder, make_link());
  BERTH_TRY(auto own, open_own_store());
  for (const std::string& typed : flags.hosts) BERTH_TRYV(ask_us(config, own, client::config_key(typed)));
  if (is_on_path(folder)) {
    std::printf("docker asks %s/%s from now on\n", folder.c_str(), kHelperName);
  } else {
    std::fprintf(stderr, "berth: %s is not on the PATH: docker finds %s there once it is\n", folder.c_str(),
                 kHelperName);
  }
  return {};
}

int refuse(const Error& error) {  // on standard output: docker shows that
  std::puts(error.message.c_str());
  return kFailed;
}

std::string read_input() {
  std::string text{std::istreambuf_iterator<char>(std::cin), {}};
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
  return text;
}

int keychain_get(client::OwnStore& own) {
  const SystemClock clock;
  const std::string asked = read_input();
  const auto found = own.get(client::config_key(asked), clock);
  if (!found) return refuse(found.error());
  if (!*found) {
    std::puts(client::kNotInKeychain.data());
    return kFailed;
  }
  std::puts(client::helper_json(asked, **found).c_str());
  return kOk;
}

int keychain_store(client::OwnStore& own) {
  const auto given = client::parse_helper_json(read_input());
  if (!given) return refuse(given.error());
  if (const auto good = client::check_registry_name(given->first); !good) return refuse(good.error());
  if (given->second.are_nobodys()) return refuse(Error(Errc::parameter_invalid, "there is no user name in it"));
  const auto done = own.store(client::config_key(given->first), given->second);
  return done ? kOk : refuse(done.error());
}

int keychain_list(const client::OwnStore& own) {
  std::string out = "{";
  for (const auto& [host, user] : own.list()) {
    if (out.size() > 1) out += ',';
    out.append(json_string(host)).append(":").append(json_string(user));
  }
  std::puts((out + "}").c_str());
  return kOk;
}

}  // namespace

int run_keychain(std::string_view verb) {
  auto own = open_own_store();
  if (!own) return refuse(own.error());
  if (verb == "get") return keychain_get(*own);
  if (verb == "store") return keychain_store(*own);
  if (verb == "list") return keychain_list(*own);
  if (verb == "erase") {
    const auto done = own->erase(client::config_key(read_input()));
    return done ? kOk : refuse(done.error());
  }
  if (verb == "version") {
    std::puts("docker-credential-berth 1");
    return kOk;
  }
  std::fputs("usage: docker-credential-berth get|store|erase|list|version\n", stderr);
  return kFailed;
}

void add_login(CLI::App& parent, int& exit_code) {
  const auto run = [&exit_code](auto done) { exit_code = done ? kOk : report(done.error()); };

  auto flags = std::make_shared<LoginFlags>();  // shared with the callbacks, which outlive this function
  CLI::App* in = parent.add_subcommand("login", "Sign in to a registry; docker and the others share it");
  in->add_option("SERVER", flags->server, "The registry (default: Docker Hub)");
  in->add_option("-u,--username", flags->user, "The account");
  CLI::Option* typed = in->add_option("-p,--password", flags->password, "The password, for all on this machine to see")
                           ->check(is_not_empty());
  in->add_flag("--password-stdin", flags->password_stdin, "Read the password from standard input")->excludes(typed);
  in->add_flag("--token-stdin", flags->token_stdin, "Read an access token from standard input; for a Berth registry");
  in->add_flag("--web", flags->web, "Sign in with a browser, here or elsewhere; for a Berth registry");
  in->add_option("--ca-file", flags->ca_file, "Certificates to trust instead of the system's");
  in->add_option("--realm-host", flags->realm_host,
                 "Another host that may be given the password, if the registry's "
                 "token service is there");
  in->callback([flags, run] { run(login(*flags)); });

  CLI::App* out = parent.add_subcommand("logout", "Forget the credentials of a registry");
  out->add_option("SERVER", flags->server, "The registry (default: Docker Hub)");
  out->callback([flags, run] { run(logout(*flags)); });

  auto password = std::make_shared<PasswordFlags>();
  CLI::App* short_lived =
      parent.add_subcommand("login-password", "Print a password for one login, which ends by itself");
  short_lived->alias("get-login-password");
  short_lived->add_option("--registry", password->admin.server, "The registry (default: $BERTH_SERVER)");
  short_lived->add_option("--ca-file", password->admin.ca_file, "Certificates to trust instead of the system's");
  short_lived->add_option("--ttl", password->life, "How long it is good, 12h at most")->capture_default_str();
  short_lived->add_option("--scope", password->scopes, "Only for this: REPOSITORY:RIGHTS, as acme/web:read,write");
  short_lived->footer(
      "Example:\n  berth login-password --registry localhost:5000 | docker login -u ann "
      "--password-stdin localhost:5000");
  short_lived->callback([password, run] { run(print_password(*password)); });

  auto configure = std::make_shared<ConfigureFlags>();
  CLI::App* docker = parent.add_subcommand("configure-docker", "Have docker ask berth for credentials of a registry");
  CLI::Option* registries = docker->add_option("REGISTRY", configure->hosts, "The registries");
  docker
      ->add_flag("--all", configure->all, "All that you are signed in to; with --remove all that docker asks berth for")
      ->excludes(registries);
  docker->add_flag("-y,--yes", configure->yes, "Do not ask");
  docker->add_flag("--dry-run", configure->dry_run, "Only say what would be changed");
  docker->add_flag("--remove", configure->remove, "Undo it");
  docker->callback([configure, run] { run(configure_docker(*configure)); });
}

}  // namespace berth::cli
