// Signing in and out with a browser: by a password, or at the identity provider.

#include "api/challenge.h"
#include "api/pages/html.h"
#include "api/pages/pages.h"
#include "base/base64.h"
#include "io/address_group.h"

#include <algorithm>

namespace berth::api::pages {

namespace {

constexpr std::string_view kCallback = "/login/oidc/callback";

std::string label_of(const auth::Oidc& oidc) {
  return oidc.settings().label.empty() ? "single sign-on" : oidc.settings().label;
}

std::string login_form(const PageCall& call, std::string_view said) {
  std::string out = notice(said);
  const std::string next = safe_next(call.field("next"));
  if (const auth::Oidc* oidc = call.browser().oidc) {
    out += "<a class=\"button\" href=\"/login/oidc?next=" + http::percent_encode(next) + "\">Sign in with " +
           escaped(label_of(*oidc)) + "</a>\n<p>or by password:</p>\n";
  }
  out += "<form method=\"post\" action=\"/login\">" + hidden_field("next", next) +
         "<label>Name<input name=\"name\" autocomplete=\"username\" required maxlength=\"128\" value=\"" +
         escaped(call.form.has("name") ? call.field("name") : std::string()) +
         "\"></label>\n<label>Password<input name=\"password\" type=\"password\" autocomplete=\"current-password\" "
         "required maxlength=\"1024\"></label>\n<button>Sign in</button>\n</form>\n";
  if (call.context.services.admin.sign_up() != SignUp::off)
    out += "<p>No account yet? <a href=\"/signup\">Make one</a>.</p>\n";
  return out;
}

/// The address that the provider sends browsers back to. Errors: parameter_invalid with what helps.
Result<std::string> callback_of(const PageCall& call) {
  auto base = base_of(call.context.services, call.exchange);
  if (base) return *base + std::string(kCallback);
  return fail(Errc::parameter_invalid,
              "the registry does not know the name it was called by; its operator sets server.external_url");
}

/// What the cookie of the way to the provider holds: the secret, where to go on, and whose account is to be linked.
struct Journey {
  std::string secret;
  std::string next;
  std::string link;  // the form token of the session whose account is to be linked
};
std::string print(const Journey& journey) {
  return journey.secret + "." + encode_base64url(std::string_view(journey.next)) +
         (journey.link.empty() ? "" : "." + journey.link);
}
Journey parse(std::string_view text) {
  Journey out;
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos) return out;
  out.secret = text.substr(0, dot);
  text.remove_prefix(dot + 1);
  const std::size_t end = text.find('.');
  out.next = safe_next(decode_base64url(text.substr(0, end)).value_or(""));
  if (end != std::string_view::npos) out.link = text.substr(end + 1);
  return out;
}

/// Sends the browser to the provider.
io::Task<Result<auth::Oidc::Begun>> begin_journey(PageCall& call) {
  auth::Oidc* const oidc = call.browser().oidc;
  if (oidc == nullptr) co_return fail(Errc::route_unknown, "this registry has no identity provider");
  BERTH_CO_TRY(auto back, callback_of(call));
  co_return co_await oidc->begin(std::move(back));
}

/// Ties whoever is signed in to whoever that is there.
io::Task<Result<PageReply>> link(PageCall& call, auth::ExternalPerson person, std::string form_token) {
  if (!call.session || !auth::is_form_token(form_token, call.cookie))
    co_return fail(Errc::denied, "you are not signed in any more; sign in, and link again");
  meta::AuditEntry entry = call.auth().audit.entry(*call.session, call.context.address, call.request_id);
  entry.action = "account.link";
  entry.target = call.subject().name;
  entry.rule = "own account";
  BERTH_CO_TRYV(co_await call.browser().external.link(call.subject().name, std::move(person), std::move(entry)));
  PageReply reply = redirect("/settings/sessions");
  reply.cookies = {set_oidc_cookie(call, "")};
  co_return reply;
}

/// A provider's own word for why it sent the browser back without a code.
Error provider_refusal(const PageCall& call) {
  const std::string error = call.field("error");
  if (error == "access_denied") return Error(Errc::denied, "the sign-in was broken off");
  std::string text = "the identity provider refused the sign-in: " + error;
  const std::string why = call.field("error_description");
  return Error(Errc::denied, why.empty() ? std::move(text) : std::move(text) + " (" + why.substr(0, 300) + ")");
}

}  // namespace

Shown show_login(PageCall& call) {
  if (call.session && !call.query.has("next")) co_return redirect(safe_next(""));
  if (!call.auth().directory.has_accounts() && call.browser().oidc == nullptr) {
    co_return page(call, "Sign in",
                   "<p>Nobody has an account here yet. The first administrator is made at the address that the server "
                   "printed at its start, or by <code>berth user add NAME --admin</code>.</p>");
  }
  co_return page(call, "Sign in", login_form(call, ""));
}

Shown sign_in(PageCall& call) {
  const std::string name = call.field("name");
  auto identity = co_await call.auth().authenticator.sign_in({name, call.field("password")}, call.context.address);
  // A person's own password opens a browser's session: it can more than a token, and must not be had for one.
  const bool is_person = identity && (*identity)->subject.kind == auth::Subject::Kind::user && (*identity)->via == 0;
  if (is_person) co_return co_await let_in(call, *identity, safe_next(call.field("next")));
  if (!identity && identity.error().code != Errc::unauthorized) co_return fail(std::move(identity).error());
  const std::string said = identity && !(*identity)->is_anonymous()
                               ? "Here you sign in with your password; tokens are for docker and the API."
                               : "Wrong user name or password.";
  co_return page(call, "Sign in", login_form(call, said), 403);
}

Shown sign_out(PageCall& call) {
  BERTH_CO_TRYV(co_await call.browser().sessions.close(call.session));
  PageReply reply = redirect("/login");
  reply.cookies = {set_session(call, ""), set_oidc_cookie(call, "")};
  co_return reply;
}

Shown go_to_provider(PageCall& call) {
  BERTH_CO_TRY(const auto begun, co_await begin_journey(call));
  PageReply reply = redirect(begun.url);
  reply.cookies = {set_oidc_cookie(call, print({.secret = begun.secret, .next = safe_next(call.field("next"))}))};
  co_return reply;
}

/// A page with a link, not a redirect: browsers let a form of ours lead to us alone.
Shown begin_link(PageCall& call) {
  BERTH_CO_TRY(const auto begun, co_await begin_journey(call));
  const std::string label = label_of(*call.browser().oidc);
  PageReply reply = page(call, "Link a sign-in",
                         "<p>Sign in there, and from then on that opens this account, too.</p>\n<a class=\"button\" "
                         "href=\"" +
                             escaped(begun.url) + "\">Continue to " + escaped(label) + "</a>");
  reply.cookies = {set_oidc_cookie(
      call, print({.secret = begun.secret, .next = "/settings/sessions", .link = auth::form_token(call.cookie)}))};
  co_return reply;
}

Shown come_from_provider(PageCall& call) {
  auth::Oidc* const oidc = call.browser().oidc;
  if (oidc == nullptr) co_return fail(Errc::route_unknown, "this registry has no identity provider");
  const Journey journey = parse(oidc_cookie(call));
  if (!auth::Oidc::is_answer_to(journey.secret, call.field("state"))) {  // who makes answers up costs nobody anything
    call.context.services.log.warn("oidc.refused",
                                   {f("req", call.request_id), f("err", "the state is not of this browser")});
    co_return fail(Errc::denied, std::string(auth::kSignInFailed));
  }
  if (call.query.has("error")) co_return fail(provider_refusal(call));
  // Each answer makes us ask the provider: who sends codes that are none is slowed down, and nobody else.
  const std::int64_t now_ms = call.context.services.clock.now_ms();
  const std::string counted = "provider " + io::address_group(call.context.address);
  BERTH_CO_TRY(auto attempt, call.browser().limiter.begin(counted, call.context.address, now_ms));
  BERTH_CO_TRY(auto back, callback_of(call));
  auto person = co_await oidc->finish(
      {journey.secret, call.field("state"), call.field("code"), call.field("iss"), std::move(back)});
  if (!person) {
    if (person.error().code == Errc::denied) attempt.failed(now_ms);
    call.context.services.log.warn("oidc.refused", {f("req", call.request_id), f("err", person.error().cause)});
    co_return fail(std::move(person).error());
  }
  attempt.succeeded(now_ms);
  if (!journey.link.empty()) co_return co_await link(call, *std::move(person), journey.link);
  BERTH_CO_TRY(auto subject, co_await call.browser().external.sign_in(*std::move(person), oidc->settings().rules,
                                                                      "OpenID Connect", call.context.address));
  auth::Identity found;
  found.subject = std::move(subject);
  co_return co_await let_in(call, std::make_shared<const auth::Identity>(std::move(found)), journey.next);
}

}  // namespace berth::api::pages
