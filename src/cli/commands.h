#pragma once
// One function per command; each adds itself to the parser and leaves its exit code in `exit_code` when it ran.

#include <CLI/CLI.hpp>

namespace berth::cli {

void add_serve(CLI::App& parent, int& exit_code);
void add_fsck(CLI::App& parent, int& exit_code);
void add_config(CLI::App& parent, int& exit_code);
void add_migrate(CLI::App& parent, int& exit_code);
void add_audit(CLI::App& parent, int& exit_code);
void add_user(CLI::App& parent, int& exit_code);
void add_version(CLI::App& parent, int& exit_code);

}  // namespace berth::cli
