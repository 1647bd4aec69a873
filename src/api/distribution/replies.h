#pragma once
// Pieces of answers that several endpoints share.

#include "api/context.h"
#include "http/message.h"
#include "http/target.h"

#include <optional>
#include <string>
#include <string_view>

namespace berth::api {

/// A response head with the headers every answer has (H1).
http::Response reply(int status);

std::string blob_location(const oci::RepoName& repo, const oci::Digest& digest);
std::string manifest_location(const oci::RepoName& repo, const oci::Digest& digest);
/// Docker-Content-Digest and the validator that says the same.
void add_digest(http::Response& head, const oci::Digest& digest);

/// The digest of a URL. A well-formed one of an algorithm we do not have cannot be here: `absent` for reads,
/// digest_invalid for writes; a malformed one is always digest_invalid (G3).
enum class Access : std::uint8_t { read, write };
Result<oci::Digest> digest_argument(std::string_view text, Access access, Errc absent);

/// The page size `n`: nullopt if absent. Anything but a plain decimal number is parameter_invalid (L1, S1).
Result<std::optional<std::int64_t>> page_size(const http::Query& query);

/// Cache-Control of content addressed by digest: it can never change (P1).
std::string_view immutable_cache(const Services& services);

/// `{"key":["a","b"]}` with an optional first member, for the listings.
std::string names_body(std::string_view head, std::string_view key, const std::vector<std::string>& names);
/// The Link to the next page of a listing by name (L2).
std::string next_link(std::string_view path, std::int64_t n, std::string_view last);

}  // namespace berth::api
