#include "crypto/client_certificate.h"

#include "crypto/hash.h"
#include "crypto/openssl_handles.h"

#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <memory>
#include <string_view>

namespace berth::crypto {

namespace {

using X509Handle = std::unique_ptr<X509, Free<X509_free>>;
using NamesHandle = std::unique_ptr<GENERAL_NAMES, Free<GENERAL_NAMES_free>>;

constexpr int kNamesMax = 100;
constexpr int kNameBytesMax = 1024;

/// What is left out of it cannot be mistaken for another name, by us or by who reads the record.
bool is_plain(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f' && c != '*'; });
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

/// Empty for a name that does not count.
std::string text_of(const GENERAL_NAME& name) {
  int kind = 0;
  const void* value = GENERAL_NAME_get0_value(&name, &kind);
  if (value == nullptr || (kind != GEN_DNS && kind != GEN_URI && kind != GEN_EMAIL)) return {};
  const auto* string = static_cast<const ASN1_STRING*>(value);
  const int length = ASN1_STRING_length(string);
  if (length <= 0 || length > kNameBytesMax) return {};
  const std::string_view text(reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
                              static_cast<std::size_t>(length));  // by its length: a NUL does not end it
  if (!is_plain(text)) return {};
  if (kind == GEN_URI) return "uri:" + std::string(text);
  if (kind == GEN_DNS) return "dns:" + lower(text);
  const std::size_t at = text.rfind('@');
  if (at == std::string_view::npos) return {};
  return "email:" + std::string(text.substr(0, at)) + lower(text.substr(at));
}

}  // namespace

Result<ClientCertificate> parse_client_certificate(std::span<const std::byte> der) {
  ERR_clear_error();
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const X509Handle certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  if (!certificate) {
    ERR_clear_error();
    return fail(Errc::parameter_invalid, "no certificate");
  }
  ClientCertificate out;
  const auto hash = sha256(der);
  std::ranges::copy(hash, out.fingerprint.begin());
  out.not_after_ms = to_ms(X509_get0_notAfter(certificate.get()));
  // nullptr also for an extension that is there twice: then neither counts.
  const NamesHandle names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate.get(), NID_subject_alt_name, nullptr, nullptr)));
  const int count = names ? std::min(sk_GENERAL_NAME_num(names.get()), kNamesMax) : 0;
  for (int i = 0; i < count; ++i) {
    if (auto text = text_of(*sk_GENERAL_NAME_value(names.get(), i)); !text.empty())
      out.names.push_back(std::move(text));
  }
  ERR_clear_error();
  return out;
}

}  // namespace berth::crypto
