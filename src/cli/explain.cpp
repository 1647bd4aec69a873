// berth explain: why somebody may or may not do something, and why a request was refused.

#include "cli/admin_verb.h"
#include "cli/commands.h"
#include "cli/row_template.h"
#include "http/target.h"

#include <cstdio>
#include <optional>

namespace berth::cli {

namespace {

using http::Method;

const std::vector<Column> kVerdict = {{"RIGHT", "right"},
                                      {"ALLOWED", "allowed"},
                                      {"BECAUSE", "because"},
                                      {"CHANGEABLE BY", "changeable_by"},
                                      {"", "subject"},
                                      {"", "repo"},
                                      {"", "tag"},
                                      {"", "namespace"}};
const std::vector<std::string> kRefusalKeys = {"request_id", "at",      "actor", "action",
                                               "target",     "because", "ip",    "question"};

struct ExplainFlags {
  AdminFlags admin;
  std::string first;  // whom it is about; alone: a repository, or a request
  std::string action;
  std::string object;
};

/// What the question is about: a repository, or a tag in it, the namespace where that is meant, or the registry.
std::string object_query(const std::string& action, const std::string& object) {
  if (object.empty()) return {};
  // As with `berth repo set`: a name without a slash is the namespace's.
  const bool is_of_office = action == "admin" || action == "owners";
  const bool is_namespace = is_of_office && object.find_first_of("/:") == std::string::npos;
  return (is_namespace ? "&namespace=" : "&repo=") + http::percent_encode(object);
}

/// subject empty: oneself.
Result<json::Value> ask(AdminClient& client, const std::string& subject, const std::string& action,
                        const std::string& object) {
  std::string query = "action=" + http::percent_encode(action) + object_query(action, object);
  if (!subject.empty()) query += "&subject=" + http::percent_encode(subject);
  return client.call(Method::get, "explain", {}, query);
}

std::string sentence_of(const json::Value& verdict, const std::string& action, const std::string& object) {
  const std::string act = action == "owners" ? "appoint owners of" : action;
  return shown(verdict, "subject") + (shown(verdict, "allowed") == "yes" ? " may " : " may not ") + act + " " +
         (object.empty() ? "the registry" : object) + ": " + shown(verdict, "because") + "\nThis can be changed by " +
         shown(verdict, "changeable_by") + ".";
}

void warn_of_unseen_setting(const AdminClient& client, const json::Value& verdict) {
  if (!client.is_offline() || shown(verdict, "repo").empty() || shown(verdict, "allowed") == "yes") return;
  std::fprintf(stderr,
               "berth: server.anonymous was not looked at, which may leave this open to everybody; a running registry "
               "knows it\n");
}

Result<void> explain_one(const ExplainFlags& flags) {
  BERTH_TRYV(check_format(flags.admin, keys_of(kVerdict)));
  BERTH_TRY(auto client, AdminClient::open(flags.admin));
  BERTH_TRY(const auto verdict, ask(client, flags.first, flags.action, flags.object));
  BERTH_TRYV(say(flags.admin, sentence_of(verdict, flags.action, flags.object), verdict));
  warn_of_unseen_setting(client, verdict);
  return {};
}

/// Of a repository or a tag, all that one may do oneself.
Result<void> explain_repository(const ExplainFlags& flags) {
  BERTH_TRYV(check_format(flags.admin, keys_of(kVerdict)));
  BERTH_TRY(auto client, AdminClient::open(flags.admin));
  std::vector<json::Value> verdicts;
  for (const char* action : {"pull", "push", "overwrite", "delete", "admin"}) {
    BERTH_TRY(verdicts.emplace_back(), ask(client, "", action, flags.first));
    if (verdicts.size() > 1 && shown(verdicts.back(), "right") == shown(verdicts[verdicts.size() - 2], "right"))
      verdicts.pop_back();  // to push to a tag that exists is to move it
  }
  BERTH_TRYV(print_rows(flags.admin, kVerdict, verdicts));
  warn_of_unseen_setting(client, verdicts.back());
  return {};
}

/// How what was refused is by now; nullopt where the caller may not ask about others.
Result<std::optional<std::string>> by_now(AdminClient& client, const json::Value& refusal) {
  const json::Value* question = refusal.find("question");
  if (question == nullptr || question->is_null()) return std::nullopt;
  const std::string action = shown(*question, "action");
  const std::string object = shown(*question, "repo");
  const auto verdict = ask(client, shown(refusal, "actor"), action, object);
  if (!verdict) return std::nullopt;
  return sentence_of(*verdict, action, object);
}

/// Then the token that asks counts, and not the account alone.
Result<bool> is_self(AdminClient& client, const std::string& name) {
  if (client.is_offline()) return false;
  BERTH_TRY(const auto self, client.call(Method::get, "user"));
  return shown(self, "name") == name;
}

Result<void> explain_request(const ExplainFlags& flags) {
  BERTH_TRYV(check_format(flags.admin, kRefusalKeys));
  BERTH_TRY(auto client, AdminClient::open(flags.admin));
  BERTH_TRY(const auto refusal, client.call(Method::get, "refusals/" + segment(flags.first)));
  if (flags.admin.format != "table") return print_object(flags.admin, refusal);
  const std::string from = shown(refusal, "ip").empty() ? "" : " from " + shown(refusal, "ip");
  std::printf("%s %s%s was refused %s on %s:\n%s\n", shown(refusal, "at").c_str(), shown(refusal, "actor").c_str(),
              from.c_str(), shown(refusal, "action").c_str(), shown(refusal, "target").c_str(),
              shown(refusal, "because").c_str());
  BERTH_TRY(const auto now, by_now(client, refusal));
  BERTH_TRY(const bool self, is_self(client, shown(refusal, "actor")));
  if (now) std::printf("By now, %s: %s\n", self ? "signed in as here" : "whatever token is used", now->c_str());
  return {};
}

/// A name without a slash may be a request's or a repository's.
Result<bool> is_request(const ExplainFlags& flags) {
  if (flags.first.find_first_of("/:") != std::string::npos) return false;
  BERTH_TRY(auto client, AdminClient::open(flags.admin));
  return client.call(Method::get, "refusals/" + segment(flags.first)).has_value() ||
         !client.call(Method::get, "repos/" + segment(flags.first)).has_value();
}

Result<void> explain(const ExplainFlags& flags) {
  if (!flags.action.empty()) return explain_one(flags);
  BERTH_TRY(const bool request, is_request(flags));
  return request ? explain_request(flags) : explain_repository(flags);
}

}  // namespace

void add_explain(CLI::App& parent, int& exit_code) {
  const auto flags = std::make_shared<ExplainFlags>();
  CLI::App* command =
      add_admin_verb(parent, "explain", "Why somebody may, or may not, do something; why a request was refused", flags,
                     exit_code, explain);
  command
      ->add_option(
          "SUBJECT", flags->first,
          "A user, a robot, or anonymous; alone: a repository or a tag in it, for all that you may do with it, "
          "or the X-Request-Id of a refusal")
      ->required();
  command->add_option("ACTION", flags->action, "pull, push, overwrite, delete, admin; owners: to appoint a namespace's")
      ->check(is_not_empty());
  command->add_option("OBJECT", flags->object,
                      "A repository, or a tag in it: acme/web, acme/web:1.0; with admin and owners a namespace, acme; "
                      "nothing: the registry");
  command->footer(
      "Examples:\n"
      "  berth explain bob push acme/web:1.0\n"
      "  berth explain ann admin acme        whether she administers the namespace, and by which office\n"
      "  berth explain ann admin             the registry\n"
      "  berth explain acme/web              what you may do with it\n"
      "  berth explain 5d1f0c3a-4711         why that request was refused");
}

}  // namespace berth::cli
