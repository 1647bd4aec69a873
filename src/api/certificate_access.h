#pragma once
// Requests whose only credential is the certificate of their connection.

#include "api/context.h"
#include "http/exchange.h"

namespace berth::api {

/// Who the certificate says it is, for a request without an Authorization; the authenticator's anonymous() if it is
/// nobody's, or there is none.
/// Errors: denied for a change that the page of another site asks for, since browsers show a certificate to whoever
/// sent them, without being asked; those of the database.
Result<auth::IdentityPtr> identify_by_certificate(const Services& services, const http::Exchange& exchange,
                                                  std::string_view address);
/// The same without waiting, for reads: nullptr says nothing.
auth::IdentityPtr certificate_at_hand(const Services& services, const http::Exchange& exchange);

}  // namespace berth::api
