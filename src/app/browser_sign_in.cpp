#include "app/browser_sign_in.h"

#include "app/issuer_fetch.h"

#include <filesystem>
#include <fstream>
#include <iterator>

namespace berth::app {

namespace {

namespace fs = std::filesystem;

/// The one line of a file. Mounted secrets are often readable for everybody in their container: that is told, not
/// refused.
Result<std::string> read_secret(const std::string& path, const Log& log) {
  std::ifstream in(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in.good() && !in.eof()) return fail(Errc::io_failed, "cannot read auth.oidc_client_secret_file " + path);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  if (text.empty())
    return fail(Errc::parameter_invalid, "auth.oidc_client_secret_file " + path + " is empty or missing");
  std::error_code error;
  const fs::perms mode = fs::status(path, error).permissions();
  if (!error && (mode & fs::perms::others_read) != fs::perms::none)
    log.warn("secret.readable_by_others", {f("file", path)});
  return text;
}

Result<auth::OidcSettings> settings_of(const OidcConfig& config, meta::Visibility visibility, const Log& log) {
  auth::OidcSettings out;
  out.issuer = config.issuer;
  out.client_id = config.client_id;
  if (!config.client_secret_file.empty()) {
    BERTH_TRY(out.client_secret, read_secret(config.client_secret_file, log));
  }
  out.label = config.label;
  out.scopes = config.scopes;
  out.name_claim = config.name_claim;
  out.groups_claim = config.groups_claim;
  out.rules = {.creates = config.creates,
               .allowed_groups = config.allowed_groups,
               .admin_group = config.admin_group,
               .visibility = visibility,
               .vouched_ms = config.vouched_ms};
  return out;
}

}  // namespace

Result<BrowserSignInParts> build_browser_sign_in(const BrowserSignInDeps& deps) {
  BrowserSignInParts out;
  out.sessions = std::make_unique<auth::WebSessions>(auth::WebSessions::Deps{deps.store, deps.clock, deps.random});
  out.devices = std::make_unique<auth::DeviceCodes>(deps.clock);
  out.limiter = std::make_unique<auth::SignInLimiter>();
  if (!deps.config.oidc.issuer.empty()) {
    BERTH_TRY(auto settings, settings_of(deps.config.oidc, deps.config.visibility, deps.log));
    const auto ask = [&networks = deps.issuer_networks,
                      &stopping = deps.stopping](const auth::Oidc::Question& question) -> Result<std::string> {
      if (stopping) return fail(Errc::unavailable, "the server is stopping");
      return ask_provider(question, networks);
    };
    out.oidc = std::make_unique<auth::Oidc>(
        std::move(settings), auth::Oidc::Deps{deps.issuers, ask, deps.outbound, deps.clock, deps.random, deps.log,
                                              deps.config.token_leeway_ms / 1000});
  }
  out.all = std::make_unique<api::BrowserSignIn>(
      api::BrowserSignIn{*out.sessions, *out.devices, deps.accounts, *out.limiter, out.oidc.get()});
  return out;
}

}  // namespace berth::app
