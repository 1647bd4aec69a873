#pragma once
// A registry in use beside a model of who may do what (rights_model.h): everybody's rights everywhere, and those of
// every secret, are compared.

#include "support/accounts_fixture.h"
#include "support/rights_model.h"

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace berth::test {

template <std::size_t N>
std::string one_of(const std::array<std::string_view, N>& names, unsigned pick) {
  return std::string(names[pick % N]);
}
inline constexpr std::array<std::string_view, 4> kUsers = {"ann", "bob", "eve", "dan"};
inline constexpr std::array<std::string_view, 2> kOrgs = {"acme", "crew"};
inline constexpr std::array<std::string_view, 3> kTeams = {"acme/devs", "acme/ops", "crew/devs"};
inline constexpr std::array<std::string_view, 3> kRobots = {"acme+ci", "crew+ci", "ann+ci"};
inline constexpr std::array<std::string_view, 10> kSubjects = {
    "ann", "bob", "eve", "dan", "acme+ci", "ann+ci", "crew+ci", "acme/devs", "acme/ops", "crew/devs"};
/// The last one of nobody, as long as there is no account of that name.
inline constexpr std::array<std::string_view, 9> kRepos = {"acme/web", "acme/web/x", "acme/wob", "acme/api/x", "acme",
                                                           "crew/web", "ann/app",    "bob/app",  "fay/app"};
inline constexpr std::array<std::string_view, 14> kPatterns = {
    "acme/**", "acme/*",  "acme/web", "acme/w*", "acme/*b", "acme/*/x", "acme/web/**",
    "acme",    "crew/**", "crew/w*",  "ann/**",  "ann/app", "bob/*",    "acme/*/**"};
inline constexpr std::array<std::string_view, 5> kWide = {"**", "*/web", "acme/**", "acme/w*", "*/*"};

inline Letters letters_of(unsigned bits) {
  Letters out;
  constexpr std::string_view kLetters = "rwoda";
  for (std::size_t i = 0; i < kLetters.size(); ++i) {
    if ((bits >> i & 1U) != 0) out.insert(kLetters[i]);
  }
  return out;
}
inline Letters letters_of(auth::Rights rights) { return letters_of(static_cast<unsigned>(rights.bits())); }
inline std::string text_of(const Letters& letters) { return {letters.begin(), letters.end()}; }

class RightsWorld : public AccountsFixture {
 public:
  /// Empty, or where we and the model differ.
  std::string difference() {
    std::vector<std::string> askers = {""};
    for (const auto& [name, account] : model_.accounts) {
      if (!account.is_disabled) askers.push_back(name);
    }
    for (const std::string& who : askers) {
      for (const std::string_view name : kRepos) {
        const std::string ours = text_of(letters_of(rights(who, name)));
        const std::string theirs = text_of(model_.rights(who, std::string(name)));
        if (ours != theirs) return "'" + who + "' on " + std::string(name) + ": " + ours + ", not " + theirs;
      }
    }
    for (const Secret& secret : secrets_) {
      if (auto wrong = check_secret(secret); !wrong.empty()) return wrong;
    }
    return "";
  }

 protected:
  struct Secret {
    std::string name;
    int number = 0;  // of the account
    std::string text;
    std::string maker;  // the text of the secret that it was made by; empty: a password, or a browser
    meta::TokenId id = 0;
    meta::TokenKind kind = meta::TokenKind::access;
    bool is_narrow = false;
    std::string pattern;
    Letters letters;
    std::set<std::string> scopes;  // to what is no right on a repository
    bool is_revoked = false;
    meta::TrustRuleId rule = 0;  // by which a job made it; 0: none did
  };

  void TestBody() override {}

  /// With it ends all that was made by it.
  void end(const std::string& text) {
    for (Secret& secret : secrets_) secret.is_revoked = secret.is_revoked || secret.text == text;
  }

  virtual bool is_alive(const Secret& secret) const {
    const auto account = model_.accounts.find(secret.name);
    return !secret.is_revoked && is_backed(secret) && account != model_.accounts.end() &&
           account->second.number == secret.number && !account->second.is_disabled;
  }
  virtual bool is_backed(const Secret& secret) const {
    const auto is_over = [&](const Secret& other) {
      return other.text == secret.maker && (other.is_revoked || !is_backed(other));
    };
    return secret.maker.empty() || std::ranges::none_of(secrets_, is_over);
  }
  /// Who comes with it.
  virtual Result<auth::IdentityPtr> identity_of(const Secret& secret) { return sign_in(secret.name, secret.text); }
  Letters worth(const Secret& secret, const std::string& repo) const {
    const Letters whole = model_.rights(secret.name, repo);
    if (!secret.is_narrow) return whole;
    return fits(secret.pattern, repo) ? both(whole, secret.letters) : Letters();
  }
  /// What is left of an account's rights by a credential.
  Letters left(const auth::Identity& identity, std::string_view name) {
    const auto ruling = must(directory_.ruling(identity.subject, repo(name)));
    return letters_of(identity.narrowing.apply(ruling->rights, name));
  }
  static std::string outcome_of(const Result<auth::IdentityPtr>& found) { return found ? "good" : "refused"; }

  /// Of a grant that the model knows; 0: there is none.
  meta::GrantId grant_id(const std::string& subject, const std::string& pattern) {
    return must(look([&](sql::Connection& db) -> Result<meta::GrantId> {
      BERTH_TRY(const auto space, meta::find_namespace(db, pattern.substr(0, pattern.find('/'))));
      BERTH_TRY(const auto holder, meta::find_principal(db, subject));
      if (!space || !holder) return meta::GrantId{0};
      BERTH_TRY(const auto found, meta::find_grant(db, space->id, holder->id, pattern));
      return found.value_or(0);
    }));
  }

  RightsModel model_;
  std::vector<Secret> secrets_;

 private:
  std::string check_secret(const Secret& secret) {
    const auto identity = identity_of(secret);
    if (identity.has_value() != is_alive(secret)) return "a secret of " + secret.name + " is " + outcome_of(identity);
    if (!identity) return "";
    for (const std::string_view name : kRepos) {
      const Letters ours = left(**identity, name);
      const Letters theirs = worth(secret, std::string(name));
      if (ours != theirs)
        return "a secret of " + secret.name + " on " + std::string(name) + ": " + text_of(ours) + ", not " +
               text_of(theirs);
    }
    return "";
  }
};

}  // namespace berth::test
