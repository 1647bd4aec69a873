#include "api/gate.h"

namespace berth::api {

Result<void> admit(const Context& context, const http::Request& request) {
  const Endpoint endpoint = context.route.endpoint;
  if (!is_allowed(endpoint, request.method)) {
    return fail(Error(Errc::method_unknown, "the method is not supported here")
                    .with_items({std::string(allowed_methods(endpoint))}));
  }
  const Anonymous anonymous = context.services.anonymous;
  // Reading a session is part of pushing (A13).
  const bool reads = is_read(request.method) && endpoint != Endpoint::upload_session;
  if (anonymous == Anonymous::write || (anonymous == Anonymous::read && reads)) return {};
  return fail(Errc::unauthorized, reads ? "authentication required"
                                        : "authentication required: this registry is read-only for anonymous callers");
}

Result<oci::RepoName> repo_of(const Route& route, std::string_view host) {
  BERTH_TRY(auto name, oci::RepoName::parse(route.name));
  if (!host.empty() && host.size() + 1 + name.str().size() > oci::RepoName::kBytesMax) {
    return fail(Errc::name_invalid, "registry host and repository name together are longer than 255 characters");
  }
  return name;
}

}  // namespace berth::api
