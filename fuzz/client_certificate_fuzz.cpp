// Any bytes as a client's certificate, and as rules for its names: what is read keeps the promises of its header, and
// whoever a rule makes of it is an account by its form. Input: DER, or rules, an empty line, names.
#include "crypto/client_certificate.h"

#include "auth/accounts.h"
#include "auth/certificate_rule.h"
#include "base/assert.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace berth;

void check_name(std::string_view name) {
  BERTH_ASSERT(name.starts_with("dns:") || name.starts_with("uri:") || name.starts_with("email:"), "a kind we know");
  BERTH_ASSERT(std::ranges::all_of(name, [](char c) { return c > ' ' && c < '\x7f' && c != '*'; }), "read in one way");
  const bool is_lower = std::ranges::none_of(name, [](char c) { return c >= 'A' && c <= 'Z'; });
  BERTH_ASSERT(!name.starts_with("dns:") || is_lower, "hosts in lower case");
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    out.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

void check_match(const auth::CertificateMatch& match) {
  BERTH_ASSERT(match.account.empty() || auth::check_robot_name(match.account), "an account by its form");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (const auto certificate = crypto::parse_client_certificate(std::as_bytes(std::span(data, size)))) {
    for (const std::string& name : certificate->names) check_name(name);
  }
  const std::size_t gap = std::min(input.find("\n\n"), input.size());
  const auto rules = auth::parse_certificate_rules(lines_of(input.substr(0, gap)));
  if (!rules) return 0;
  const auto names = lines_of(input.substr(std::min(gap + 2, input.size())));
  if (const auto match = auth::match_certificate(*rules, names)) check_match(*match);
  return 0;
}
