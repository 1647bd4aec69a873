#include "api/distribution/replies.h"

#include "api/error_response.h"
#include "base/json_text.h"

#include <charconv>

namespace berth::api {

http::Response reply(int status) {
  http::Response response{.status = status, .field_lines = {}};
  add_common_headers(response);
  return response;
}

std::string blob_location(const oci::RepoName& repo, const oci::Digest& digest) {
  return "/v2/" + repo.str() + "/blobs/" + digest.str();
}

std::string manifest_location(const oci::RepoName& repo, const oci::Digest& digest) {
  return "/v2/" + repo.str() + "/manifests/" + digest.str();
}

void add_digest(http::Response& head, const oci::Digest& digest) {
  const oci::DigestText text = digest.text();
  head.add_lines({"\r\nDocker-Content-Digest: ", text.view(), "\r\nETag: \"", text.view(), "\""});
}

Result<oci::Digest> digest_argument(std::string_view text, Access access, Errc absent) {
  auto digest = oci::Digest::parse(text);
  if (!digest && access == Access::read && oci::Digest::is_well_formed(text))
    return fail(absent, "no such content in this repository");
  return digest;
}

Result<std::optional<std::int64_t>> page_size(const http::Query& query) {
  BERTH_TRY(const auto text, query.single("n"));
  if (!text) return std::nullopt;
  std::int64_t n = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), n);
  if (error == std::errc::result_out_of_range && !text->starts_with('-') && end == text->data() + text->size())
    return INT64_MAX;
  if (error != std::errc{} || end != text->data() + text->size() || n < 0 || text->starts_with('-')) {
    return fail(Errc::parameter_invalid, "n must be a decimal number that is not negative");
  }
  return n;
}

std::string_view immutable_cache(const Services& services) {
  const bool anybody = services.anonymous != Anonymous::off && !services.auth.directory.has_accounts();
  return anybody ? "public, max-age=31536000, immutable" : "private, max-age=31536000, immutable";
}

std::string names_body(std::string_view head, std::string_view key, const std::vector<std::string>& names) {
  std::string body = "{";
  body.append(head);
  append_json_string(body, key);
  body += ":[";
  for (const std::string& name : names) {
    if (&name != &names.front()) body += ',';
    append_json_string(body, name);
  }
  body += "]}";
  return body;
}

std::string next_link(std::string_view path, std::int64_t n, std::string_view last) {
  return "<" + std::string(path) + "?n=" + std::to_string(n) + "&last=" + http::percent_encode(last) +
         ">; rel=\"next\"";
}

}  // namespace berth::api
