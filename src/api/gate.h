#pragma once
// The only chain of checks between a request and its endpoint, in this order: method, who asks, what he may do. What
// somebody may do is decided by auth::rule() alone; here stands which right each endpoint needs, and how a refusal
// looks on the wire (A1-A10).

#include "api/context.h"
#include "http/exchange.h"

namespace berth::api {

/// What a request to a repository needs, as a right and as the actions of a token (A13).
struct Need {
  auth::Right right = auth::Right::read;
  auth::Actions actions;
};
/// nullopt for endpoints that are about no repository.
std::optional<Need> need_of(Endpoint endpoint, http::Method method);

/// What needs nobody to be identified: that the endpoint takes the method, that it is open, that there are no accounts.
/// nullopt: ask admit(). Errors: as admit()'s.
std::optional<Result<void>> admit_at_once(Context& context, const http::Exchange& exchange);
/// Finds out who asks and whether he may; fills the context's identity and rights.
/// Errors: method_unknown with the allowed methods as the only item; unauthorized with the challenge as the only item;
/// name_unknown for what may not be seen; denied; name_invalid (G1); too_many_requests.
io::Task<Result<void>> admit(Context& context, http::Exchange& exchange);
/// Once more, when the body of a change is there (A16): who sends slowly chooses how long ago he was let in. Errors: as
/// admit()'s.
io::Task<Result<void>> admit_again(Context& context, http::Exchange& exchange);
/// The body of a change: at its end it is asked whether the caller may still make it.
class RecheckedBody final : public io::ByteSource {
 public:
  /// Both outlive it.
  RecheckedBody(Context& context, http::Exchange& exchange) : context_(context), exchange_(exchange) {}
  io::Task<Result<std::size_t>> read(std::span<std::byte> out) override;
  std::uint64_t length_hint() const override { return exchange_.length_hint(); }

 private:
  Context& context_;
  http::Exchange& exchange_;
};
/// Puts on record that somebody was refused; a request without credentials is only the way clients begin, and is not.
void note_refusal(const Context& context, std::string action, std::string target, const Error& why);
/// Whether a manifest may be read from that repository, as far as it is known without waiting. False says nothing.
struct AtHand {
  bool may_read = false;
  auth::IdentityPtr identity;
};
AtHand may_read_at_hand(const Services& services, const http::Exchange& exchange, std::string_view repo);
/// What a listing may show the caller; empty: everything.
registry::NameFilter visible_to(const Context& context);
/// Whether the caller may pull from another repository than the route's.
Result<bool> may_read(const Context& context, const oci::RepoName& repo);

/// The repository of the route. Errors: name_invalid (G1).
Result<oci::RepoName> repo_of(const Route& route);
/// For a request that may create it: name and the host the client used must together stay within what clients can name.
Result<oci::RepoName> repo_to_write(const Context& context, std::string_view host);

}  // namespace berth::api
