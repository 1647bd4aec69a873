#pragma once
// The endpoints of the distribution protocol: each reads the wire, calls the domain, writes the wire. A returned Error
// becomes the answer in one place (server_handler.cpp, error_response.cpp).

#include "api/context.h"
#include "http/exchange.h"

#include <optional>

namespace berth::api {

io::Task<Result<void>> get_base(Context& context, http::Exchange& exchange);      // end-1
io::Task<Result<void>> get_blob(Context& context, http::Exchange& exchange);      // end-2, GET and HEAD
io::Task<Result<void>> delete_blob(Context& context, http::Exchange& exchange);   // end-10
io::Task<Result<void>> get_manifest(Context& context, http::Exchange& exchange);  // end-3, GET and HEAD
/// The answer to get_manifest, where it needs no waiting; nullopt otherwise, whatever the reason. Without a body: 304.
struct ManifestAtHand {
  http::Response head;
  registry::ManifestPtr body;
  auth::IdentityPtr identity;  // whose request it is
};
std::optional<ManifestAtHand> find_manifest_at_hand(const Services& services, const http::Exchange& exchange);
io::Task<Result<void>> put_manifest(Context& context, http::Exchange& exchange);     // end-7
io::Task<Result<void>> delete_manifest(Context& context, http::Exchange& exchange);  // end-9
io::Task<Result<void>> start_upload(Context& context, http::Exchange& exchange);     // end-4, end-11
io::Task<Result<void>> append_upload(Context& context, http::Exchange& exchange);    // end-5
io::Task<Result<void>> finish_upload(Context& context, http::Exchange& exchange);    // end-6
io::Task<Result<void>> get_upload(Context& context, http::Exchange& exchange);       // end-13
io::Task<Result<void>> cancel_upload(Context& context, http::Exchange& exchange);    // end-14
io::Task<Result<void>> get_tags(Context& context, http::Exchange& exchange);         // end-8
io::Task<Result<void>> get_referrers(Context& context, http::Exchange& exchange);    // end-12
io::Task<Result<void>> get_catalog(Context& context, http::Exchange& exchange);
io::Task<Result<void>> get_extensions(Context& context, http::Exchange& exchange);       // E1
io::Task<Result<void>> get_repo_extensions(Context& context, http::Exchange& exchange);  // E1

}  // namespace berth::api
