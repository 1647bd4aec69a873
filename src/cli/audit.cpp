// berth audit: the record of what was done.

#include "cli/admin_client.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "http/target.h"

#include <cstdio>
#include <optional>

namespace berth::cli {

namespace {

using http::Method;

struct AuditFlags {
  AdminFlags admin;
  std::string since;
  std::string actor;
  std::string target;
  std::string action;
  std::optional<std::string> head;
  std::size_t limit = 50;
};

std::string query_of(const AuditFlags& flags) {
  std::string out;
  const auto add = [&](const char* name, const std::string& value) {
    if (value.empty()) return;
    out.append(out.empty() ? "" : "&").append(name).append("=").append(http::percent_encode(value));
  };
  add("since", flags.since);
  add("actor", flags.actor);
  add("target", flags.target);
  add("action", flags.action);
  return out;
}

Result<int> list(const AuditFlags& flags) {
  BERTH_TRY(auto client, AdminClient::open(flags.admin));
  BERTH_TRY(const auto entries, client.list("audit", query_of(flags), flags.limit));
  BERTH_TRYV(print_rows(flags.admin,
                        {{"AT", "at"},
                         {"ACTOR", "actor"},
                         {"ACTION", "action"},
                         {"TARGET", "target"},
                         {"ALLOWED", "allowed"},
                         {"FROM", "ip"},
                         {"RULE", "rule"},
                         {"", "seq"},
                         {"DETAIL", "detail"},
                         {"", "request_id"},
                         {"", "prev"},
                         {"", "hash"}},
                        entries));
  return kOk;
}

Result<int> export_all(const AuditFlags& flags) {
  BERTH_TRY(auto client, AdminClient::open(flags.admin));
  std::int64_t after = 0;
  for (;;) {
    BERTH_TRY(const auto text, client.call_text(Method::get, "audit/export", "after=" + std::to_string(after)));
    if (text.empty()) return kOk;
    std::fputs(text.c_str(), stdout);
    const std::size_t last_line = text.rfind('\n', text.size() - 2);
    const auto last = json::parse(std::string_view(text).substr(last_line == std::string::npos ? 0 : last_line + 1));
    const json::Value* seq = last ? last->find("seq") : nullptr;
    if (seq == nullptr) return fail(Errc::corrupt, "the last line of the log cannot be read");
    after = seq->integer();
  }
}

/// The server refuses it as well, but only once it is asked. Errors: parameter_invalid.
Result<void> check_head(std::string_view text) {
  constexpr std::size_t kHeadDigits = 64;
  if (text.size() == kHeadDigits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos) return {};
  return fail(Errc::parameter_invalid,
              "--head is given 64 hexadecimal digits in lower case, as an earlier verify printed them");
}

Result<json::Value> ask_to_verify(const AuditFlags& flags) {
  BERTH_TRY(auto client, AdminClient::open(flags.admin));
  return client.call(Method::get, "audit/verify", {}, flags.head ? "head=" + *flags.head : "");
}

Result<int> verify(const AuditFlags& flags) {
  if (flags.head) BERTH_TRYV(check_head(*flags.head));
  const auto asked = ask_to_verify(flags);
  if (!asked) {
    report(asked.error());
    return kUnchecked;
  }
  const json::Value& found = *asked;
  if (flags.admin.format != "table") {
    BERTH_TRYV(print_object(flags.admin, found));
  } else if (shown(found, "whole") == "yes") {
    std::printf(
        "The log is whole: %s entries from number %s on.\nIts head is %s; keep it elsewhere, and give it with "
        "--head next time.\n",
        shown(found, "entries").c_str(), shown(found, "first").c_str(), shown(found, "head").c_str());
  } else {
    std::printf("The log is NOT whole: %s.\n", shown(found, "problem").c_str());
  }
  return shown(found, "whole") == "yes" ? kOk : kFound;
}

}  // namespace

void add_audit(CLI::App& parent, int& exit_code) {
  CLI::App* command = parent.add_subcommand("audit", "Show and check the record of what was done");
  command->require_subcommand(1);
  const auto flags = std::make_shared<AuditFlags>();  // shared with the callbacks, which outlive this function
  const auto on = [&](CLI::App* verb, Result<int> (*run)(const AuditFlags&)) {
    add_admin_flags(*verb, flags->admin);
    verb->callback([flags, run, &exit_code] {
      const auto done = run(*flags);
      exit_code = done ? *done : report(done.error());
    });
  };
  CLI::App* listing = command->add_subcommand("ls", "The newest entries");
  listing->add_option("--since", flags->since, "Only of the last 24h, 7d, …");
  listing->add_option("--actor", flags->actor, "Only of this account");
  listing->add_option("--repo", flags->target, "Only about this repository, or this target");
  listing->add_option("--action", flags->action, "Only this action, such as tag.move or sign_in");
  listing->add_option("--limit", flags->limit, "How many")->check(CLI::Range(1, 1'000'000))->capture_default_str();
  on(listing, list);
  on(command->add_subcommand("export", "All entries as JSON, a line each, oldest first"), export_all);
  CLI::App* verifying = command->add_subcommand("verify", "Look whether an entry was changed or taken out");
  // Not a plain option: an empty text is no head, but not none either.
  verifying->add_option_function<std::string>(
      "--head", [flags](const std::string& text) { flags->head = text; },
      "A hash that an earlier verify printed: it must still be there");
  verifying->footer(
      "Exit status: 0 the log is whole, 2 it is not, 3 it could not be looked at. What was cut off at its end shows "
      "only against a head that was\n"
      "kept elsewhere.");
  on(verifying, verify);
}

}  // namespace berth::cli
