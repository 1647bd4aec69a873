#pragma once
// A registry in use beside a model of its administration API (admin_model.h): whoever is able to sign in sends calls,
// by passwords, secrets, browsers' sessions and the ID tokens of jobs. After each step the answer, everybody's rights
// everywhere, and who signs in with what are compared.

#include "api/admin/admin_api.h"
#include "auth/trust.h"
#include "auth/web_sessions.h"
#include "base/base64.h"
#include "base/json_text.h"
#include "support/admin_model.h"
#include "support/rights_world.h"

#include <map>
#include <set>
#include <span>

namespace berth::test {

inline constexpr std::array<std::string_view, 5> kRobotNames = {"acme+ci", "crew+ci", "ann+ci", "acme+x", "bot"};
/// What jobs run for.
inline constexpr std::array<std::string_view, 2> kJobRepositories = {"acme/web", "crew/web"};

/// One who makes ID tokens for jobs, and what a registry needs to believe him.
class JobIssuer {
 public:
  static constexpr std::string_view kName = "https://ci.example.com";
  static constexpr std::string_view kAudience = "registry.example.com";

  explicit JobIssuer(std::int64_t now_ms) {
    for (const std::string_view repository : kJobRepositories)
      tokens_[std::string(repository)] = make_token(repository, now_ms / 1000 + 3000);
  }
  const std::string& token(const std::string& repository) const { return tokens_.at(repository); }
  Result<std::string> serve(const std::string& url) const {
    if (url != auth::discovery_url(kName)) return "{\"keys\":[" + key_.public_key().jwk() + "]}";
    return R"({"issuer":"https://ci.example.com","jwks_uri":"https://ci.example.com/k"})";
  }

 private:
  std::string make_token(std::string_view repository, std::int64_t end_s) const {
    const std::string header = R"({"typ":"JWT","alg":"ES256","kid":)" + json_string(key_.kid()) + "}";
    const std::string claims =
        R"({"iss":"https://ci.example.com","aud":"registry.example.com","sub":"x","repository":)" +
        json_string(repository) + ",\"exp\":" + std::to_string(end_s) + "}";
    const std::string out = encode_base64url(header) + '.' + encode_base64url(claims);
    return out + '.' + encode_base64url(key_.sign(std::as_bytes(std::span(out))));
  }

  crypto::SigningKey key_ = crypto::SigningKey::generate();
  std::map<std::string, std::string> tokens_;
};

class AdminWorld : public RightsWorld {
 public:
  explicit AdminWorld(AdminModel::Flaw flaw) {
    add_admin("root");
    model_.add_account("root", {.is_admin = true});
    directory_.look_for_accounts();
    expected_.flaw = flaw;
  }

  /// Empty, or where we and the model differ.
  std::string difference() {
    if (answered_.status != due_) {
      return "answered " + std::to_string(answered_.status) + ", not " + std::to_string(due_) + ": " + answered_.body;
    }
    if (auto wrong = RightsWorld::difference(); !wrong.empty()) return wrong;
    return check_jobs();
  }

 protected:
  /// Of three steps one is an administrator's, or little would ever come of anything. False: that one is not there.
  bool choose_caller(unsigned pick) {
    const unsigned which = pick / 12;
    switch (pick % 12) {
      case 0: return as_nobody();
      case 1:
      case 2:
      case 3: return as_user("root");
      case 4:
      case 5:
      case 6:
      case 7: return as_user(one_of(kUsers, which));
      case 8: return as_job(which);
      default: return as_secret(which);
    }
  }
  bool as_nobody() {
    caller_ = {};
    maker_ = {};
    identity_ = authenticator_.anonymous();
    by_ = "nobody";
    return true;
  }
  bool as_user(const std::string& name) {
    const auto account = model_.accounts.find(name);
    if (account == model_.accounts.end() || account->second.is_disabled) return false;
    caller_ = {.name = name};
    maker_ = {};
    identity_ = must(authenticate("Basic " + encode_base64(name + ":" + std::string(kPassword))));
    by_ = name;
    return identity_ != nullptr;
  }
  bool as_secret(unsigned pick) {
    std::vector<const Secret*> live;
    for (const Secret& secret : secrets_) {
      if (is_alive(secret)) live.push_back(&secret);
    }
    if (live.empty()) return false;
    const Secret& secret = *live[pick % live.size()];
    caller_ = {.name = secret.name,
               .is_narrow = secret.is_narrow,
               .pattern = secret.pattern,
               .letters = secret.letters,
               .scopes = secret.scopes,
               .is_robots_own = secret.kind == meta::TokenKind::robot_secret,
               .is_job = secret.rule != 0};
    // A browser's session stands for the sign-in that opened it.
    maker_ = {.text = secret.kind == meta::TokenKind::web_session ? "" : secret.text, .rule = secret.rule};
    identity_ = must(identity_of(secret));
    by_ = "a secret of " + secret.name + (secret.is_narrow ? " for " + text_of(secret.letters) : "");
    return identity_ != nullptr;
  }
  bool as_job(unsigned pick) {
    std::vector<std::pair<std::string_view, std::string_view>> trusted;
    for (const std::string_view robot : kRobotNames) {
      for (const std::string_view repository : kJobRepositories) {
        const bool is_one = expected_.rule_for(std::string(robot), std::string(repository)) != 0;
        if (is_one) trusted.emplace_back(robot, repository);
      }
    }
    if (trusted.empty()) return false;
    const std::string robot(trusted[pick % trusted.size()].first);
    const std::string repository(trusted[pick % trusted.size()].second);
    caller_ = {.name = robot, .is_job = true};
    maker_ = {.rule = expected_.rule_for(robot, repository)};
    identity_ = must(ask_as_job(robot, repository));
    by_ = "a job of " + repository + " as " + robot;
    return identity_ != nullptr;
  }

  /// Sends the call that is due that status.
  bool call(std::string said, int due, http::Method method, std::string path, const api::JsonObject& body = {}) {
    said_ = std::move(said);
    due_ = due;
    api::AdminRequest request;
    request.method = method;
    request.path = std::move(path);
    request.address = address_;
    if (method != http::Method::get && method != http::Method::delete_) request.body = body.str();
    answered_ = run_task(api_.handle(*identity_, request, "r"));
    return answered_.succeeded();
  }
  json::Value answer() { return must(json::parse(answered_.body)); }
  std::int64_t answered_id() { return std::stoll(answer().text("id")); }

  /// Another secret of the caller's.
  Secret made_by_caller(meta::TokenKind kind, std::string text) {
    Secret out{.name = caller_.name, .number = model_.accounts[caller_.name].number, .text = std::move(text)};
    out.kind = kind;
    out.maker = maker_.text;
    out.rule = maker_.rule;
    return out;
  }
  /// By the password, which is what browsers and docker bring; a job brings its token.
  std::string open_session(meta::TokenKind kind) {
    std::string text = kind == meta::TokenKind::refresh
                           ? must(run_task(authenticator_.make_refresh_token(identity_)))
                           : must(run_task(browsers_.open(identity_, "browser", std::string(kAddress))));
    Secret made = made_by_caller(kind, std::move(text));
    made.id = must(look([&](sql::Connection& db) { return meta::find_token(db, auth::secret_hash(made.text)); }))->id;
    secrets_.push_back(made);
    return by_ + ": signs in " + (kind == meta::TokenKind::refresh ? "with docker" : "in a browser");
  }

  bool is_alive(const Secret& secret) const override {
    return RightsWorld::is_alive(secret) && (secret.rule == 0 || expected_.holds(secret.rule));
  }
  bool is_backed(const Secret& secret) const override {
    return expected_.flaw == AdminModel::Flaw::secrets_outlive_their_maker || RightsWorld::is_backed(secret);
  }
  Result<auth::IdentityPtr> identity_of(const Secret& secret) override {
    if (secret.kind == meta::TokenKind::refresh) return authenticator_.refresh(secret.text, kAddress);
    if (secret.kind != meta::TokenKind::web_session) return RightsWorld::identity_of(secret);
    BERTH_TRY(auto found, browsers_.find(secret.text, kAddress));
    if (found == nullptr) return fail(Errc::unauthorized, "no session");
    return found;
  }
  Result<auth::IdentityPtr> ask_as_job(const std::string& robot, const std::string& repository) {
    return run_task(trust_.sign_in(robot, issuer_.token(repository), std::string(kAddress)));
  }

  auth::WebSessions browsers_{{*store_, clock_, random_}};
  io::BlockingPool outbound_{"outbound", 1, 16};
  JobIssuer issuer_{clock_.now_ms()};
  auth::IssuerKeys issuer_keys_{
      {[this](const std::string& url, std::size_t) { return issuer_.serve(url); }, outbound_, clock_, log_}};
  auth::Trust trust_{{*store_, issuer_keys_, clock_, audit_}};
  auth::SetupToken setup_{clock_};
  auth::SignInLimiter limiter_;
  api::AdminApi api_{{.store = *store_,
                      .directory = directory_,
                      .audit = audit_,
                      .setup = setup_,
                      .passwords = passwords_,
                      .clock = clock_,
                      .random = random_,
                      .limiter = limiter_,
                      .sign_up = api::SignUp::invite}};
  AdminModel expected_{model_};

  struct Maker {
    std::string text = {};  // of the secret that the caller comes with, if what it makes ends with it
    meta::TrustRuleId rule = 0;
  };
  AdminModel::Caller caller_;
  Maker maker_;
  auth::IdentityPtr identity_;
  std::string address_ = std::string(kAddress);  // of the caller
  std::string by_;
  std::string said_;
  int due_ = 200;
  api::AdminReply answered_;

 private:
  /// Which robots jobs are, of those that rules have spoken of, and by which rule.
  std::string check_jobs() {
    std::set<std::string> robots = {""};
    for (const auto& [_, rule] : expected_.rules) robots.insert(rule.robot);
    for (const std::string& robot : robots) {
      for (const std::string_view repository : kJobRepositories) {
        const auto found = ask_as_job(robot, std::string(repository));
        const std::int64_t ours = found ? (*found)->trust_rule : 0;
        const std::int64_t theirs = expected_.rule_for(robot, std::string(repository));
        const bool is_named = !found || robot.empty() || (*found)->subject.name == robot;
        if (ours != theirs || !is_named)
          return "a job of " + std::string(repository) + " as '" + robot + "' is one by rule " + std::to_string(ours) +
                 ", not " + std::to_string(theirs);
      }
    }
    return "";
  }
};

}  // namespace berth::test
