#include "api/admin/conditions.h"

#include "base/hex.h"
#include "crypto/hash.h"
#include "http/chars.h"
#include "http/etag.h"

#include <algorithm>

namespace berth::api {

namespace {

/// "v3-7" of "v3-7.1f2e3d", with the quotes.
std::string version_part(std::string_view tag) {
  const std::size_t dot = tag.starts_with("\"v") && tag.ends_with('"') ? tag.find('.') : std::string_view::npos;
  return dot == std::string_view::npos ? std::string(tag) : std::string(tag.substr(0, dot)) + "\"";
}

}  // namespace

std::string etag_of(std::int64_t id, std::int64_t version) {
  return "\"v" + std::to_string(version) + "-" + std::to_string(id) + "\"";
}

std::string etag_of(const JsonObject& state) {
  constexpr std::size_t kShownBytes = 12;  // a chance of one in 2^96 that a change is not seen
  const std::string text = state.str();
  const auto sum = crypto::sha256(std::as_bytes(std::span(text)));
  return "\"s" + to_hex(std::span<const std::byte>(sum).first(kShownBytes)) + "\"";
}

std::string if_match_of(const AdminCall& call) { return call.request.if_match; }

Result<void> check_match(std::string_view wanted, std::string_view etag) {
  if (wanted.empty() || wanted == "*") return {};
  for (std::string_view rest = wanted; !rest.empty();) {
    const std::string_view tag = rest.substr(0, rest.find(','));  // ours have no commas
    if (version_part(http::trim(tag)) == etag) return {};
    rest.remove_prefix(std::min(tag.size() + 1, rest.size()));
  }
  return fail(Errc::precondition_failed, "it was changed meanwhile; its entity tag is " + std::string(etag) + " now");
}

Result<void> check_found(std::string_view wanted, const std::optional<std::string>& etag) {
  if (etag) return check_match(wanted, *etag);
  if (wanted.empty()) return {};
  return fail(Errc::precondition_failed, "it is not there, so that If-Match matches nothing");
}

bool must_be_new(const AdminCall& call) { return call.request.if_none_match == "*"; }

Result<void> check_new(bool must_be_new, bool is_there) {
  if (!must_be_new || !is_there) return {};
  return fail(Errc::precondition_failed, "it is there already");
}

void tell_shown(AdminReply& reply) {
  constexpr std::size_t kShownBytes = 6;
  const bool is_versioned = reply.etag.starts_with("\"v");
  const bool holds_a_secret = reply.body.contains("\"secret\":");  // of which not even a hash is told again
  if (!is_versioned || holds_a_secret || reply.body.empty() || reply.content_type != "application/json") return;
  const auto sum = crypto::sha256(std::as_bytes(std::span(reply.body)));
  reply.etag.insert(reply.etag.size() - 1, "." + to_hex(std::span<const std::byte>(sum).first(kShownBytes)));
}

void answer_if_unchanged(const AdminCall& call, AdminReply& reply) {
  const bool reads = call.request.method == http::Method::get || call.request.method == http::Method::head;
  if (!reads || reply.etag.empty() || call.request.if_none_match.empty()) return;
  const std::string_view opaque = std::string_view(reply.etag).substr(1, reply.etag.size() - 2);
  if (!http::matches(call.request.if_none_match, opaque, http::Comparison::weak)) return;
  reply.status = 304;
  reply.body.clear();
}

}  // namespace berth::api
