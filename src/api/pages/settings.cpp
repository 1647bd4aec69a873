// One's own access tokens and sessions.

#include "api/challenge.h"
#include "api/pages/html.h"
#include "api/pages/pages.h"

namespace berth::api::pages {

namespace {

using json::Value;

/// The objects of a page of the API's lists.
std::vector<Value> items_of(const AdminReply& reply) {
  const auto parsed = json::parse(reply.body);
  const Value* items = parsed ? parsed->find("items") : nullptr;
  return items != nullptr && items->is(Value::Kind::array) ? items->array() : std::vector<Value>();
}

std::string date_cell(const Value& object, std::string_view name, std::string_view otherwise) {
  const std::string at = object.text(name);
  if (at.empty()) return "<td>" + std::string(otherwise) + "</td>";
  return "<td><time datetime=\"" + escaped(at) + "\">" + escaped(at.substr(0, 10)) + "</time></td>";
}

std::string revoke_button(const PageCall& call, std::string_view action, std::string_view id, std::string_view word) {
  return "<td><form class=\"inline\" method=\"post\" action=\"" + std::string(action) + "\">" +
         hidden_field("csrf", auth::form_token(call.cookie)) + hidden_field("id", id) + "<button>" + std::string(word) +
         "</button></form></td>";
}

std::string scopes_text(const Value& token) {
  const Value* scopes = token.find("scopes");
  if (scopes == nullptr || !scopes->is(Value::Kind::array)) return "everything that you may";
  std::string out;
  for (const Value& scope : scopes->array()) out += (out.empty() ? "" : ", ") + scope.string();
  return out;
}

constexpr std::string_view kTokenForm =
    "<h2>Make a token</h2>\n<form method=\"post\" action=\"/settings/tokens\">"
    "<label>Name, by which you will know it<input name=\"name\" required maxlength=\"100\"></label>\n"
    "<label>It ends after<select name=\"expires_in\"><option value=\"30d\">30 days</option>"
    "<option value=\"90d\" selected>90 days</option><option value=\"365d\">a year</option>"
    "<option value=\"\">never</option></select></label>\n"
    "<label>Only for these, one a line (nothing: for everything that you may)"
    "<textarea name=\"scopes\" rows=\"3\" "
    "placeholder=\"acme/web:read,write&#10;acme/**:read&#10;org:admin:acme\"></textarea></label>\n";

io::Task<Result<PageReply>> tokens_page(PageCall& call, std::string above, int status) {
  const AdminReply listed = co_await ask_api(call, http::Method::get, "user/tokens?limit=500");
  std::string body = std::move(above);
  body +=
      "<p>An access token is a password for docker and other programs. It stays when you sign out of the "
      "browser.</p>\n<table><thead><tr><th>Name<th>For<th>Made<th>Ends<th>Last used<th></tr></thead><tbody>\n";
  for (const Value& token : items_of(listed)) {
    if (!token.text("revoked_at").empty()) continue;
    body += "<tr><td>" + escaped(token.text("name")) + "</td><td>" + escaped(scopes_text(token)) + "</td>" +
            date_cell(token, "created_at", "") + date_cell(token, "expires_at", "never") +
            date_cell(token, "last_used_at", "never") +
            revoke_button(call, "/settings/tokens/revoke", token.text("id"), "Revoke") + "</tr>\n";
  }
  body += "</tbody></table>\n";
  std::string form(kTokenForm);
  form += hidden_field("csrf", auth::form_token(call.cookie)) + "<button>Make the token</button>\n</form>\n";
  co_return page(call, "Access tokens", body + form, status);
}

/// ["a","b"] of the lines of a text.
std::string lines_json(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
    while (line.starts_with(' ')) line.remove_prefix(1);
    if (line.empty()) continue;
    out += out.empty() ? "[" : ",";
    append_json_string(out, line);
  }
  return out.empty() ? out : out + "]";
}

std::string made_text(const PageCall& call, std::string_view secret) {
  const std::string base = base_of(call.context.services, call.exchange).value_or("");
  const std::size_t scheme = base.find("://");
  const std::string host = scheme == std::string::npos ? "REGISTRY" : base.substr(scheme + 3);
  return "<div role=\"status\"><p>This is the token. It is shown this once.</p>\n<p><code>" + escaped(secret) +
         "</code></p>\n<p>For docker: <code>docker login -u " + escaped(call.subject().name) + " " + escaped(host) +
         "</code>, and the token as password.</p></div>\n";
}

}  // namespace

Shown show_tokens(PageCall& call) { co_return co_await tokens_page(call, "", 200); }

Shown create_token(PageCall& call) {
  JsonObject body;
  body.text("name", call.field("name"));
  if (const std::string life = call.field("expires_in"); !life.empty()) body.text("expires_in", life);
  if (const std::string scopes = lines_json(call.field("scopes")); !scopes.empty()) body.raw("scopes", scopes);
  const AdminReply made = co_await ask_api(call, http::Method::post, "user/tokens", body.str());
  if (!made.succeeded()) co_return co_await tokens_page(call, notice(refusal_of(made)), made.status);
  const auto parsed = json::parse(made.body);
  co_return co_await tokens_page(call, made_text(call, parsed ? parsed->text("secret") : ""), 200);
}

Shown revoke_token(PageCall& call) {
  const AdminReply done =
      co_await ask_api(call, http::Method::delete_, "user/tokens/" + http::percent_encode(call.field("id")));
  if (!done.succeeded()) co_return co_await tokens_page(call, notice(refusal_of(done)), done.status);
  co_return redirect("/settings/tokens");
}

Shown show_sessions(PageCall& call) {
  const AdminReply listed = co_await ask_api(call, http::Method::get, "user/sessions?limit=500");
  std::string body =
      "<p>What is signed in as you: browsers, docker logins, short-lived passwords.</p>\n<table><thead><tr><th>"
      "What<th>Since<th>Last used<th>From<th></tr></thead><tbody>\n";
  for (const Value& session : items_of(listed)) {
    const Value* current = session.find("current");
    const bool is_this = current != nullptr && current->is(Value::Kind::boolean) && current->boolean();
    body += "<tr><td>" + escaped(session.text("kind")) + (is_this ? ", this one" : "") + "<br><small>" +
            escaped(session.text("name")) + "</small></td>" + date_cell(session, "created_at", "") +
            date_cell(session, "last_used_at", "never") + "<td>" + escaped(session.text("last_used_from")) + "</td>" +
            revoke_button(call, "/settings/sessions/revoke", session.text("id"), "End") + "</tr>\n";
  }
  body += "</tbody></table>\n";
  if (const auth::Oidc* oidc = call.browser().oidc) {
    const std::string label = oidc->settings().label.empty() ? "single sign-on" : oidc->settings().label;
    body += "<h2>Sign-in from outside</h2>\n<form method=\"post\" action=\"/settings/link\">" +
            hidden_field("csrf", auth::form_token(call.cookie)) + "<button>Link this account to " + escaped(label) +
            "</button></form>\n";
  }
  co_return page(call, "Sessions", body);
}

Shown revoke_session(PageCall& call) {
  const AdminReply done =
      co_await ask_api(call, http::Method::delete_, "user/sessions/" + http::percent_encode(call.field("id")));
  if (!done.succeeded()) co_return page(call, "Sessions", notice(refusal_of(done)), done.status);
  co_return redirect("/settings/sessions");
}

}  // namespace berth::api::pages
