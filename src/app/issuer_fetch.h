#pragma once
// Asking an issuer of ID tokens for its documents, within what the settings allow (S17).

#include "base/result.h"
#include "http/networks.h"

#include <cstddef>
#include <string>

namespace berth::app {

/// The body behind the address. Only public addresses are connected to, and those of `networks`; http:// is for literal
/// addresses of `networks` alone. Redirects are not followed. Blocks, ten seconds at most.
/// Errors: unavailable, denied, parameter_invalid, with a sentence.
Result<std::string> fetch_from_issuer(const std::string& url, std::size_t bytes_max, const http::Networks& networks);

}  // namespace berth::app
