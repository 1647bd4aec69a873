#include "cli/admin_verb.h"

#include "base/human_text.h"
#include "base/json_text.h"
#include "cli/password_input.h"

#include <algorithm>
#include <cstdio>
#include <iostream>

namespace berth::cli {

namespace {

/// What goes with it, as a dry run counted.
void print_effects(std::FILE* out, const json::Value& answer) {
  const json::Value* effects = answer.find("effects");
  if (effects == nullptr) return;
  for (const auto& [what, count] : effects->object()) {
    if (count.integer() == 0) continue;
    std::string words = what;
    std::ranges::replace(words, '_', ' ');
    std::fprintf(out, "  %s: %lld\n", words.c_str(), static_cast<long long>(count.integer()));
  }
}

/// Of a dry run: what would be said, and what would go.
void print_plan(const std::string& sentence, const json::Value& answer) {
  std::printf("Nothing was changed. Without --dry-run: %s\n", sentence.c_str());
  print_effects(stdout, answer);
}

/// The end of the input is no answer, and no answer is no.
bool is_agreed(const std::string& what, const json::Value& plan) {
  std::fprintf(stderr, "This removes %s for good.\n", printable(what).c_str());
  print_effects(stderr, plan);
  std::fputs("Go on? [y/N] ", stderr);
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

}  // namespace

CLI::Validator is_not_empty() {
  return {[](std::string& text) { return text.empty() ? "it is empty" : std::string(); }, ""};
}

Result<void> say(const AdminFlags& flags, const std::string& sentence, const json::Value& answer) {
  if (flags.dry_run && flags.format == "table") {
    print_plan(sentence, answer);
    return {};
  }
  if (flags.format == "table") {
    std::puts(sentence.c_str());
    return {};
  }
  BERTH_TRY(const auto message, json::parse("{\"message\":" + json_string(sentence) + "}"));
  const auto printed = print_object(flags, answer.is_null() ? message : answer);
  if (printed) return {};
  const char* state = flags.dry_run ? "nothing was changed, and " : "it is done, but ";
  return fail(Error(printed.error().code, state + printed.error().message));
}

std::string json_list(const std::vector<std::string>& texts) {
  std::string out = "[";
  for (const std::string& text : texts) {
    if (&text != &texts.front()) out += ',';
    append_json_string(out, text);
  }
  return out + "]";
}

Result<void> call_and_say(const AdminFlags& flags, http::Method method, const std::string& path,
                          const std::string& body, const std::string& sentence) {
  const bool has_no_answer = method == http::Method::delete_ && !flags.dry_run;
  if (has_no_answer) BERTH_TRYV(check_format(flags, {"message"}));
  BERTH_TRY(auto client, AdminClient::open(flags));
  BERTH_TRY(const auto answer, client.call(method, path, body));
  return say(flags, sentence, answer);
}

Result<void> delete_and_say(const AdminFlags& flags, const std::string& path, const std::string& what,
                            const std::string& sentence) {
  using http::Method;
  BERTH_TRYV(check_path(path));
  if (flags.dry_run || flags.is_agreed) return call_and_say(flags, Method::delete_, path, {}, sentence);
  if (!can_prompt()) {
    return fail(Errc::denied, "this removes " + what +
                                  " for good, and there is no terminal to ask at; if that is "
                                  "meant, say so with --yes, and see with --dry-run what goes with it");
  }
  BERTH_TRYV(check_format(flags, {"message"}));
  BERTH_TRY(auto client, AdminClient::open(flags));
  BERTH_TRY(const auto plan, client.rehearse(Method::delete_, path));
  if (!is_agreed(what, plan)) {
    std::fputs("Nothing was changed.\n", stderr);
    return {};
  }
  BERTH_TRY(const auto answer, client.call(Method::delete_, path));
  return say(flags, sentence, answer);
}

Result<void> list_and_print(const AdminFlags& flags, const std::string& path, const std::vector<Column>& columns) {
  BERTH_TRY(auto client, AdminClient::open(flags));
  BERTH_TRY(const auto rows, client.list(path));
  return print_rows(flags, columns, rows);
}

}  // namespace berth::cli
