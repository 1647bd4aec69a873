#pragma once
// What people see in a browser of signing in, of programs that ask to be signed in, of their tokens and sessions. Plain
// HTML from the server, forms that work without a script.
//
// A request that changes something must come from a page of ours: the browser says so (Sec-Fetch-Site, or else Origin),
// and where somebody is signed in the form brings a token that only our pages know. The session's cookie counts here
// and for the administration API, never for the registry itself (S12).

#include "api/context.h"
#include "http/exchange.h"
#include "http/target.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth::api {

io::Task<Result<void>> serve_page(Context& context, http::Exchange& exchange, std::string request_id);

/// Of every page: for the test that holds each to who may see it.
struct PageAddress {
  http::Method method;  // get: HEAD, too
  std::string_view path;
};
std::vector<PageAddress> page_addresses();

// ---- cookies

/// The value of the session's cookie; empty: none, or several of that name.
std::string session_cookie(const Services& services, const http::Exchange& exchange);
/// Whether a page of ours sent the request, as the browser tells; nullopt: it tells nothing.
std::optional<bool> is_same_origin(const http::Request& request);

// ---- for the pages

struct PageCall {
  Context& context;
  http::Exchange& exchange;
  http::Query query;          // of the address
  http::Query form;           // of a POST
  std::string cookie;         // of the session, empty: none
  auth::IdentityPtr session;  // nullptr: nobody is signed in
  std::string request_id;

  const Auth& auth() const { return context.services.auth; }
  BrowserSignIn& browser() const { return context.services.auth.browser; }
  const auth::Subject& subject() const { return session->subject; }
  /// A field of the form, or else of the address; empty: not there, or several.
  std::string field(std::string_view name) const;
};

struct PageReply {
  int status = 200;
  std::string body = {};
  std::string location = {};              // of a 303
  std::vector<std::string> cookies = {};  // values of Set-Cookie
  std::string media_type = "text/html; charset=utf-8";
};

/// A page with the frame of whoever is signed in.
PageReply page(const PageCall& call, std::string_view title, std::string_view body, int status = 200);
PageReply redirect(std::string location);
/// A sentence on a page of its own.
PageReply error_page(const PageCall& call, const Error& error);
/// Set-Cookie for the session, and to take it away: the value empty.
std::string set_session(const PageCall& call, std::string_view value);
/// For the way to the provider and back.
std::string set_oidc_cookie(const PageCall& call, std::string_view value);
std::string oidc_cookie(const PageCall& call);
/// A path of ours to go on at; anything else is "/settings/tokens".
std::string safe_next(std::string_view next);
/// The administration API, as whoever is signed in, or nobody: nothing is possible here that is not possible there.
io::Task<AdminReply> ask_api(PageCall& call, http::Method method, std::string path, std::string body = {});

/// What the API said against it.
std::string refusal_of(const AdminReply& reply);
/// A new session for whoever that is, and on to that page; one that the browser had before is over.
io::Task<Result<PageReply>> let_in(PageCall& call, auth::IdentityPtr person, std::string next);

namespace pages {

using Shown = io::Task<Result<PageReply>>;  // borrows: the call is of serve_page

Shown show_login(PageCall& call);
Shown sign_in(PageCall& call);
Shown sign_out(PageCall& call);
Shown show_sign_up(PageCall& call);
Shown sign_up(PageCall& call);
Shown go_to_provider(PageCall& call);
Shown come_from_provider(PageCall& call);
Shown begin_link(PageCall& call);
Shown show_device(PageCall& call);
Shown decide_device(PageCall& call);
Shown show_tokens(PageCall& call);
Shown create_token(PageCall& call);
Shown revoke_token(PageCall& call);
Shown show_sessions(PageCall& call);
Shown revoke_session(PageCall& call);

}  // namespace pages

}  // namespace berth::api
