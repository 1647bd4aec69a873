// Tags, repositories, referrers.

#include "api/distribution/endpoints.h"
#include "api/distribution/replies.h"
#include "api/gate.h"
#include "base/json_text.h"
#include "oci/media_type.h"

namespace berth::api {

namespace {

io::Task<Result<void>> send_names(http::Exchange& exchange, registry::NamePage page, std::string body,
                                  std::string path) {
  auto head = reply(200);
  head.add("Content-Type", "application/json");
  if (page.more) head.add("Link", next_link(path, page.page_size, page.last));  // L2
  co_return co_await exchange.send(std::move(head), std::move(body));
}

std::string index_of(const std::vector<std::string>& descriptors) {
  std::string body = R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[)";
  std::size_t bytes = body.size() + 2;
  for (const std::string& descriptor : descriptors) bytes += descriptor.size() + 1;
  body.reserve(bytes);
  for (const std::string& descriptor : descriptors) {
    if (&descriptor != &descriptors.front()) body += ',';
    body += descriptor;
  }
  body += "]}";
  return body;
}

}  // namespace

io::Task<Result<void>> get_tags(Context& context, http::Exchange& exchange) {
  BERTH_CO_TRY(auto repo, repo_of(context.route));
  BERTH_CO_TRY(const auto query, http::Query::parse(exchange.request().query));
  BERTH_CO_TRY(const auto n, page_size(query));
  BERTH_CO_TRY(const auto last, query.single("last"));
  BERTH_CO_TRY(auto page, co_await context.services.listings.tags(repo, n, last.value_or("")));
  std::string body = names_body("\"name\":" + json_string(repo.str()) + ",", "tags", page.names);
  co_return co_await send_names(exchange, std::move(page), std::move(body), "/v2/" + repo.str() + "/tags/list");
}

io::Task<Result<void>> get_catalog(Context& context, http::Exchange& exchange) {
  BERTH_CO_TRY(const auto query, http::Query::parse(exchange.request().query));
  BERTH_CO_TRY(const auto n, page_size(query));
  BERTH_CO_TRY(const auto last, query.single("last"));
  BERTH_CO_TRY(auto page, co_await context.services.listings.catalog(n, last.value_or(""), visible_to(context)));
  std::string body = names_body({}, "repositories", page.names);
  co_return co_await send_names(exchange, std::move(page), std::move(body), "/v2/_catalog");
}

io::Task<Result<void>> get_referrers(Context& context, http::Exchange& exchange) {
  BERTH_CO_TRY(auto repo, repo_of(context.route));
  const std::string subject = context.route.argument;
  if (!oci::Digest::is_well_formed(subject)) co_return fail(Errc::digest_invalid, "invalid digest");
  BERTH_CO_TRY(const auto query, http::Query::parse(exchange.request().query));
  std::vector<std::string> types;
  for (std::string& type : query.all("artifactType")) {
    if (!type.empty()) types.push_back(http::media_type_value(std::move(type)));
  }
  BERTH_CO_TRY(const auto n, page_size(query));
  BERTH_CO_TRY(const auto cursor, query.single("last"));
  BERTH_CO_TRY(const auto page,
               co_await context.services.listings.referrers(repo, subject, types, n, cursor.value_or("")));
  auto head = reply(200);
  head.add("Content-Type", std::string(oci::media::kOciIndex));
  if (!types.empty()) head.add("OCI-Filters-Applied", "artifactType");  // R3
  if (page.next) {                                                      // R4
    std::string link = "</v2/" + repo.str() + "/referrers/" + subject + "?";
    if (n) link += "n=" + std::to_string(*n) + "&";
    for (const std::string& type : types) link += "artifactType=" + http::percent_encode(type) + "&";
    head.add("Link", link + "last=" + http::percent_encode(*page.next) + ">; rel=\"next\"");
  }
  co_return co_await exchange.send(std::move(head), index_of(page.descriptors));
}

}  // namespace berth::api
