#include "api/admin/idempotency.h"

#include "auth/identity.h"
#include "base/json.h"

#include <algorithm>

namespace berth::api {

namespace {

constexpr std::size_t kKeyBytesMax = 255;

crypto::Sha256Sum hash_of(std::string_view text) { return crypto::sha256(std::as_bytes(std::span(text))); }

/// What is kept of a body to know it again by. A password is not of it: whoever got hold of the database could try many
/// against a quick hash, where the account's own is slow for that reason.
std::string without_password(const std::string& body) {
  const auto parsed = json::parse(body);
  if (!parsed || parsed->find("password") == nullptr) return body;
  JsonObject out;
  for (const auto& [name, value] : parsed->object()) {
    if (name == "password") continue;
    std::string text;
    json::append(text, value);
    out.raw(name, text);
  }
  return out.str();
}

/// The body, with null for its secret, if it tells one, and a word about that.
std::string without_secret(const std::string& body) {
  const auto parsed = json::parse(body);
  if (!parsed || parsed->find("secret") == nullptr) return body;
  JsonObject out;
  for (const auto& [name, value] : parsed->object()) {
    std::string text = "null";
    if (name != "secret") {
      text.clear();
      json::append(text, value);
    }
    out.raw(name, text);
  }
  out.text("detail", "the secret was told once, with the first answer; if that was lost, make another");
  return out.str();
}

}  // namespace

Result<std::optional<meta::CallKey>> call_key(const AdminCall& call, const AdminRoute& route) {
  const auto& text = call.request.idempotency_key;
  const bool is_kept = route.takes("Idempotency-Key") && call.identity.subject.id != 0;
  if (!text || !is_kept) return std::optional<meta::CallKey>();
  const auto is_visible = [](char c) { return c > ' ' && c < '\x7f'; };
  if (text->empty() || text->size() > kKeyBytesMax || !std::ranges::all_of(*text, is_visible))
    return fail(Errc::parameter_invalid, "an Idempotency-Key is 1 to 255 visible characters of ASCII");
  const std::string asked = std::string(call.operation) + "\n" + call.request.path + "\n" + call.request.query + "\n" +
                            without_password(call.request.body);
  // A token that is narrowed is not answered what one with more rights was.
  const auth::Narrowing& narrowing = call.identity.narrowing;
  const std::string name = *text + (narrowing.is_narrow ? "\n" + auth::print_narrowing(narrowing) : "");
  return std::optional(meta::CallKey{call.identity.subject.id, hash_of(name), hash_of(asked)});
}

Result<AdminReply> replay(const meta::KeptCall& kept, const meta::CallKey& key) {
  if (kept.request != key.request)
    return fail(Errc::account_invalid, "that Idempotency-Key was sent with another operation or body before");
  if (kept.answer.status == 0)
    return fail(Errc::state_conflict,
                "it was done, but the server stopped before it answered; look at what is there, and use another "
                "Idempotency-Key");
  AdminReply reply;
  reply.status = static_cast<int>(kept.answer.status);
  reply.location = kept.answer.location;
  reply.etag = kept.answer.etag;
  reply.body = kept.answer.body;
  reply.is_replay = true;
  return reply;
}

meta::KeptAnswer answer_to_keep(const AdminReply& reply) {
  return {reply.status, reply.location, reply.etag, without_secret(reply.body)};
}

}  // namespace berth::api
