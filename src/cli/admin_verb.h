#pragma once
// The shape that the administration commands share: a verb with --server, --data and --format, which runs and reports.

#include "cli/admin_client.h"
#include "cli/exit_code.h"

#include <memory>

namespace berth::cli {

/// A verb of `parent` whose flags live in *flags; Flags has a member `admin`. run: const Flags& → Result<void>.
template <class Flags, class Run>
CLI::App* add_admin_verb(CLI::App& parent, const char* name, const char* about, const std::shared_ptr<Flags>& flags,
                         int& exit_code, Run run) {
  CLI::App* verb = parent.add_subcommand(name, about);
  add_admin_flags(*verb, flags->admin);
  verb->callback([flags, &exit_code, run] {
    const Result<void> done = run(*flags);
    exit_code = done ? kOk : report(done.error());
  });
  return verb;
}

/// The same with --dry-run: for what takes away, or switches off.
template <class Flags, class Run>
CLI::App* add_removing_verb(CLI::App& parent, const char* name, const char* about, const std::shared_ptr<Flags>& flags,
                            int& exit_code, Run run) {
  CLI::App* verb = add_admin_verb(parent, name, about, flags, exit_code, run);
  add_dry_run_flag(*verb, flags->admin);
  return verb;
}

/// The same that asks first, or wants --yes: for what no command brings back.
template <class Flags, class Run>
CLI::App* add_deleting_verb(CLI::App& parent, const char* name, const char* about, const std::shared_ptr<Flags>& flags,
                            int& exit_code, Run run) {
  CLI::App* verb = add_removing_verb(parent, name, about, flags, exit_code, run);
  add_agreement_flag(*verb, flags->admin);
  return verb;
}

/// What a verb says when it is done, or would be with --dry-run; with another --format than table the answer itself, or
/// {"message":…} if there is none. Errors: parameter_invalid, which comes after what was done, and says so.
Result<void> say(const AdminFlags& flags, const std::string& sentence, const json::Value& answer);

/// For a flag that means something: `--expires "$UNSET"` is a slip.
CLI::Validator is_not_empty();

/// A JSON list of strings.
std::string json_list(const std::vector<std::string>& texts);

/// One call and its answer as a table of one row, or what `say` says.
Result<void> call_and_say(const AdminFlags& flags, http::Method method, const std::string& path,
                          const std::string& body, const std::string& sentence);
/// Deletes what no command brings back: says what goes with it and asks, unless that was agreed to. what: "user bob".
/// Errors: denied where there is nobody to ask.
Result<void> delete_and_say(const AdminFlags& flags, const std::string& path, const std::string& what,
                            const std::string& sentence);
Result<void> list_and_print(const AdminFlags& flags, const std::string& path, const std::vector<Column>& columns);

}  // namespace berth::cli
