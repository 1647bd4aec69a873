// Reading and deleting blobs: ranges, validators, caching (P1-P3).

#include "api/distribution/endpoints.h"
#include "api/distribution/replies.h"
#include "api/gate.h"
#include "http/etag.h"
#include "http/multipart.h"
#include "http/range.h"

namespace berth::api {

namespace {

http::Response blob_head(const Context& context, const oci::Digest& digest, int status) {
  auto head = reply(status);
  add_digest(head, digest);
  head.add_lines({"\r\nAccept-Ranges: bytes\r\nCache-Control: ", immutable_cache(context.services)});
  return head;
}

/// Blobs are bytes, never pages: no browser may run what somebody pushed (S25).
void add_body_headers(http::Response& head, std::string_view media_type) {
  head.add("Content-Type", media_type);
  head.add_lines({"\r\nContent-Security-Policy: default-src 'none'; sandbox"});
}

/// The ranges to serve, after If-Range had its say.
Result<http::ResolvedRanges> requested_ranges(const http::Request& request, const std::string& digest,
                                              std::uint64_t size, std::size_t ranges_max) {
  if (const auto condition = request.find("If-Range"); condition && !http::matches_if_range(*condition, digest))
    return http::ResolvedRanges{};
  auto ranges = http::resolve_ranges(request.find("Range"), size, ranges_max);
  if (ranges.outcome == http::RangeOutcome::too_many) {
    return fail(Errc::too_many_ranges, "more than " + std::to_string(ranges_max) + " ranges in one request");
  }
  return ranges;
}

io::Task<Result<void>> send_unsatisfiable(http::Exchange& exchange, std::uint64_t size) {
  auto head = reply(416);
  head.add("Content-Type", "application/json");
  head.add("Content-Range", http::content_range_unsatisfied(size));
  co_return co_await exchange.send(
      std::move(head), R"({"errors":[{"code":"UNSUPPORTED","message":"the range lies outside the blob"}]})");
}

}  // namespace

io::Task<Result<void>> get_blob(Context& context, http::Exchange& exchange) {
  BERTH_CO_TRY(auto repo, repo_of(context.route));
  BERTH_CO_TRY(const auto digest, digest_argument(context.route.argument, Access::read, Errc::blob_unknown));
  const http::Request& request = exchange.request();
  const std::string name = digest.str();
  if (const std::string condition = request.joined("If-None-Match"); !condition.empty()) {
    BERTH_CO_TRYV(co_await context.services.blobs.head(repo, digest));  // unseen content has no validator either
    if (http::matches(condition, name, http::Comparison::weak))
      co_return co_await exchange.send(blob_head(context, digest, 304));
  }
  if (request.method == http::Method::head) {
    BERTH_CO_TRY(const std::uint64_t size, co_await context.services.blobs.head(repo, digest));
    auto head = blob_head(context, digest, 200);
    add_body_headers(head, "application/octet-stream");
    co_return co_await exchange.send_head(std::move(head), size);
  }
  auto at_hand = context.services.blobs.find_open(repo, digest);
  if (!at_hand) {
    BERTH_CO_TRY(at_hand, co_await context.services.blobs.open(std::move(repo), digest));
  }
  const registry::BlobView& blob = *at_hand;
  BERTH_CO_TRY(const auto ranges, requested_ranges(request, name, blob.size_bytes, context.services.limits.ranges_max));
  if (ranges.outcome == http::RangeOutcome::unsatisfiable)
    co_return co_await send_unsatisfiable(exchange, blob.size_bytes);
  if (ranges.outcome == http::RangeOutcome::none_full) {
    auto head = blob_head(context, digest, 200);
    add_body_headers(head, "application/octet-stream");
    co_return co_await exchange.send(std::move(head), *blob.source,
                                     {{.text = {}, .offset_bytes = 0, .length_bytes = blob.size_bytes}});
  }
  auto head = blob_head(context, digest, 206);
  if (ranges.requested_count == 1) {
    const http::ByteRange range = ranges.ranges.front();
    add_body_headers(head, "application/octet-stream");
    head.add("Content-Range", http::content_range(range, blob.size_bytes));
    co_return co_await exchange.send(std::move(head), *blob.source,
                                     {{.text = {}, .offset_bytes = range.first, .length_bytes = range.length()}});
  }
  auto multipart = http::make_multipart(context.services.random.hex(16), ranges.ranges, blob.size_bytes);  // P3
  add_body_headers(head, multipart.media_type);
  co_return co_await exchange.send(std::move(head), *blob.source, std::move(multipart.parts));
}

io::Task<Result<void>> delete_blob(Context& context, http::Exchange& exchange) {
  BERTH_CO_TRY(auto repo, repo_of(context.route));
  BERTH_CO_TRY(const auto digest, digest_argument(context.route.argument, Access::write, Errc::blob_unknown));
  BERTH_CO_TRYV(co_await context.services.blobs.remove(std::move(repo), digest, context.uploader().principal,
                                                       context.audit_entry()));
  co_return co_await exchange.send(reply(202));
}

}  // namespace berth::api
