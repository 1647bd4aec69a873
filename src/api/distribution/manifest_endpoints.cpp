// Manifests and tags: reading, pushing, deleting.

#include "api/distribution/endpoints.h"
#include "api/distribution/replies.h"
#include "api/error_response.h"
#include "api/gate.h"
#include "http/etag.h"
#include "http/warning.h"
#include "oci/media_type.h"

#include <algorithm>
#include <set>

namespace berth::api {

namespace {

Result<void> check_tag_length(const oci::Tag& tag, const registry::Limits& limits) {
  if (tag.str().size() <= limits.tag_bytes_max) return {};
  return fail(Errc::tag_invalid, "a tag is at most " + std::to_string(limits.tag_bytes_max) + " characters long here");
}

/// The reference of the URL. What can never be stored cannot be found either: 404 for reads, 400 for writes (G3, G4).
Result<oci::Reference> reference_argument(const Context& context, Access access) {
  const std::string& text = context.route.argument;
  if (text.find(':') != std::string::npos) {
    BERTH_TRY(const auto digest, digest_argument(text, access, Errc::manifest_unknown));
    return oci::Reference(digest);
  }
  auto tag = oci::Tag::parse(text);
  if (!tag && access == Access::read) return fail(Errc::manifest_unknown, "no such manifest or tag in this repository");
  BERTH_TRY(auto valid, std::move(tag));
  if (access == Access::write) BERTH_TRYV(check_tag_length(valid, context.services.limits));
  return oci::Reference(std::move(valid));
}

/// The head of an answer to a read: 200, or 304 if the client has it (H5).
http::Response answer_to(const Services& services, const http::Request& request, bool by_digest,
                         const meta::ManifestHead& found) {
  const std::string condition = request.joined("If-None-Match");
  const bool is_known =
      !condition.empty() && http::matches(condition, found.digest.text().view(), http::Comparison::weak);
  http::Response head = reply(is_known ? 304 : 200);
  add_digest(head, found.digest);
  head.add_lines({"\r\nCache-Control: ", by_digest ? immutable_cache(services) : "no-cache"});  // P5
  if (!is_known) head.add("Content-Type", found.media_type);
  return head;
}

bool is_not_modified(const http::Response& head) { return head.status == 304; }

/// `tag=` and `?digest=` of a push (M5): tags only beside a digest, a digest only beside a tag.
struct PushParameters {
  std::vector<oci::Tag> tags;
  std::optional<oci::Digest> pin;
};

Result<PushParameters> push_parameters(std::string_view query_text, const oci::Reference& reference,
                                       const registry::Limits& limits) {
  BERTH_TRY(const auto query, http::Query::parse(query_text));
  PushParameters out;
  for (const std::string& text : query.all("tag")) {
    if (!reference.is_digest()) return fail(Errc::parameter_invalid, "tag= is only possible when pushing by digest");
    BERTH_TRY(auto tag, oci::Tag::parse(text));
    BERTH_TRYV(check_tag_length(tag, limits));
    if (std::ranges::find(out.tags, tag) == out.tags.end()) out.tags.push_back(std::move(tag));
    if (out.tags.size() > limits.tags_per_put_max)
      return fail(Errc::too_many_tags, "more than " + std::to_string(limits.tags_per_put_max) + " tags in one push");
  }
  BERTH_TRY(const auto pin, query.single("digest"));
  if (pin) {
    BERTH_TRY(const auto digest, oci::Digest::parse(*pin));
    if (reference.is_digest() && reference.digest() != digest)
      return fail(Errc::digest_invalid, "digest= contradicts the digest of the URL");
    out.pin = digest;
  }
  return out;
}

/// H9: clients print these lines; all together stay within what the specification allows, each once.
void add_warnings(http::Response& head, const std::vector<std::string>& warnings, std::size_t bytes_max) {
  std::size_t bytes = 0;
  std::set<std::string_view> said;
  for (const std::string& text : warnings) {
    if (!said.insert(text).second) continue;
    std::string value = http::warning_header(text);
    bytes += value.size();
    if (bytes > bytes_max) return;
    head.add("Warning", std::move(value));
  }
}

/// To who may push what is new and move no tags.
std::string advice_on_overwrite(const Context& context) {
  const std::string& repo = context.route.name;
  const auth::Identity* identity = context.identity.get();
  const bool is_narrowed =
      identity != nullptr && !identity->narrowing.apply(auth::Rights::all(), repo).has(auth::Right::overwrite);
  if (is_narrowed) return "the token of " + identity->subject.name + " is narrowed, and leaves that out";
  return "push another tag, or ask " + auth::who_can_grant(repo.substr(0, repo.find('/'))) + " for it";
}

/// What only the transaction could tell: a tag that may not be moved, a repository that is full.
void note_refused_push(const Context& context, const Error& why) {
  if (why.code != Errc::denied) return;
  const Route& route = context.route;
  note_refusal(context, "manifest.push", route.name + (route.argument.contains(':') ? "@" : ":") + route.argument, why);
}

registry::Precondition precondition_of(const http::Request& request) {  // M6
  std::string match = request.joined("If-Match");
  std::string none_match = request.joined("If-None-Match");
  if (match.empty() && none_match.empty()) return {};
  return [match = std::move(match), none_match = std::move(none_match)](const std::optional<oci::Digest>& current) {
    const std::string pin = current ? current->str() : std::string();
    if (!match.empty() && !(current && http::matches(match, pin, http::Comparison::strong))) return false;
    return none_match.empty() || !current || !http::matches(none_match, pin, http::Comparison::weak);
  };
}

}  // namespace

std::optional<ManifestAtHand> find_manifest_at_hand(const Services& services, const http::Exchange& exchange) {
  const http::Request& request = exchange.request();
  const auto path = plain_manifest_path(request.path);
  if (!path || !is_read(request.method)) return std::nullopt;
  AtHand admission = may_read_at_hand(services, exchange, path->name);
  if (!admission.may_read) return std::nullopt;
  auto found = services.manifests.find_cached(path->name, path->reference);
  if (!found) return std::nullopt;
  const bool by_digest = path->reference.find(':') != std::string_view::npos;
  ManifestAtHand answer{answer_to(services, request, by_digest, found->head), nullptr, std::move(admission.identity)};
  if (!is_not_modified(answer.head)) answer.body = std::move(found);
  return answer;
}

io::Task<Result<void>> get_manifest(Context& context, http::Exchange& exchange) {
  BERTH_CO_TRY(const auto repo, repo_of(context.route));
  BERTH_CO_TRY(const auto reference, reference_argument(context, Access::read));
  auto& manifests = context.services.manifests;
  const http::Request& request = exchange.request();
  if (request.method == http::Method::head || request.find("If-None-Match")) {
    BERTH_CO_TRY(const auto known, co_await manifests.head(repo, reference));
    http::Response head = answer_to(context.services, request, reference.is_digest(), known);
    if (is_not_modified(head)) co_return co_await exchange.send(std::move(head));
    if (request.method == http::Method::head) co_return co_await exchange.send_head(std::move(head), known.size_bytes);
  }
  BERTH_CO_TRY(const auto found, co_await manifests.get(repo, reference));
  http::Response head = answer_to(context.services, request, reference.is_digest(), found->head);
  // Its bytes, and with them all of it, live as long as the answer needs them.
  co_return co_await exchange.send(std::move(head), std::shared_ptr<const std::string>(found, &found->bytes));
}

io::Task<Result<void>> put_manifest(Context& context, http::Exchange& exchange) {
  const http::Request& request = exchange.request();
  const auto& limits = context.services.limits;
  BERTH_CO_TRY(auto repo, repo_to_write(context, request.find("Host").value_or("")));
  BERTH_CO_TRY(auto reference, reference_argument(context, Access::write));
  BERTH_CO_TRY(auto parameters, push_parameters(request.query, reference, limits));
  auto precondition = precondition_of(request);  // of the tags; a push without any has nothing to compare with (M6)
  // Joined: two fields that disagree are no type at all (V1).
  std::string media_type(oci::strip_parameters(request.joined("Content-Type")));
  BERTH_CO_TRY(auto body, co_await exchange.read_body(limits.manifest_bytes_max, Errc::manifest_too_large));  // M2
  BERTH_CO_TRYV(co_await admit_again(context, exchange));
  registry::PutManifest command{repo,
                                std::move(reference),
                                parameters.pin,
                                std::move(media_type),
                                std::move(body),
                                parameters.tags,
                                std::move(precondition),
                                context.uploader().principal,
                                context.rights.has(auth::Right::overwrite),
                                context.audit_entry()};
  auto stored = co_await context.services.manifests.put(std::move(command));
  if (!stored) {
    if (stored.error().code == Errc::denied) stored.error().message += "; " + advice_on_overwrite(context);
    note_refused_push(context, stored.error());
    co_return fail(std::move(stored).error());
  }
  auto head = reply(201);
  head.add("Location", manifest_location(repo, stored->digest));
  head.add("Docker-Content-Digest", stored->digest.str());
  if (!stored->subject.empty()) head.add("OCI-Subject", stored->subject);      // M3
  for (const oci::Tag& tag : parameters.tags) head.add("OCI-Tag", tag.str());  // M5
  add_warnings(head, stored->warnings, limits.warning_bytes_max);
  co_return co_await exchange.send(std::move(head));
}

io::Task<Result<void>> delete_manifest(Context& context, http::Exchange& exchange) {
  BERTH_CO_TRY(auto repo, repo_of(context.route));
  BERTH_CO_TRY(const auto reference, reference_argument(context, Access::write));
  const auto removed = co_await context.services.manifests.remove(std::move(repo), reference,
                                                                  context.uploader().principal, context.audit_entry());
  if (!removed && removed.error().code == Errc::referenced) {  // D2: it can be pushed again, but not go
    auto [head, body] = error_response(removed.error(), allowed_methods(Endpoint::manifest, Deletes::off));
    co_return co_await exchange.send(std::move(head), std::move(body));
  }
  BERTH_CO_TRYV(removed);
  co_return co_await exchange.send(reply(202));
}

}  // namespace berth::api
