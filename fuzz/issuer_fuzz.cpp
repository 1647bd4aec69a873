// Any text as discovery document, key set and patterns of a trust rule: what is accepted keeps its rules, and patterns
// read the same after being printed. Input: the document, or a document, a line end and an issuer.
#include "auth/issuer_keys.h"
#include "auth/trust_rule.h"
#include "base/assert.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

using namespace berth;

void check_discovery(std::string_view text, std::string_view issuer) {
  const auto found = auth::parse_discovery(text, issuer);
  if (!found.has_value()) {
    BERTH_ASSERT(found.error().code == Errc::unavailable && !found.error().message.empty(), "a sentence");
    return;
  }
  BERTH_ASSERT(!found->keys.empty(), "keys are needed");
  for (const std::string& url : {found->keys, found->authorization, found->token, found->userinfo}) {
    if (url.empty()) continue;
    const bool is_plain = url.starts_with("http://") && issuer.starts_with("http://");
    BERTH_ASSERT(url.starts_with("https://") || is_plain, "as well protected as the issuer");
    BERTH_ASSERT(url.find_first_of("@\\# \r\n") == std::string::npos && url.find('\0') == std::string::npos,
                 "one reading");
    BERTH_ASSERT(url.size() <= 2048, "bounded");
  }
}

void check_jwks(std::string_view text) {
  const auto keys = auth::parse_jwks(text);
  if (!keys.has_value()) {
    BERTH_ASSERT(keys.error().code == Errc::unavailable && !keys.error().message.empty(), "a sentence");
    return;
  }
  BERTH_ASSERT(!keys->empty() && keys->size() <= 100, "some, and not too many");
  std::string set;
  for (const auto& key : *keys) set += (set.empty() ? "{\"keys\":[" : ",") + key.jwk();
  const auto again = auth::parse_jwks(set + "]}");
  BERTH_ASSERT(again.has_value() && again->size() == keys->size(), "print undoes parse");
}

void check_patterns(std::string_view text) {
  const auto patterns = auth::parse_claim_patterns(text);
  if (!patterns) return;
  const std::string printed = auth::print_claim_patterns(*patterns);
  const auto again = auth::parse_claim_patterns(printed);
  BERTH_ASSERT(again && auth::print_claim_patterns(*again) == printed, "print undoes parse");
  for (const auto& claim : *patterns) {
    if (claim.pattern.find('*') == std::string::npos)
      BERTH_ASSERT(auth::matches(claim.pattern, std::string_view(claim.pattern)), "a text matches itself");
  }
  (void)auth::check_trust_rule("https://token.actions.githubusercontent.com", "registry.example.com", *patterns);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_jwks(text);
  check_patterns(text);
  const std::size_t cut = text.find('\n');
  const std::string_view issuer = cut == std::string_view::npos ? "https://ci.example.com" : text.substr(cut + 1);
  check_discovery(text.substr(0, cut), issuer);
  return 0;
}
