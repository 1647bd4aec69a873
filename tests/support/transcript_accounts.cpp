#include "support/transcript_accounts.h"

#include "support/test_accounts.h"
#include "support/transcript_match.h"

#include <algorithm>

namespace berth::test {

namespace {

using Words = std::vector<std::string>;

std::unexpected<Error> misused(const char* form) {
  return fail(Errc::parameter_invalid, std::string("it is written ") + form);
}

Result<void> add_user(TestAccounts& accounts, const Words& words) {
  const bool is_admin = words.size() == 4 && words[3] == "admin";
  if (words.size() != 3 && !is_admin) return misused("@user NAME PASSWORD [admin]");
  if (words[2].size() > 7) return fail(Errc::parameter_invalid, "a password of a test has at most 7 bytes");
  return accounts.add_user(words[1], words[2], is_admin);
}

Result<void> add_member(TestAccounts& accounts, const Words& words) {
  const auto role = words.size() == 4 ? auth::parse_role(words[3]) : std::nullopt;
  if (!role) return misused("@member ORG USER reader|writer|admin|owner");
  return accounts.add_member(words[1], words[2], *role);
}

Result<void> grant(TestAccounts& accounts, const Words& words) {
  const bool denies = words.size() == 5 && words[3] == "deny";
  const auto rights = words.size() == 4 || denies ? auth::parse_rights(words.back()) : std::nullopt;
  if (!rights) return misused("@grant SUBJECT PATTERN [deny] read,write,overwrite,delete,admin");
  return denies ? accounts.grant(words[1], words[2], {}, *rights) : accounts.grant(words[1], words[2], *rights, {});
}

Result<void> add_robot(TestAccounts& accounts, TranscriptValues& values, const Words& words) {
  if (words.size() != 3) return misused("@robot NAME VALUE");
  BERTH_TRY(auto secret, accounts.add_robot(words[1]));
  values.set(words[2], std::move(secret));
  return {};
}

Result<void> set_visibility(TestAccounts& accounts, const Words& words) {
  const auto visibility = words.size() == 3 ? auth::parse_visibility(words[2]) : std::nullopt;
  if (!visibility) return misused("@visibility REPOSITORY private|internal|public");
  return accounts.set_visibility(words[1], *visibility);
}

}  // namespace

bool is_account_directive(const std::string& word) {
  const auto known = {"user", "disable", "enable", "org", "member", "team", "grant", "robot", "visibility"};
  return std::ranges::find(known, word) != known.end();
}

Result<void> run_account_directive(TestServer& server, TranscriptValues& values, const Words& words) {
  TestAccounts accounts(server);
  const std::string& verb = words[0];
  if (verb == "user") return add_user(accounts, words);
  if (verb == "member") return add_member(accounts, words);
  if (verb == "grant") return grant(accounts, words);
  if (verb == "robot") return add_robot(accounts, values, words);
  if (verb == "visibility") return set_visibility(accounts, words);
  if (verb == "org") return words.size() == 3 ? accounts.add_org(words[1], words[2]) : misused("@org NAME OWNER");
  if (verb == "team") {
    if (words.size() < 2) return misused("@team ORG/TEAM [USER…]");
    return accounts.add_team(words[1], Words(words.begin() + 2, words.end()));
  }
  if (words.size() != 2) return misused("@disable USER, @enable USER");
  return accounts.set_disabled(words[1], verb == "disable");
}

Result<std::string> fetch_token(WireClient& client, std::string_view argument) {
  const std::size_t first = argument.find(':');
  const std::size_t second = first == std::string_view::npos ? first : argument.find(':', first + 1);
  if (second == std::string_view::npos) return misused("{{token:NAME:PASSWORD:SCOPES}}");
  Fields fields;
  if (second > 1) fields.emplace_back("Authorization", "Basic " + base64(argument.substr(0, second)));
  const WireResponse answer =
      client.ask("GET", "/token?scope=" + percent_encoded(argument.substr(second + 1)), {}, std::move(fields));
  std::map<std::string, std::string> captured;
  const std::string wrong = match_json(R"({"token":"{{*token}}"})", answer.body, captured);
  if (answer.status == 200 && wrong.empty()) return captured["token"];
  return fail(Errc::parameter_invalid, concat("/token answers ", answer.status, " ", shown(answer.body)));
}

}  // namespace berth::test
