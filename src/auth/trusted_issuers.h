#pragma once
// Which issuers of ID tokens trust rules may name (auth.trusted_issuers). Who administers a namespace makes rules about
// any, and the registry then asks that issuer for its keys; who runs the registry may bound that.
//
// A pattern is an issuer as it is written in its tokens, https://gitlab.example.com, or has a wildcard in two places: a
// host *.example.com is any name below example.com, whatever the number of labels; a path /* at the end is any below.

#include "base/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace berth::auth {

class TrustedIssuers {
 public:
  /// Every one.
  TrustedIssuers() = default;
  /// Likewise without any patterns. Errors: parameter_invalid with a sentence.
  static Result<TrustedIssuers> parse(const std::vector<std::string>& patterns);

  bool allows(std::string_view issuer) const;

 private:
  struct Pattern {
    std::string scheme;
    std::string host;  // with the port; of a wildcard ".example.com"
    std::string path;  // without a slash at its end
    bool is_any_below_host = false;
    bool is_any_below_path = false;
  };
  static bool matches(const Pattern& pattern, const Pattern& issuer);

  std::vector<Pattern> patterns_;
};

}  // namespace berth::auth
