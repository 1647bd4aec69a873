// People who make their own accounts, where the registry lets them.

#include "api/pages/html.h"
#include "api/pages/pages.h"

namespace berth::api::pages {

namespace {

std::string sign_up_form(const PageCall& call, std::string_view said) {
  const bool needs_invite = call.context.services.admin.sign_up() == SignUp::invite;
  std::string out = notice(said);
  out +=
      "<form method=\"post\" action=\"/signup\"><label>Name<input name=\"name\" autocomplete=\"username\" required "
      "minlength=\"2\" maxlength=\"64\" title=\"a-z and 0-9, with single '.', '_' or '-' between them\" value=\"" +
      escaped(call.form.has("name") ? call.field("name") : std::string()) +
      "\"></label>\n<label>Password<input name=\"password\" type=\"password\" autocomplete=\"new-password\" required "
      "minlength=\"8\" maxlength=\"256\"></label>\n<label>E-mail address, if you like<input name=\"email\" "
      "type=\"email\" autocomplete=\"email\" maxlength=\"254\"></label>\n";
  if (needs_invite) {
    out += "<label>Invitation<input name=\"invite\" autocomplete=\"off\" required maxlength=\"100\" value=\"" +
           escaped(call.form.has("invite") ? call.field("invite") : std::string()) + "\"></label>\n";
  }
  return out + "<button>Make the account</button>\n</form>\n<p><a href=\"/login\">I have one</a></p>\n";
}

}  // namespace

Shown show_sign_up(PageCall& call) {
  if (call.context.services.admin.sign_up() == SignUp::off)
    co_return page(call, "Make an account", notice("Accounts here are made by an administrator; ask one for yours."),
                   403);
  co_return page(call, "Make an account", sign_up_form(call, ""));
}

Shown sign_up(PageCall& call) {
  JsonObject body;
  body.text("name", call.field("name")).text("password", call.field("password"));
  if (const std::string email = call.field("email"); !email.empty()) body.text("email", email);
  if (const std::string invite = call.field("invite"); !invite.empty()) body.text("invite", invite);
  const AdminReply made = co_await ask_api(call, http::Method::post, "signup", body.str());
  if (!made.succeeded()) co_return page(call, "Make an account", sign_up_form(call, refusal_of(made)), made.status);
  BERTH_CO_TRY(const auto identity, co_await call.auth().authenticator.sign_in(
                                        {call.field("name"), call.field("password")}, call.context.address));
  co_return co_await let_in(call, identity, safe_next(""));
}

}  // namespace berth::api::pages
