#include "auth/ldap_sign_in.h"

namespace berth::auth {

io::Task<Result<std::optional<Subject>>> LdapSignIn::sign_in(std::string name, std::string password,
                                                             std::string address) {
  LdapQuestion question{std::move(name), std::move(password), {}};
  auto attempt = std::make_shared<std::optional<SignInLimiter::Attempt>>();  // shared: made on a thread of the pool
  question.may_try = [this, address, attempt](const std::string& id) -> Result<void> {
    BERTH_TRY(auto begun, limiter_.begin(id, address, deps_.clock.now_ms()));
    attempt->emplace(std::move(begun));
    return {};
  };
  auto answer = co_await io::offload(
      deps_.pool, [this, question = std::move(question)]() -> Result<LdapAnswer> { return deps_.ask(question); });
  if (!answer) {
    if (answer.error().code == Errc::unavailable)
      deps_.log.warn("ldap.failed",
                     {f("err", answer.error().cause.empty() ? answer.error().message : answer.error().cause)});
    co_return fail(std::move(answer).error());
  }
  if (!answer->person) {
    if (*attempt) (*attempt)->failed(deps_.clock.now_ms());
    co_return std::nullopt;
  }
  if (*attempt) (*attempt)->succeeded(deps_.clock.now_ms());
  auto subject = co_await deps_.accounts.sign_in(*std::move(answer->person), deps_.rules, "LDAP", std::move(address));
  if (subject) co_return *std::move(subject);
  // Of an account that cannot be made: he proved who he is, and is not let in.
  const bool is_about_account =
      subject.error().code == Errc::already_exists || subject.error().code == Errc::account_invalid;
  if (is_about_account) subject.error().code = Errc::denied;
  co_return fail(std::move(subject).error());
}

}  // namespace berth::auth
