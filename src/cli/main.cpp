#include "cli/commands.h"
#include "cli/exit_code.h"

int main(int argc, char** argv) {
  using namespace berth::cli;
  int exit_code = kOk;
  CLI::App app("Berth: a container registry and image client in one program", "berth");
  app.require_subcommand(1);
  add_serve(app, exit_code);
  add_fsck(app, exit_code);
  add_version(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? kOk : kUsage;
  }
  return exit_code;
}
