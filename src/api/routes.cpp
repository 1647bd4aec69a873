#include "api/routes.h"

#include "http/target.h"

namespace berth::api {

namespace {

using http::Method;

/// "a/b/c" of the segments [1, end): the repository, in the same bytes the client sent (decoded once).
std::string join(const http::Path& path, std::size_t end) {
  std::string out;
  for (std::size_t i = 1; i < end; ++i) {
    if (i > 1) out.push_back('/');
    out.append(path[i]);
  }
  return out;
}

/// The first words of pages.
bool is_page(std::string_view path) {
  for (const std::string_view word : {"/login", "/logout", "/signup", "/device", "/settings"}) {
    if (path == word || (path.starts_with(word) && path[word.size()] == '/')) return true;
  }
  return path == "/berth.css";
}

/// The routes that end in a fixed shape behind a repository name. n = number of segments; path[0] is "v2".
Result<Route> match_suffix(const http::Path& path) {
  const std::size_t n = path.size();
  const auto from_end = [&](std::size_t k) { return k <= n ? path[n - k] : std::string_view{}; };
  const auto route = [&](Endpoint endpoint, std::size_t suffix, std::string_view argument) -> Result<Route> {
    if (n <= suffix + 1) return fail(Errc::route_unknown, "no such endpoint");
    return Route{endpoint, join(path, n - suffix), std::string(argument)};
  };
  if (from_end(3) == "blobs" && from_end(2) == "uploads") {
    if (from_end(1).empty()) return route(Endpoint::upload_start, 3, {});
    return route(Endpoint::upload_session, 3, from_end(1));
  }
  if (from_end(3) == "_oci" && from_end(2) == "ext" && from_end(1) == "discover")
    return route(Endpoint::repo_extensions, 3, {});
  if (from_end(2) == "blobs" && from_end(1) == "uploads") return route(Endpoint::upload_start, 2, {});
  if (from_end(2) == "blobs") return route(Endpoint::blob, 2, from_end(1));
  if (from_end(2) == "manifests") return route(Endpoint::manifest, 2, from_end(1));
  if (from_end(2) == "referrers") return route(Endpoint::referrers, 2, from_end(1));
  if (from_end(2) == "tags" && from_end(1) == "list") return route(Endpoint::tags, 2, {});
  return fail(Errc::route_unknown, "no such endpoint");
}

}  // namespace

std::string_view to_string(Endpoint endpoint) {
  switch (endpoint) {
    case Endpoint::base: return "base";
    case Endpoint::blob: return "blob";
    case Endpoint::manifest: return "manifest";
    case Endpoint::upload_start: return "upload_start";
    case Endpoint::upload_session: return "upload_session";
    case Endpoint::tags: return "tags";
    case Endpoint::referrers: return "referrers";
    case Endpoint::catalog: return "catalog";
    case Endpoint::extensions: return "extensions";
    case Endpoint::repo_extensions: return "repo_extensions";
    case Endpoint::health: return "health";
    case Endpoint::ready: return "ready";
    case Endpoint::metrics: return "metrics";
    case Endpoint::token: return "token";
    case Endpoint::jwks: return "jwks";
    case Endpoint::device_code: return "device_code";
    case Endpoint::setup: return "setup";
    case Endpoint::page: return "page";
    case Endpoint::admin: return "admin";
  }
  return "none";
}

Result<Route> match_route(std::string_view path) {
  if (path == "/healthz") return Route{Endpoint::health, {}, {}};
  if (path == "/readyz") return Route{Endpoint::ready, {}, {}};
  if (path == "/metrics") return Route{Endpoint::metrics, {}, {}};
  if (path == "/token") return Route{Endpoint::token, {}, {}};
  if (path == "/token/device") return Route{Endpoint::device_code, {}, {}};
  if (path == "/.well-known/jwks.json") return Route{Endpoint::jwks, {}, {}};
  if (path == "/setup" || path == "/setup/script.js") return Route{Endpoint::setup, {}, {}};
  if (is_page(path)) return Route{Endpoint::page, {}, {}};
  if (path.starts_with("/api/v1/")) return Route{Endpoint::admin, {}, {}};
  BERTH_TRY(const auto segments, http::split_path(path));
  const std::size_t n = segments.size();
  if (n == 0 || segments[0] != "v2") return fail(Errc::route_unknown, "no such endpoint");
  if (n == 1 || (n == 2 && segments[1].empty())) return Route{Endpoint::base, {}, {}};
  if (n == 2 && segments[1] == "_catalog") return Route{Endpoint::catalog, {}, {}};
  if (n == 4 && segments[1] == "_oci" && segments[2] == "ext" && segments[3] == "discover") {
    return Route{Endpoint::extensions, {}, {}};
  }
  return match_suffix(segments);
}

std::optional<ManifestPath> plain_manifest_path(std::string_view path) {
  constexpr std::string_view kPrefix = "/v2/";
  constexpr std::string_view kWord = "/manifests";
  if (!path.starts_with(kPrefix) || path.find('%') != std::string_view::npos) return std::nullopt;
  const std::size_t slash = path.rfind('/');
  const std::string_view front = path.substr(0, slash);
  if (!front.ends_with(kWord) || front.size() <= kPrefix.size() + kWord.size()) return std::nullopt;
  return ManifestPath{front.substr(kPrefix.size(), front.size() - kPrefix.size() - kWord.size()),
                      path.substr(slash + 1)};
}

std::string_view allowed_methods(Endpoint endpoint, Deletes deletes) {
  switch (endpoint) {
    case Endpoint::base:
    case Endpoint::tags:
    case Endpoint::referrers:
    case Endpoint::catalog:
    case Endpoint::extensions:
    case Endpoint::repo_extensions:
    case Endpoint::health:
    case Endpoint::ready:
    case Endpoint::metrics:
    case Endpoint::jwks:
    case Endpoint::setup: return "GET, HEAD";
    case Endpoint::blob: return deletes == Deletes::on ? "GET, HEAD, DELETE" : "GET, HEAD";
    case Endpoint::manifest: return deletes == Deletes::on ? "GET, HEAD, PUT, DELETE" : "GET, HEAD, PUT";
    case Endpoint::upload_start:
    case Endpoint::device_code: return "POST";
    case Endpoint::page: return "GET, HEAD, POST";
    case Endpoint::token: return "GET, HEAD, POST";
    case Endpoint::admin: return "GET, HEAD, POST, PUT, PATCH, DELETE";
    case Endpoint::upload_session: return "GET, HEAD, PATCH, PUT, DELETE";
  }
  return "GET, HEAD";
}

bool is_allowed(Endpoint endpoint, Method method) {
  if (endpoint == Endpoint::admin) return true;  // it tells by itself what each of its routes takes
  switch (method) {
    case Method::get:
    case Method::head: return endpoint != Endpoint::upload_start && endpoint != Endpoint::device_code;
    case Method::post:
      return endpoint == Endpoint::upload_start || endpoint == Endpoint::token || endpoint == Endpoint::device_code ||
             endpoint == Endpoint::page;
    case Method::patch: return endpoint == Endpoint::upload_session;
    case Method::put: return endpoint == Endpoint::upload_session || endpoint == Endpoint::manifest;
    case Method::delete_:
      return endpoint == Endpoint::upload_session || endpoint == Endpoint::manifest || endpoint == Endpoint::blob;
    case Method::options:
    case Method::other: return false;
  }
  return false;
}

}  // namespace berth::api
