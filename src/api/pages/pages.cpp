#include "api/pages/pages.h"

#include "api/caller_limits.h"
#include "api/challenge.h"
#include "api/error_response.h"
#include "api/pages/html.h"
#include "http/chars.h"
#include "http/networks.h"

#include <algorithm>

namespace berth::api {

namespace {

using http::Method;

constexpr std::size_t kFormBytesMax = 64 * 1024;
constexpr std::size_t kNextBytesMax = 500;
constexpr std::string_view kHome = "/settings/tokens";
constexpr std::int64_t kProviderS = 10LL * 60;  // how long a person may take there

enum class Who : std::uint8_t { anybody, signed_in };

struct PageRoute {
  Method method;
  std::string_view path;
  Who who;
  pages::Shown (*handler)(PageCall&);  // borrows: the call is of serve_page
};

constexpr PageRoute kRoutes[] = {
    {Method::get, "/login", Who::anybody, pages::show_login},
    {Method::post, "/login", Who::anybody, pages::sign_in},
    {Method::post, "/logout", Who::signed_in, pages::sign_out},
    {Method::get, "/signup", Who::anybody, pages::show_sign_up},
    {Method::post, "/signup", Who::anybody, pages::sign_up},
    {Method::get, "/login/oidc", Who::anybody, pages::go_to_provider},
    {Method::get, "/login/oidc/callback", Who::anybody, pages::come_from_provider},
    {Method::get, "/device", Who::signed_in, pages::show_device},
    {Method::post, "/device", Who::signed_in, pages::decide_device},
    {Method::get, "/settings/tokens", Who::signed_in, pages::show_tokens},
    {Method::post, "/settings/tokens", Who::signed_in, pages::create_token},
    {Method::post, "/settings/tokens/revoke", Who::signed_in, pages::revoke_token},
    {Method::get, "/settings/sessions", Who::signed_in, pages::show_sessions},
    {Method::post, "/settings/sessions/revoke", Who::signed_in, pages::revoke_session},
    {Method::post, "/settings/link", Who::signed_in, pages::begin_link},
};

/// "__Host-" is for encrypted connections only, and there a browser takes it from nobody but this very host.
std::string cookie_name(const PageCall& call, std::string_view name) {
  const bool is_private = is_secure(call.context.services, call.exchange);
  return (is_private ? "__Host-" : "") + std::string(name);
}

std::string set_cookie(const PageCall& call, std::string_view name, std::string_view value, std::int64_t life_s) {
  std::string out = cookie_name(call, name) + "=" + std::string(value);
  out += "; Path=/; HttpOnly; SameSite=Lax; Max-Age=" + std::to_string(value.empty() ? 0 : life_s);
  if (is_secure(call.context.services, call.exchange)) out += "; Secure";
  return out;
}

/// Empty: none, or several: then somebody else has put one there.
std::string read_cookie(const http::Request& request, std::string_view name) {
  std::string found;
  int count = 0;
  for (const http::HeaderField& field : request.fields) {
    if (!http::iequals(field.name, "Cookie")) continue;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      const std::size_t end = rest.find(';');
      const std::string_view pair = http::trim(rest.substr(0, end));
      rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
      const std::size_t equals = pair.find('=');
      if (equals == std::string_view::npos || pair.substr(0, equals) != name) continue;
      found = pair.substr(equals + 1);
      ++count;
    }
  }
  return count == 1 ? found : std::string();
}

/// "https://reg.example.com:5000" → "reg.example.com:5000"
std::string_view host_of(std::string_view origin) {
  const std::size_t scheme = origin.find("://");
  return scheme == std::string_view::npos ? std::string_view() : origin.substr(scheme + 3);
}

http::Response head_of(const PageReply& reply) {
  http::Response head{.status = reply.status, .reason = {}, .field_lines = {}};
  head.add("Content-Type", reply.media_type);
  head.add_lines({"\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: same-origin",
                  "\r\nCross-Origin-Opener-Policy: same-origin\r\nCross-Origin-Resource-Policy: same-origin",
                  "\r\nContent-Security-Policy: default-src 'none'; style-src 'self'; form-action 'self'; "
                  "frame-ancestors 'none'; base-uri 'none'"});
  head.add("Cache-Control", reply.media_type.starts_with("text/css") ? "public, max-age=3600" : "no-store");
  if (!reply.location.empty()) head.add("Location", reply.location);
  for (const std::string& cookie : reply.cookies) head.add("Set-Cookie", cookie);
  return head;
}

/// The methods that a path takes, for the 405.
std::string methods_of(std::string_view path) {
  std::string out;
  for (const PageRoute& route : kRoutes) {
    if (route.path != path) continue;
    if (!out.empty()) out += ", ";
    out += route.method == Method::get ? "GET, HEAD" : "POST";
  }
  return out;
}

Result<const PageRoute*> find_route(const http::Request& request) {
  const Method method = request.method == Method::head ? Method::get : request.method;
  for (const PageRoute& route : kRoutes) {
    if (route.path == request.path && route.method == method) return &route;
  }
  const std::string methods = methods_of(request.path);
  if (methods.empty()) return fail(Errc::route_unknown, "there is no such page");
  return fail(Error(Errc::method_unknown, "the method is not supported here").with_items({methods}));
}

/// Of a POST: that a page of ours sent it, and what it says.
io::Task<Result<void>> take_form(PageCall& call, Who who) {
  const http::Request& request = call.exchange.request();
  if (is_same_origin(request) != true) {
    co_return fail(Errc::denied, "this form was not sent by a page of this registry; open the page again");
  }
  const std::string type = request.joined("Content-Type");
  if (!http::iequals(http::trim(std::string_view(type).substr(0, type.find(';'))), "application/x-www-form-urlencoded"))
    co_return fail(Errc::media_type_unknown, "a form is application/x-www-form-urlencoded");
  BERTH_CO_TRY(const auto body, co_await call.exchange.read_body(kFormBytesMax, Errc::body_too_large));
  BERTH_CO_TRY(call.form, http::Query::parse(body));
  if (who == Who::signed_in && call.session && !auth::is_form_token(call.field("csrf"), call.cookie))
    co_return fail(Errc::denied, "the form is of another session; open the page again");
  co_return Result<void>{};
}

io::Task<Result<PageReply>> show(PageCall& call) {
  const http::Request& request = call.exchange.request();
  BERTH_CO_TRY(const PageRoute* const route, find_route(request));
  const Services& services = call.context.services;
  call.context.address = http::client_address(request, call.exchange.peer(), services.auth.trusted_proxies);
  BERTH_CO_TRY(call.query, http::Query::parse(request.query));
  call.cookie = session_cookie(services, call.exchange);
  BERTH_CO_TRY(call.session, services.auth.browser.sessions.find(call.cookie, call.context.address));
  call.context.identity = call.session;
  BERTH_CO_TRYV(take_request(call.context, call.session.get()));
  if (route->method == Method::post) {
    BERTH_CO_TRYV(co_await take_form(call, route->who));
    // Once more: the form may have been long in coming.
    BERTH_CO_TRY(call.session, services.auth.browser.sessions.find(call.cookie, call.context.address));
    call.context.identity = call.session;
  }
  if (route->who == Who::signed_in && !call.session) {
    std::string next(route->method == Method::get ? request.target : route->path);
    co_return redirect("/login?next=" + http::percent_encode(next));
  }
  co_return co_await route->handler(call);
}

}  // namespace

std::vector<PageAddress> page_addresses() {
  std::vector<PageAddress> out;
  for (const PageRoute& route : kRoutes) out.push_back({route.method, route.path});
  return out;
}

std::string session_cookie(const Services& services, const http::Exchange& exchange) {
  return read_cookie(exchange.request(), is_secure(services, exchange) ? "__Host-berth" : "berth");
}

std::optional<bool> is_same_origin(const http::Request& request) {
  if (const auto site = request.find("Sec-Fetch-Site")) return *site == "same-origin";
  const auto origin = request.find("Origin");
  const auto host = request.find("Host");
  if (!origin || !host) return std::nullopt;
  return http::iequals(host_of(*origin), *host);
}

std::string PageCall::field(std::string_view name) const {
  const auto given = form.has(name) ? form.single(name) : query.single(name);
  return given && *given ? **given : std::string();
}

PageReply page(const PageCall& call, std::string_view title, std::string_view body, int status) {
  const std::string token = call.session ? auth::form_token(call.cookie) : std::string();
  const std::string user = call.session ? call.subject().name : std::string();
  return {.status = status, .body = html_page({.title = title, .user = user, .form_token = token}, body)};
}

PageReply redirect(std::string location) { return {.status = 303, .location = std::move(location)}; }

PageReply error_page(const PageCall& call, const Error& error) {
  const int status = status_of_error(error);
  std::string body = notice(error.message.empty() ? "This did not work." : error.message);
  if (status >= 500) body += "<p>Request <code>" + escaped(call.request_id) + "</code></p>";
  if (!call.session) body += "<p><a href=\"/login\">Sign in</a></p>";
  return page(call, status == 404 ? "Not found" : "That did not work", body, status);
}

std::string set_session(const PageCall& call, std::string_view value) {
  return set_cookie(call, "berth", value, auth::WebSessions::kLifeMs / 1000);
}

std::string set_oidc_cookie(const PageCall& call, std::string_view value) {
  return set_cookie(call, "berth-oidc", value, kProviderS);
}

std::string oidc_cookie(const PageCall& call) {
  return read_cookie(call.exchange.request(), cookie_name(call, "berth-oidc"));
}

std::string safe_next(std::string_view next) {
  const bool is_path = next.starts_with('/') && !next.starts_with("//") && next.size() <= kNextBytesMax;
  const bool is_plain =
      std::ranges::all_of(next, [](char c) { return c > ' ' && c < '\x7f' && c != '\\' && c != '"'; });
  return std::string(is_path && is_plain ? next : kHome);
}

io::Task<AdminReply> ask_api(PageCall& call, Method method, std::string path, std::string body) {
  AdminRequest request;
  request.method = method;
  const std::size_t question = path.find('?');
  if (question != std::string::npos) request.query = path.substr(question + 1);
  request.path = path.substr(0, question);
  request.body = std::move(body);
  request.address = call.context.address;
  const auth::IdentityPtr who = call.session ? call.session : call.auth().authenticator.anonymous();
  co_return co_await call.context.services.admin.handle(*who, request, call.request_id);
}

std::string refusal_of(const AdminReply& reply) {
  const auto parsed = json::parse(reply.body);
  const json::Value* detail = parsed ? parsed->find("detail") : nullptr;
  return detail != nullptr && detail->is(json::Value::Kind::string) ? detail->string() : "it did not work";
}

io::Task<Result<PageReply>> let_in(PageCall& call, auth::IdentityPtr person, std::string next) {
  constexpr std::size_t kAgentBytesMax = 200;
  if (call.session) BERTH_CO_TRYV(co_await call.browser().sessions.close(call.session));
  const std::string agent = call.exchange.request().joined("User-Agent").substr(0, kAgentBytesMax);
  BERTH_CO_TRY(const std::string cookie,
               co_await call.browser().sessions.open(std::move(person), agent, call.context.address));
  PageReply reply = redirect(std::move(next));
  reply.cookies = {set_session(call, cookie), set_oidc_cookie(call, "")};
  co_return reply;
}

io::Task<Result<void>> serve_page(Context& context, http::Exchange& exchange, std::string request_id) {
  if (exchange.request().path == "/berth.css") {
    const PageReply style{.media_type = "text/css; charset=utf-8"};
    co_return co_await exchange.send(head_of(style), std::string(style_sheet()));
  }
  PageCall call{context, exchange, {}, {}, {}, {}, std::move(request_id)};
  auto shown = co_await show(call);
  if (!shown && shown.error().code == Errc::disconnected) co_return fail(std::move(shown).error());
  PageReply reply = shown ? *std::move(shown) : error_page(call, shown.error());
  http::Response head = head_of(reply);
  if (!shown && shown.error().code == Errc::method_unknown) head.add("Allow", shown.error().items.front());
  if (reply.status == 429)
    head.add("Retry-After", std::to_string(shown || shown.error().number == 0 ? 5 : shown.error().number));
  if (reply.status == 503) head.add("Retry-After", "5");
  co_return co_await exchange.send(std::move(head), std::move(reply.body));
}

}  // namespace berth::api
