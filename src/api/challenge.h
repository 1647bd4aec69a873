#pragma once
// How a request without (enough) credentials is told what to bring (A2-A5).

#include "api/context.h"
#include "http/exchange.h"

#include <optional>
#include <string>
#include <string_view>

namespace berth::api {

/// The value of WWW-Authenticate. scopes: "repository:team/app:pull", separated by spaces; error: "", or a word of A4
/// where a token was presented.
std::string challenge(const Services& services, const http::Exchange& exchange, std::string_view scopes,
                      std::string_view error);

/// How this client reaches us, "https://reg.example.com". nullopt if the name it calls us by is not known to be ours
/// (A5, S24).
std::optional<std::string> base_of(const Services& services, const http::Exchange& exchange);
/// Where it finds the token service, "https://reg.example.com/token", or that of another
/// server if tokens come from there. Without one it is asked for Basic credentials,
/// which need no address.
std::optional<std::string> realm_of(const Services& services, const http::Exchange& exchange);

/// Whether the client's connection is encrypted, as far as we or a trusted proxy can tell. A proxy that does not say it
/// is taken to speak what external_url does.
bool is_secure(const Services& services, const http::Exchange& exchange);

}  // namespace berth::api
