// Uploads on the wire (U1-U14, X1-X4).

#include "api/caller_limits.h"
#include "api/distribution/endpoints.h"
#include "api/distribution/replies.h"
#include "api/error_response.h"
#include "api/gate.h"
#include "http/range.h"

namespace berth::api {

namespace {

std::string session_location(const oci::RepoName& repo, const std::string& id) {
  return "/v2/" + repo.str() + "/blobs/uploads/" + id;  // U1: docker sends credentials only to URLs with /v2/
}

/// Location, Range and id of a session, as every answer about it carries them. An empty session says 0-0: docker parses
/// `%d-%d` and wants end ≥ start (U6).
void add_session_headers(http::Response& head, const oci::RepoName& repo, const registry::UploadState& state) {
  head.add("Location", session_location(repo, state.id));
  head.add("Range", "0-" + std::to_string(state.offset_bytes == 0 ? 0 : state.offset_bytes - 1));
  head.add("Docker-Upload-UUID", state.id);
}

io::Task<Result<void>> send_session(http::Exchange& exchange, int status, oci::RepoName repo,
                                    registry::UploadState state) {
  auto head = reply(status);
  add_session_headers(head, repo, state);
  co_return co_await exchange.send(std::move(head));
}

io::Task<Result<void>> send_created(http::Exchange& exchange, oci::RepoName repo, oci::Digest digest) {
  auto head = reply(201);
  head.add("Location", blob_location(repo, digest));
  head.add("Docker-Content-Digest", digest.str());
  co_return co_await exchange.send(std::move(head));
}

/// A refused chunk: 416 that tells where to go on; the session lives (U5).
io::Task<Result<void>> send_refused(http::Exchange& exchange, oci::RepoName repo, std::string id, Error error) {
  if (error.code != Errc::upload_range) co_return fail(std::move(error));
  auto [head, body] = error_response(error);
  add_session_headers(head, repo, {std::move(id), error.number});
  co_return co_await exchange.send(std::move(head), std::move(body));
}

registry::Chunk chunk_of(const http::Request& request) {
  registry::Chunk chunk;
  chunk.declared_length = request.content_length;
  if (!request.find("Content-Range")) return chunk;
  const auto parsed = http::parse_upload_range(request.joined("Content-Range"));  // sent twice: malformed
  chunk.kind = parsed ? registry::Chunk::Kind::ranged : registry::Chunk::Kind::malformed;
  if (parsed) std::tie(chunk.first, chunk.last) = *parsed;
  return chunk;
}

/// The digest a parameter names; missing is as bad as malformed where it is required (U8).
Result<oci::Digest> digest_parameter(const http::Query& query, std::string_view name) {
  BERTH_TRY(const auto text, query.single(name));
  if (!text) return fail(Errc::digest_invalid, "the parameter " + std::string(name) + " is required");
  return oci::Digest::parse(*text);
}

/// Where a mount may come from, of what was asked: only a repository the caller may pull from (X1, A14). The target
/// itself, which gives what it has already, where there is none; nullopt while there are no accounts: from anywhere.
Result<std::optional<oci::RepoName>> source_for(const Context& context, const oci::RepoName& target,
                                                std::optional<oci::RepoName> wanted, const oci::Digest& digest) {
  constexpr std::size_t kHoldersMax = 8;  // X3: a bounded search
  if (!context.identity) return wanted;
  if (wanted) {
    BERTH_TRY(const bool may, may_read(context, *wanted));
    return may ? std::move(wanted) : std::optional(target);
  }
  BERTH_TRY(auto holders, context.services.uploads.holders(digest, static_cast<std::int64_t>(kHoldersMax)));
  for (oci::RepoName& holder : holders) {
    BERTH_TRY(const bool may, may_read(context, holder));
    if (may) return std::optional(std::move(holder));
  }
  // As many decisions whether others have the bytes or not, or the time would tell (S6, S12).
  for (std::size_t i = holders.size(); i < kHoldersMax; ++i) {
    const auto nobodys = oci::RepoName::parse(digest.hex().substr(i * 4, 16) + "/" + digest.hex().substr(0, 16));
    if (nobodys) BERTH_TRYV(may_read(context, *nobodys));
  }
  return std::optional(target);
}

/// Of a new upload, which counts for whoever begins it.
registry::Uploader uploader_of(const Context& context) {
  auto uploader = context.uploader();
  if (context.services.limits.sessions_per_subject_max != 0)
    uploader.counts_as = caller_of(context.identity.get(), context.address);
  return uploader;
}

/// Where there are no accounts nothing has to be asked again.
io::ByteSource& body_of(const Context& context, http::Exchange& exchange, RecheckedBody& rechecked) {
  return context.identity ? static_cast<io::ByteSource&>(rechecked) : exchange;
}

/// X1-X4. True: answered with 201. False: go on with a session, whatever the reason (X2).
io::Task<Result<bool>> try_mount(Context& context, http::Exchange& exchange, oci::RepoName repo, http::Query query) {
  BERTH_CO_TRY(const auto digest, digest_parameter(query, "mount"));
  BERTH_CO_TRY(const auto from, query.single("from"));
  std::optional<oci::RepoName> source;
  if (from && !from->empty()) {
    auto parsed = oci::RepoName::parse(*from);
    if (!parsed) co_return false;  // a repository that cannot exist has nothing to give
    source = *std::move(parsed);
  }
  BERTH_CO_TRY(source, source_for(context, repo, std::move(source), digest));
  BERTH_CO_TRY(const bool mounted, co_await context.services.uploads.mount(repo, source, digest, context.uploader()));
  if (mounted) BERTH_CO_TRYV(co_await send_created(exchange, std::move(repo), digest));
  co_return mounted;
}

}  // namespace

io::Task<Result<void>> start_upload(Context& context, http::Exchange& exchange) {
  const http::Request& request = exchange.request();
  BERTH_CO_TRY(auto repo, repo_to_write(context, request.find("Host").value_or("")));
  BERTH_CO_TRY(auto query, http::Query::parse(request.query));
  for (const char* name : {"mount", "from", "digest"}) BERTH_CO_TRYV(query.single(name));  // G7, also where unused
  if (query.has("mount")) {
    BERTH_CO_TRY(const bool mounted, co_await try_mount(context, exchange, repo, query));
    if (mounted) co_return Result<void>{};
  } else if (query.has("digest")) {
    BERTH_CO_TRY(const auto digest, digest_parameter(query, "digest"));
    RecheckedBody rechecked(context, exchange);
    io::ByteSource& body = body_of(context, exchange, rechecked);
    BERTH_CO_TRYV(
        co_await context.services.uploads.put_whole(repo, digest, request.content_length, body, uploader_of(context)));
    co_return co_await send_created(exchange, std::move(repo), digest);
  }
  std::optional<oci::Algorithm> hint;
  BERTH_CO_TRY(const auto algorithm, query.single("digest-algorithm"));
  if (algorithm) {
    hint = oci::parse_algorithm(*algorithm);
    if (!hint) co_return fail(Errc::digest_invalid, "unsupported digest algorithm; sha256 and sha512 are");  // end-4c
  }
  BERTH_CO_TRY(auto state, co_await context.services.uploads.start(repo, hint, uploader_of(context)));
  co_return co_await send_session(exchange, 202, std::move(repo), std::move(state));
}

io::Task<Result<void>> append_upload(Context& context, http::Exchange& exchange) {
  BERTH_CO_TRY(auto repo, repo_of(context.route));
  const std::string id = context.route.argument;
  auto state =
      co_await context.services.uploads.append({repo, id, context.uploader()}, chunk_of(exchange.request()), exchange);
  if (!state) co_return co_await send_refused(exchange, std::move(repo), id, std::move(state).error());
  co_return co_await send_session(exchange, 202, std::move(repo), *std::move(state));
}

io::Task<Result<void>> finish_upload(Context& context, http::Exchange& exchange) {
  BERTH_CO_TRY(auto repo, repo_of(context.route));
  const std::string id = context.route.argument;
  BERTH_CO_TRY(const auto query, http::Query::parse(exchange.request().query));
  BERTH_CO_TRY(const auto digest, digest_parameter(query, "digest"));
  RecheckedBody rechecked(context, exchange);
  io::ByteSource& body = body_of(context, exchange, rechecked);
  auto done = co_await context.services.uploads.finish({repo, id, context.uploader()}, digest,
                                                       chunk_of(exchange.request()), body);
  if (!done) co_return co_await send_refused(exchange, std::move(repo), id, std::move(done).error());
  co_return co_await send_created(exchange, std::move(repo), digest);
}

io::Task<Result<void>> get_upload(Context& context, http::Exchange& exchange) {
  BERTH_CO_TRY(auto repo, repo_of(context.route));
  BERTH_CO_TRY(auto state,
               co_await context.services.uploads.status({repo, context.route.argument, context.uploader()}));
  co_return co_await send_session(exchange, 204, std::move(repo), std::move(state));
}

io::Task<Result<void>> cancel_upload(Context& context, http::Exchange& exchange) {
  BERTH_CO_TRY(auto repo, repo_of(context.route));
  BERTH_CO_TRYV(
      co_await context.services.uploads.cancel({std::move(repo), context.route.argument, context.uploader()}));
  co_return co_await exchange.send(reply(204));
}

}  // namespace berth::api
