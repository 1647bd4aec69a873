#include "api/certificate_access.h"

namespace berth::api {

namespace {

/// Browsers say where a request comes from, and no page can change what they say. Programs say nothing.
bool is_of_another_site(const http::Request& request) {
  const std::string site = request.joined("Sec-Fetch-Site");
  if (!site.empty()) return site != "same-origin" && site != "none";
  return request.find("Origin").has_value();  // of an old browser, which would not say that it is our own page
}

auth::IdentityPtr or_anonymous(const Services& services, auth::IdentityPtr identity) {
  return identity->is_anonymous() ? services.auth.authenticator.anonymous() : std::move(identity);
}

}  // namespace

Result<auth::IdentityPtr> identify_by_certificate(const Services& services, const http::Exchange& exchange,
                                                  std::string_view address) {
  const crypto::ClientCertificate* certificate = exchange.client_certificate();
  if (certificate == nullptr) return services.auth.authenticator.anonymous();
  BERTH_TRY(auto identity, services.auth.certificates.identify(*certificate, address));
  const http::Request& request = exchange.request();
  if (!identity->is_anonymous() && !is_read(request.method) && is_of_another_site(request))
    return fail(Errc::denied, "a page of another site may not change anything with your certificate");
  return or_anonymous(services, std::move(identity));
}

auth::IdentityPtr certificate_at_hand(const Services& services, const http::Exchange& exchange) {
  auto found = services.auth.certificates.find_cached(*exchange.client_certificate());
  return found ? or_anonymous(services, std::move(found)) : nullptr;
}

}  // namespace berth::api
