#include "cli/admin_verb.h"

#include "base/json_text.h"

#include <algorithm>
#include <cstdio>

namespace berth::cli {

namespace {

/// Of a dry run: what would be said, and what would go.
void print_plan(const std::string& sentence, const json::Value& answer) {
  std::printf("Nothing was changed. Without --dry-run: %s\n", sentence.c_str());
  const json::Value* effects = answer.find("effects");
  if (effects == nullptr) return;
  for (const auto& [what, count] : effects->object()) {
    if (count.integer() == 0) continue;
    std::string words = what;
    std::ranges::replace(words, '_', ' ');
    std::printf("  %s: %lld\n", words.c_str(), static_cast<long long>(count.integer()));
  }
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
  if (flags.format == "table" || answer.is_null()) {
    std::puts(sentence.c_str());
    return {};
  }
  const auto printed = print_object(flags, answer);
  if (printed) return {};
  return fail(Error(printed.error().code, "it is done, but " + printed.error().message));
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
  BERTH_TRY(auto client, AdminClient::open(flags));
  BERTH_TRY(const auto answer, client.call(method, path, body));
  return say(flags, sentence, answer);
}

Result<void> list_and_print(const AdminFlags& flags, const std::string& path, const std::vector<Column>& columns) {
  BERTH_TRY(auto client, AdminClient::open(flags));
  BERTH_TRY(const auto rows, client.list(path));
  return print_rows(flags, columns, rows);
}

}  // namespace berth::cli
