// A program on a machine without a browser shows a code; whoever is signed in here says whether it may (RFC 8628).

#include "api/pages/html.h"
#include "api/pages/pages.h"

namespace berth::api::pages {

namespace {

std::string code_form(std::string_view said) {
  return notice(said) +
         "<p>Type the code that the program shows.</p>\n<form method=\"get\" action=\"/device\">"
         "<label>Code<input name=\"user_code\" class=\"code\" autocomplete=\"off\" autocapitalize=\"characters\" "
         "spellcheck=\"false\" required maxlength=\"16\" autofocus></label>\n<button>Continue</button>\n</form>\n";
}

/// Who waits with the code that was typed. Guessing is slowed down. Errors: too_many_requests.
Result<std::optional<auth::DeviceCodes::Asking>> who_asks(const PageCall& call, std::string_view code) {
  auth::SignInLimiter& limiter = call.browser().limiter;
  const std::int64_t now_ms = call.context.services.clock.now_ms();
  BERTH_TRYV(limiter.check(call.subject().name, call.context.address, now_ms));
  auto asking = call.browser().devices.find(code);
  if (!asking) limiter.note_failure(call.subject().name, call.context.address, now_ms);
  return asking;
}

constexpr std::string_view kNoSuchCode =
    "No program waits with that code. It may have waited too long: start it again.";

}  // namespace

Shown show_device(PageCall& call) {
  const std::string code = call.field("user_code");
  if (code.empty()) co_return page(call, "Sign in a program", code_form(""));
  BERTH_CO_TRY(const auto asking, who_asks(call, code));
  if (!asking) co_return page(call, "Sign in a program", code_form(kNoSuchCode), 404);
  std::string body = "<p class=\"code\">" + escaped(code) + "</p>\n<p><strong>" + escaped(asking->client) +
                     "</strong> at the address <code>" + escaped(asking->address) +
                     "</code> asks to be signed in as <strong>" + escaped(call.subject().name) +
                     "</strong>. It gets an access token that can do what you can, until you revoke it or it ends "
                     "after 90 days.</p>\n" +
                     notice(
                         "Agree only if you started that program yourself, just now, and it shows this code. "
                         "Nobody else will ever ask you to type one here.");
  body += "<form method=\"post\" action=\"/device\">" + hidden_field("csrf", auth::form_token(call.cookie)) +
          hidden_field("user_code", code) +
          "<p class=\"choice\"><button name=\"verdict\" value=\"allow\">Sign it in</button>"
          "<button name=\"verdict\" value=\"deny\">Refuse</button></p></form>\n";
  co_return page(call, "Sign in a program", body);
}

Shown decide_device(PageCall& call) {
  const std::string code = call.field("user_code");
  BERTH_CO_TRY(const auto asking, who_asks(call, code));
  const bool allows = call.field("verdict") == "allow";
  const bool is_decided = asking && call.browser().devices.decide(code, allows ? call.session : nullptr);
  if (!is_decided) co_return page(call, "Sign in a program", code_form(kNoSuchCode), 404);
  meta::AuditEntry entry = call.auth().audit.entry(*call.session, call.context.address, call.request_id);
  entry.action = "device.decide";
  entry.target = asking->client;
  entry.allowed = allows;
  entry.rule = "asked from " + asking->address;
  call.auth().audit.note(std::move(entry));
  co_return page(call, "Sign in a program",
                 allows ? "<p role=\"status\">Done. The program goes on by itself; you can close this page.</p>"
                        : "<p role=\"status\">Refused. Nothing was signed in.</p>");
}

}  // namespace berth::api::pages
