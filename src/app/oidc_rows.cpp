#include "app/oidc_rows.h"

#include "app/setting_rows.h"

namespace berth::app {

void add_oidc(std::vector<Setting>& out) {
  out.push_back(words<api::SignUp>(
      {"auth.sign_up",
       "Whether people make their own accounts at /signup: off, open to everybody who reaches it, or with an "
       "invitation "
       "of an administrator.",
       ""},
      {{"off", api::SignUp::off}, {"open", api::SignUp::open}, {"invite", api::SignUp::invite}},
      [](const std::string& word) { return parse_sign_up(word); },
      [](auto& config) -> auto& { return config.sign_up; }));
  out.push_back(text({"auth.oidc_issuer",
                      "The identity provider (OpenID Connect) that people sign in at, https://id.example.com, as it "
                      "writes itself in its tokens. Empty: none. It is told to send people back to "
                      "<server.external_url>/login/oidc/callback.",
                      ""},
                     [](auto& config) -> auto& { return config.oidc.issuer; }));
  out.push_back(text({"auth.oidc_client_id", "What the registry is called there.", ""},
                     [](auto& config) -> auto& { return config.oidc.client_id; }));
  out.push_back(text({"auth.oidc_client_secret_file",
                      "File with the client's secret. Empty: a public client, which PKCE alone protects.", ""},
                     [](auto& config) -> auto& { return config.oidc.client_secret_file; }));
  out.push_back(text({"auth.oidc_label", "What people call the provider: \"Sign in with <label>\".", ""},
                     [](auto& config) -> auto& { return config.oidc.label; }));
  out.push_back(text({"auth.oidc_scopes", "What is asked for there, with spaces between; openid is needed.", ""},
                     [](auto& config) -> auto& { return config.oidc.scopes; }));
  out.push_back(text({"auth.oidc_name_claim",
                      "The claim that an account gets its name from, at the first sign-in. Accounts are found again by "
                      "issuer and subject alone.",
                      ""},
                     [](auto& config) -> auto& { return config.oidc.name_claim; }));
  out.push_back(
      text({"auth.oidc_groups_claim",
            "The claim that lists somebody's groups, which may be teams here. Empty: groups do not matter.", ""},
           [](auto& config) -> auto& { return config.oidc.groups_claim; }));
  out.push_back(text({"auth.oidc_admin_group",
                      "The group whose members administer the registry: it makes and unmakes administrators at each "
                      "sign-in, except for the last one. Empty: nobody asks.",
                      ""},
                     [](auto& config) -> auto& { return config.oidc.admin_group; }));
  out.push_back(list({"auth.oidc_allowed_groups", "Groups of which one is needed to sign in. Empty: none is.", ""},
                     [](auto& config) -> auto& { return config.oidc.allowed_groups; }));
  out.push_back(flag({"auth.oidc_create", "Whether the first sign-in makes an account.", ""},
                     [](auto& config) -> auto& { return config.oidc.creates; }));
  out.push_back(
      duration({"auth.oidc_vouched",
                "How long one sign-in there vouches for an account that has no password here. After that its "
                "tokens and logins rest until the next sign-in, which also tells whether its groups are still "
                "the same. 0s: for ever.",
                ""},
               0, 3650 * kDay, [](auto& config) -> auto& { return config.oidc.vouched_ms; }));
}

}  // namespace berth::app
