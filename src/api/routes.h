#pragma once
// Which endpoint a path names. Matched from the right-hand end, because every route word is also a legal name
// component: /v2/a/manifests/b/manifests/latest is the tag "latest" of the repository "a/manifests/b" (G5).

#include "base/result.h"
#include "http/message.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace berth::api {

/// D2: whether what was pushed can be deleted: tags, manifests and blobs alike.
enum class Deletes : std::uint8_t { off, on };

enum class Endpoint : std::uint8_t {
  base,            // end-1
  blob,            // end-2, end-10
  manifest,        // end-3, end-7, end-9
  upload_start,    // end-4, end-11
  upload_session,  // end-5, end-6, end-13, end-14
  tags,            // end-8
  referrers,       // end-12
  catalog,
  extensions,       // E1, for the registry
  repo_extensions,  // E1, for a repository
  health,           // /healthz
  ready,            // /readyz
  metrics,          // /metrics
  token,            // /token: the token service, for everybody
  jwks,             // /.well-known/jwks.json: the public halves of the keys that sign tokens
  device_code,      // /token/device: the token service, for programs on machines without a browser
  setup,            // /setup: the page for the first administrator
  page,             // what people see in a browser: has routes of its own (api/pages/pages.cpp)
  admin,            // /api/v1/…: has routes of its own (api/admin/routes.cpp)
};
inline constexpr std::size_t kEndpointCount = static_cast<std::size_t>(Endpoint::admin) + 1;
/// "blob", "upload_session": the label of metrics and log.
std::string_view to_string(Endpoint endpoint);
/// Whether it is part of the distribution protocol, as opposed to what is around it.
constexpr bool is_protocol(Endpoint endpoint) { return endpoint < Endpoint::health; }
/// Whether it is there for the operator.
constexpr bool is_operators(Endpoint endpoint) {
  return endpoint == Endpoint::health || endpoint == Endpoint::ready || endpoint == Endpoint::metrics;
}

struct Route {
  Endpoint endpoint = Endpoint::base;
  std::string name;      // repository, not yet validated; empty where there is none
  std::string argument;  // digest, reference or session id, as decoded
};

/// Errors: route_unknown; request_malformed for a path that cannot be decoded (G6).
Result<Route> match_route(std::string_view path);

/// Of "/v2/<name>/manifests/<reference>".
struct ManifestPath {
  std::string_view name;       // neither is validated
  std::string_view reference;  // views into the path
};
/// The same route by the looks of it, for paths without an escape; nullopt: ask match_route.
std::optional<ManifestPath> plain_manifest_path(std::string_view path);

/// "GET, HEAD": what a 405 lists in Allow. A static string.
std::string_view allowed_methods(Endpoint endpoint, Deletes deletes = Deletes::on);
bool is_allowed(Endpoint endpoint, http::Method method);
/// Whether the method only reads.
constexpr bool is_read(http::Method method) { return method == http::Method::get || method == http::Method::head; }

}  // namespace berth::api
