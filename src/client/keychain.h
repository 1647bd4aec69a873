#pragma once
// Programs that keep credentials, as docker calls them: docker-credential-NAME get|store|erase|list, JSON in and out.
// One has ten seconds in all, and then is ended.

#include "base/result.h"
#include "client/docker_config.h"

#include <optional>
#include <string>
#include <string_view>

namespace berth::client {

/// What docker understands as "there are none".
inline constexpr std::string_view kNotInKeychain = "credentials not found in native keychain";

/// Errors: unavailable with what the helper said, or that it is not there.
Result<std::optional<Credentials>> ask_helper(std::string_view helper, std::string_view host);
Result<void> tell_helper(std::string_view helper, std::string_view host, const Credentials& credentials);
/// Whether it has something for the host; the secret itself is not asked for.
Result<bool> helper_knows(std::string_view helper, std::string_view host);
Result<void> erase_from_helper(std::string_view helper, std::string_view host);

/// The JSON of `get` and `store`. A user of "<token>" means an identity token.
std::string helper_json(std::string_view host, const Credentials& credentials);
Result<std::pair<std::string, Credentials>> parse_helper_json(std::string_view text);

}  // namespace berth::client
