#include "auth/jwt.h"

#include "base/base64.h"
#include "base/json.h"
#include "base/json_text.h"

#include <algorithm>

namespace berth::auth {

namespace {

using json::Value;
using Kind = json::Value::Kind;

/// Other issuers put claims of their own beside ours, some with objects inside; none is deep.
constexpr json::Limits kJsonLimits{.depth_max = 16, .elements_max = 20'000};

std::unexpected<Error> invalid(std::string why) {
  return fail(Errc::unauthorized, std::string(kTokenInvalid), std::move(why));
}

std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

// ---- writing

void append_strings(std::string& out, const std::vector<std::string>& texts) {
  out += '[';
  for (const std::string& text : texts) {
    if (&text != &texts.front()) out += ',';
    append_json_string(out, text);
  }
  out += ']';
}

void append_number(std::string& out, std::string_view name, std::optional<std::int64_t> value) {
  if (value) out.append(",\"").append(name).append("\":").append(std::to_string(*value));
}

std::string claims_text(const Claims& claims) {
  std::string out = "{\"iss\":" + json_string(claims.issuer);
  append_json_member(out, "sub", std::string_view(claims.subject));
  out += ",\"aud\":";
  if (claims.audiences.size() == 1) {  // the form every client and server reads
    append_json_string(out, claims.audiences.front());
  } else {
    append_strings(out, claims.audiences);
  }
  append_number(out, "exp", claims.expires);
  append_number(out, "nbf", claims.not_before);
  append_number(out, "iat", claims.issued_at);
  if (claims.principal != 0) append_number(out, "uid", claims.principal);
  if (claims.via != 0) append_number(out, "via", claims.via);
  if (claims.rule != 0) append_number(out, "rule", claims.rule);
  if (!claims.id.empty()) append_json_member(out, "jti", std::string_view(claims.id));
  out += ",\"access\":[";
  for (const Access& access : claims.access) {
    if (&access != &claims.access.front()) out += ',';
    out += "{\"type\":" + json_string(access.type);
    append_json_member(out, "name", std::string_view(access.name));
    out += ",\"actions\":";
    append_strings(out, access.actions);
    out += '}';
  }
  return out + "]}";
}

// ---- reading

/// header.payload.signature, still encoded.
struct Parts {
  std::string_view header;
  std::string_view payload;
  std::string_view signature;
  std::string_view signed_text;  // header.payload
};

Result<Parts> split(std::string_view text) {
  const std::size_t first = text.find('.');
  const std::size_t last = text.rfind('.');
  if (first == last || text.find('.', first + 1) != last)
    return invalid("a token has three parts");  // npos twice: none
  return Parts{.header = text.substr(0, first),
               .payload = text.substr(first + 1, last - first - 1),
               .signature = text.substr(last + 1),
               .signed_text = text.substr(0, last)};
}

Result<Value> parse_part(std::string_view encoded, std::string_view name) {
  const auto text = decode_base64url(encoded);
  if (!text) return invalid(std::string(name) + " is not base64url");
  auto value = json::parse(*text, kJsonLimits);
  if (!value.has_value()) return invalid(std::string(name) + ": " + value.error().message);
  if (!value->is(Kind::object)) return invalid(std::string(name) + " is no JSON object");
  return *std::move(value);
}

enum class Need : std::uint8_t { required, optional };

/// The member as text; empty if it may be absent and is.
Result<std::string> text_of(const Value& object, std::string_view name, Need need = Need::required) {
  const Value* member = object.find(name);
  if (member == nullptr && need == Need::optional) return std::string();
  if (member == nullptr || !member->is(Kind::string)) return invalid(std::string(name) + " is missing or no text");
  return member->string();
}

Result<std::optional<std::int64_t>> number_of(const Value& object, std::string_view name) {
  const Value* member = object.find(name);
  if (member == nullptr) return std::optional<std::int64_t>();
  if (!member->is(Kind::integer)) return invalid(std::string(name) + " is no integer");
  return std::optional(member->integer());
}

/// The elements of a member that is an array. Servers written in Go print an empty list as null.
Result<std::span<const Value>> elements_of(const Value& object, std::string_view name) {
  const Value* member = object.find(name);
  if (member == nullptr || member->is_null()) return std::span<const Value>();
  if (!member->is(Kind::array)) return invalid(std::string(name) + " is no array");
  return std::span<const Value>(member->array());
}

Result<std::vector<std::string>> texts_of(std::span<const Value> elements, std::string_view name) {
  std::vector<std::string> out;
  out.reserve(elements.size());
  for (const Value& element : elements) {
    if (!element.is(Kind::string)) return invalid(std::string(name) + " holds something that is no text");
    out.push_back(element.string());
  }
  return out;
}

Result<std::vector<std::string>> audiences_of(const Value& payload) {
  const Value* member = payload.find("aud");
  if (member == nullptr) return invalid("aud is missing");  // S9: a token for nobody in particular is for nobody
  if (member->is(Kind::string)) return std::vector{member->string()};
  if (!member->is(Kind::array)) return invalid("aud is neither text nor array");
  return texts_of(member->array(), "aud");
}

Result<std::vector<Access>> access_of(const Value& payload) {
  BERTH_TRY(const auto entries, elements_of(payload, "access"));
  std::vector<Access> out;
  out.reserve(entries.size());
  for (const Value& entry : entries) {
    if (!entry.is(Kind::object)) return invalid("access holds something that is no object");
    Access access;
    BERTH_TRY(access.type, text_of(entry, "type"));
    BERTH_TRY(access.name, text_of(entry, "name"));
    BERTH_TRY(const auto actions, elements_of(entry, "actions"));
    BERTH_TRY(access.actions, texts_of(actions, "actions"));
    out.push_back(std::move(access));
  }
  return out;
}

/// RFC 7519 4.1.
Result<Claims> parse_registered(const Value& payload) {
  Claims claims;
  BERTH_TRY(claims.issuer, text_of(payload, "iss"));
  BERTH_TRY(claims.subject, text_of(payload, "sub", Need::optional));
  BERTH_TRY(claims.audiences, audiences_of(payload));
  BERTH_TRY(const auto expires, number_of(payload, "exp"));
  if (!expires) return invalid("exp is missing");
  claims.expires = *expires;
  BERTH_TRY(claims.not_before, number_of(payload, "nbf"));
  BERTH_TRY(claims.issued_at, number_of(payload, "iat"));
  BERTH_TRY(claims.id, text_of(payload, "jti", Need::optional));
  return claims;
}

Result<Claims> parse_claims(const Value& payload) {
  BERTH_TRY(Claims claims, parse_registered(payload));
  BERTH_TRY(claims.access, access_of(payload));
  BERTH_TRY(const auto principal, number_of(payload, "uid"));
  BERTH_TRY(const auto via, number_of(payload, "via"));
  BERTH_TRY(const auto rule, number_of(payload, "rule"));
  claims.principal = principal.value_or(0);
  claims.via = via.value_or(0);
  claims.rule = rule.value_or(0);
  return claims;
}

// ---- judging

/// The one of our keys that the header names, if the header agrees with it.
Result<const crypto::VerifyKey*> choose_key(const Value& header, std::span<const crypto::VerifyKey> keys) {
  if (header.find("crit") != nullptr) return invalid("crit: an extension we do not know");
  if (const Value* type = header.find("typ"); type != nullptr && !(type->is(Kind::string) && type->string() == "JWT")) {
    return invalid("typ is not JWT");
  }
  BERTH_TRY(const std::string kid, text_of(header, "kid"));
  BERTH_TRY(const std::string algorithm, text_of(header, "alg"));
  const auto key = std::ranges::find(keys, kid, &crypto::VerifyKey::kid);
  if (key == keys.end()) return invalid("kid: no such key");
  if (algorithm != crypto::to_string(key->algorithm())) return invalid("alg does not fit the key");
  return &*key;
}

/// Times of the token stand alone on their side: no sum of theirs can overflow.
Result<void> check_claims(const Claims& claims, const TokenExpectations& expected) {
  const std::int64_t now_s = expected.now_ms / 1000;
  if (claims.issuer != expected.issuer) return invalid("iss is another");
  if (std::ranges::find(claims.audiences, expected.audience) == claims.audiences.end()) {
    return invalid("aud names others");
  }
  if (claims.not_before && *claims.not_before > now_s + expected.leeway_s) return invalid("nbf is still to come");
  if (claims.issued_at && *claims.issued_at > now_s + expected.leeway_s) return invalid("iat is still to come");
  if (claims.expires <= now_s - expected.leeway_s - expected.grace_s) {
    return fail(Errc::unauthorized, std::string(kTokenExpired), "exp is over");
  }
  return {};
}

/// The claims of a token that one of the keys signed.
Result<Value> signed_payload(std::string_view text, std::span<const crypto::VerifyKey> keys, std::size_t bytes_max) {
  if (text.size() > bytes_max) return invalid("longer than a token may be");
  BERTH_TRY(const Parts parts, split(text));
  BERTH_TRY(const Value header, parse_part(parts.header, "the header"));
  BERTH_TRY(const crypto::VerifyKey* key, choose_key(header, keys));
  const auto signature = decode_base64url(parts.signature);
  if (!signature || !key->verify(bytes(parts.signed_text), bytes(*signature))) return invalid("the signature is wrong");
  return parse_part(parts.payload, "the claims");
}

}  // namespace

std::string sign_token(const crypto::SigningKey& key, const Claims& claims) {
  std::string out = encode_base64url(R"({"typ":"JWT","alg":"ES256","kid":)" + json_string(key.kid()) + '}');
  out += '.';
  out += encode_base64url(claims_text(claims));
  const auto signature = key.sign(bytes(out));
  out += '.';
  return out + encode_base64url(signature);
}

Result<Claims> verify_token(std::string_view text, std::span<const crypto::VerifyKey> keys,
                            const TokenExpectations& expected) {
  BERTH_TRY(const Value payload, signed_payload(text, keys, expected.bytes_max));
  BERTH_TRY(Claims claims, parse_claims(payload));
  BERTH_TRYV(check_claims(claims, expected));
  return claims;
}

bool looks_like_token(std::string_view text) {
  constexpr std::string_view kObject = "eyJ";  // {" in base64url
  if (!text.starts_with(kObject) || std::ranges::count(text, '.') != 2) return false;
  return std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  });
}

Result<TokenHint> peek_token(std::string_view text, std::size_t bytes_max) {
  if (text.size() > bytes_max) return invalid("longer than a token may be");
  BERTH_TRY(const Parts parts, split(text));
  BERTH_TRY(const Value header, parse_part(parts.header, "the header"));
  BERTH_TRY(const Value payload, parse_part(parts.payload, "the claims"));
  TokenHint out;
  BERTH_TRY(out.kid, text_of(header, "kid"));
  BERTH_TRY(out.issuer, text_of(payload, "iss"));
  return out;
}

Result<IdToken> verify_id_token(std::string_view text, std::span<const crypto::VerifyKey> keys,
                                TokenExpectations expected) {
  IdToken out;
  BERTH_TRY(out.payload, signed_payload(text, keys, expected.bytes_max));
  BERTH_TRY(out.claims, parse_registered(out.payload));
  if (out.claims.audiences.empty()) return invalid("aud names nobody");
  expected.audience = out.claims.audiences.front();
  BERTH_TRYV(check_claims(out.claims, expected));
  return out;
}

}  // namespace berth::auth
