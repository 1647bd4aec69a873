#pragma once
// One function per command; each adds itself to the parser and leaves its exit code in `exit_code` when it ran.

#include <CLI/CLI.hpp>

#include <string_view>

namespace berth::cli {

void add_serve(CLI::App& parent, int& exit_code);
void add_fsck(CLI::App& parent, int& exit_code);
void add_config(CLI::App& parent, int& exit_code);
void add_migrate(CLI::App& parent, int& exit_code);
void add_audit(CLI::App& parent, int& exit_code);
void add_login(CLI::App& parent, int& exit_code);
void add_org(CLI::App& parent, int& exit_code);
void add_robot(CLI::App& parent, int& exit_code);
void add_trust(CLI::App& parent, int& exit_code);
void add_token(CLI::App& parent, int& exit_code);
void add_repo(CLI::App& parent, int& exit_code);
void add_grant(CLI::App& parent, int& exit_code);
void add_explain(CLI::App& parent, int& exit_code);
void add_ldap(CLI::App& parent, int& exit_code);
void add_keys(CLI::App& parent, int& exit_code);
void add_k8s(CLI::App& parent, int& exit_code);
void add_user(CLI::App& parent, int& exit_code);
void add_version(CLI::App& parent, int& exit_code);

/// This program under the name docker-credential-berth: get, store, erase, list. The exit code.
int run_keychain(std::string_view verb);

}  // namespace berth::cli
