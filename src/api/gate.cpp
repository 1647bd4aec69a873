#include "api/gate.h"

namespace berth::api {

namespace {

/// D2. An upload session can be cancelled all the same (A13).
Result<void> check_deletes(const Services& services, Endpoint endpoint, http::Method method) {
  const bool deletes_content = method == http::Method::delete_ && endpoint != Endpoint::upload_session;
  if (!deletes_content || services.deletes == Deletes::on) return {};
  return fail(Error(Errc::method_unknown, "deleting is switched off on this registry")
                  .with_items({std::string(allowed_methods(endpoint, Deletes::off))}));
}

}  // namespace

Result<void> admit(const Services& services, Endpoint endpoint, const http::Request& request) {
  if (!is_allowed(endpoint, request.method)) {
    return fail(Error(Errc::method_unknown, "the method is not supported here")
                    .with_items({std::string(allowed_methods(endpoint))}));
  }
  if (!is_protocol(endpoint)) return {};  // tells nothing of what is stored
  const Anonymous anonymous = services.anonymous;
  // Reading a session is part of pushing (A13).
  const bool reads = is_read(request.method) && endpoint != Endpoint::upload_session;
  if (anonymous == Anonymous::write) return check_deletes(services, endpoint, request.method);
  if (anonymous == Anonymous::read && reads) return {};
  return fail(Errc::unauthorized, anonymous == Anonymous::read
                                      ? "authentication required: this registry is read-only for anonymous callers"
                                      : "authentication required");
}

Result<oci::RepoName> repo_of(const Route& route) { return oci::RepoName::parse(route.name); }

Result<oci::RepoName> repo_to_write(const Context& context, std::string_view host) {
  BERTH_TRY(auto name, repo_of(context.route));
  const std::size_t bytes_max = context.services.limits.repo_name_bytes_max;
  if (!host.empty() && host.size() + 1 + name.str().size() > bytes_max) {
    return fail(Errc::name_invalid, "registry host and repository name together are longer than " +
                                        std::to_string(bytes_max) + " characters");
  }
  return name;
}

}  // namespace berth::api
