#pragma once
// One HTTP exchange as a client, for what is rare and not about layers: the API of another server, keys of an identity
// provider. Blocks: never on an I/O thread. libcurl does the work.

#include "base/result.h"
#include "http/networks.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace berth::http {

/// Which addresses may be connected to (S17). What a name resolves to is checked on the address that is connected to,
/// so that no second answer of a name server helps.
enum class Reach : std::uint8_t {
  anywhere,     // the person at the terminal said where
  public_only,  // not this machine, not private, link-local or reserved networks, unless they are listed
};

struct FetchRequest {
  std::string method = "GET";
  std::string url;                                           // http:// or https://
  std::vector<std::pair<std::string, std::string>> headers;  // name, value
  std::string body;
  std::string user;  // of Basic credentials, empty: none
  std::string secret;
  std::string ca_file;  // trusted instead of the system's, empty: the system's
  Reach reach = Reach::anywhere;
  const Networks* allowed = nullptr;  // exceptions to public_only
  std::int64_t timeout_ms = 30'000;
  std::size_t bytes_max = 8 * 1024 * 1024;  // of the answer's body
};

struct FetchResponse {
  int status = 0;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case

  std::string_view find(std::string_view lower_case_name) const;
  bool succeeded() const { return status >= 200 && status < 300; }
};

/// Redirects are not followed: an answer is from whom was asked.
/// Errors: unavailable with a sentence about the connection; denied for an address that may not be connected to;
/// parameter_invalid for a URL that is none.
Result<FetchResponse> fetch(const FetchRequest& request);

}  // namespace berth::http
