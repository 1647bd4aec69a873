#include "api/device_grant.h"

#include "api/caller_limits.h"
#include "api/challenge.h"
#include "base/json_text.h"
#include "http/networks.h"

#include <algorithm>

namespace berth::api {

namespace {

using State = auth::DeviceCodes::State;

constexpr std::size_t kFormBytesMax = 16 * 1024;
constexpr std::int64_t kTokenDays = 90;
constexpr std::size_t kNameBytesMax = 100;

http::Response json_head(int status) {
  http::Response head{.status = status, .reason = {}, .field_lines = {}};
  head.add_lines({"\r\nContent-Type: application/json\r\nCache-Control: no-store"});
  return head;
}

/// RFC 6749 5.2, as programs that speak this grant read it.
io::Task<Result<void>> send_error(http::Exchange& exchange, std::string error, std::string why) {
  std::string body = "{\"error\":" + json_string(error);
  append_json_member(body, "error_description", why);
  co_return co_await exchange.send(json_head(400), body + "}");
}

/// As it may be shown to a person: text in one line.
std::string fit_name(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, kNameBytesMax))
    out += static_cast<unsigned char>(c) < 0x20 || c == '\x7f' ? ' ' : c;
  return out.empty() ? "a program" : out;
}

/// The token, as the person would have made it himself.
io::Task<AdminReply> make_token(Context& context, auth::Subject person, std::string client, std::string request_id) {
  auth::Identity identity;
  identity.subject = std::move(person);
  identity.credential = auth::Credential::password;
  AdminRequest request;
  request.method = http::Method::post;
  request.path = "user/tokens";
  request.address = context.address;
  request.body = JsonObject().text("name", fit_name(client)).text("expires_in", std::to_string(kTokenDays) + "d").str();
  co_return co_await context.services.admin.handle(identity, request, std::move(request_id));
}

/// Of the API's answer; empty: it made none.
std::string secret_of(const AdminReply& made) {
  const auto parsed = json::parse(made.body);
  return parsed && made.succeeded() ? parsed->text("secret") : std::string();
}

}  // namespace

io::Task<Result<void>> begin_device_sign_in(Context& context, http::Exchange& exchange) {
  BERTH_CO_TRY(const auto body, co_await exchange.read_body(kFormBytesMax, Errc::body_too_large));
  BERTH_CO_TRY(const auto form, http::Query::parse(body));
  BERTH_CO_TRY(const auto client, form.single("client_id"));
  BERTH_CO_TRYV(take_request(context, nullptr));
  const auto base = base_of(context.services, exchange);
  if (!base) {
    co_return fail(Errc::parameter_invalid,
                   "the registry does not know the name it was called by; its operator sets server.external_url");
  }
  BERTH_CO_TRY(const auto begun, context.services.auth.browser.devices.begin(
                                     {fit_name(client.value_or("")), context.address}, context.services.random));
  std::string out = "{\"device_code\":" + json_string(begun.device_code);
  append_json_member(out, "user_code", begun.user_code);
  append_json_member(out, "verification_uri", *base + "/device");
  append_json_member(out, "verification_uri_complete", *base + "/device?user_code=" + begun.user_code);
  append_json_member(out, "expires_in", std::uint64_t{auth::DeviceCodes::kLifeMs / 1000});
  append_json_member(out, "interval", std::uint64_t{auth::DeviceCodes::kIntervalMs / 1000});
  co_return co_await exchange.send(json_head(200), out + "}");
}

// borrows: form is of post_token
io::Task<Result<void>> answer_device_grant(Context& context, http::Exchange& exchange, const http::Query& form) {
  BERTH_CO_TRY(const auto code, form.single("device_code"));
  BERTH_CO_TRYV(take_request(context, nullptr));
  const auto answer = context.services.auth.browser.devices.poll(code.value_or(""));
  switch (answer.state) {
    case State::pending: co_return co_await send_error(exchange, "authorization_pending", "nobody has agreed yet");
    case State::slow_down: co_return co_await send_error(exchange, "slow_down", "ask less often");
    case State::denied: co_return co_await send_error(exchange, "access_denied", "the sign-in was refused");
    case State::expired:
      co_return co_await send_error(exchange, "expired_token", "the code is not known, or not any more; begin anew");
    case State::agreed: break;
  }
  // What the person said counts as long as the session does that said it.
  BERTH_CO_TRY(const bool is_open, context.services.auth.browser.sessions.is_open(*answer.person));
  if (!is_open) co_return co_await send_error(exchange, "access_denied", "whoever agreed is not signed in any more");
  const AdminReply made = co_await make_token(context, answer.person->subject, answer.client, context.request_id);
  const std::string secret = secret_of(made);
  if (secret.empty())
    co_return co_await send_error(exchange, "access_denied", "no token could be made for that account");
  std::string out = "{\"access_token\":" + json_string(secret);
  append_json_member(out, "token_type", std::string_view("Bearer"));
  append_json_member(out, "expires_in", std::uint64_t{kTokenDays * 24 * 60 * 60});
  append_json_member(out, "username", answer.person->subject.name);
  co_return co_await exchange.send(json_head(200), out + "}");
}

}  // namespace berth::api
