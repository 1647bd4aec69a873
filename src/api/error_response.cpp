#include "api/error_response.h"

#include "base/json_text.h"

namespace berth::api {

namespace {

struct Mapping {
  int status;
  std::string_view code;
  std::string_view message;  // when the error brought none
};

Mapping map(const Error& error) {
  switch (error.code) {
    case Errc::blob_unknown: return {404, "BLOB_UNKNOWN", "blob unknown to this repository"};
    case Errc::manifest_unknown: return {404, "MANIFEST_UNKNOWN", "manifest unknown to this repository"};
    case Errc::name_unknown: return {404, "NAME_UNKNOWN", "repository unknown"};
    case Errc::account_unknown: return {404, "NAME_UNKNOWN", "no such account"};
    case Errc::upload_unknown: return {404, "BLOB_UPLOAD_UNKNOWN", "upload unknown"};
    case Errc::route_unknown: return {404, "NAME_UNKNOWN", "no such endpoint"};
    case Errc::name_invalid: return {400, "NAME_INVALID", "invalid repository name"};
    case Errc::digest_invalid: return {400, "DIGEST_INVALID", "invalid digest"};
    case Errc::digest_mismatch: return {400, "DIGEST_INVALID", "the content does not match the digest"};
    case Errc::size_invalid: return {400, "SIZE_INVALID", "the length does not match the content"};
    case Errc::tag_invalid: return {400, "MANIFEST_INVALID", "invalid tag"};
    case Errc::manifest_invalid: return {400, "MANIFEST_INVALID", "invalid manifest"};
    case Errc::manifest_too_large: return {413, "MANIFEST_INVALID", "the manifest is too large"};
    case Errc::manifest_blob_unknown: return {400, "MANIFEST_BLOB_UNKNOWN", "content is missing"};
    case Errc::upload_range: return {416, "BLOB_UPLOAD_INVALID", "the chunk does not continue the upload"};
    case Errc::upload_invalid: return {400, "BLOB_UPLOAD_INVALID", "invalid upload request"};
    // The specification has no code for a bad parameter; UNSUPPORTED is the one clients never retry.
    case Errc::parameter_invalid: return {400, "UNSUPPORTED", "invalid parameter"};
    case Errc::too_many_tags: return {414, "UNSUPPORTED", "too many tags in one request"};
    case Errc::too_many_ranges: return {400, "UNSUPPORTED", "too many ranges in one request"};
    case Errc::range_unsatisfiable: return {416, "UNSUPPORTED", "the range lies outside the blob"};
    case Errc::precondition_failed: return {412, "DENIED", "the precondition does not hold"};
    case Errc::already_exists: return {409, "DENIED", "the name is taken"};
    case Errc::account_invalid: return {400, "UNSUPPORTED", "invalid account"};
    case Errc::state_conflict: return {409, "DENIED", "not as things stand"};
    case Errc::media_type_unknown: return {415, "UNSUPPORTED", "the body is of a type that is not read here"};
    case Errc::referenced: return {405, "UNSUPPORTED", "something still refers to it"};
    case Errc::unsupported: return {405, "UNSUPPORTED", "not supported"};
    case Errc::method_unknown: return {405, "UNSUPPORTED", "the method is not supported here"};
    case Errc::unauthorized: return {401, "UNAUTHORIZED", "authentication required"};
    case Errc::denied: return {403, "DENIED", "denied"};
    case Errc::too_many_requests: return {429, "TOOMANYREQUESTS", "too many requests"};
    case Errc::unavailable: return {503, "UNAVAILABLE", "temporarily unavailable; try again"};
    case Errc::no_space: return {503, "UNAVAILABLE", "the registry's disk is full"};
    case Errc::request_malformed: return {400, "UNSUPPORTED", "malformed request"};
    case Errc::request_too_large:
      return {error.number == 414 ? 414 : 431, "UNSUPPORTED", "the request line or headers are too large"};
    // Not UNSUPPORTED, which docker takes for final: what stood still may be tried again.
    case Errc::body_too_large: return {413, "SIZE_INVALID", "the body is too large"};
    case Errc::timeout: return {408, "SIZE_INVALID", "the request took too long"};
    case Errc::disconnected: return {400, "SIZE_INVALID", "the request ended early"};
    case Errc::file_unknown:
    case Errc::rehearsed:  // the administration's alone, which takes it for the answer it is
    case Errc::io_failed:
    case Errc::sync_failed:
    case Errc::corrupt:
    case Errc::busy:
    case Errc::internal: return {500, "UNKNOWN", "internal error"};
  }
  return {500, "UNKNOWN", "internal error"};
}

void append_entry(std::string& body, std::string_view code, std::string_view message, std::string_view detail) {
  body += R"({"code":)";
  append_json_string(body, code);
  body += R"(,"message":)";
  append_json_string(body, message);
  if (!detail.empty()) body.append(R"(,"detail":)").append(detail);
  body += '}';
}

std::string list_detail(std::string_view key, const std::vector<std::string>& items) {
  std::string out = "{" + json_string(key) + ":[";
  for (const std::string& item : items) {
    if (&item != &items.front()) out += ',';
    append_json_string(out, item);
  }
  return out + "]}";
}

}  // namespace

int status_of_error(const Error& error) { return map(error).status; }

void add_common_headers(http::Response& response) {
  response.add_lines({"\r\nDocker-Distribution-Api-Version: registry/2.0\r\nX-Content-Type-Options: nosniff"});
}

std::pair<http::Response, std::string> error_response(const Error& error, std::string_view allow) {
  const Mapping mapping = map(error);
  // What went wrong inside is for the log; a client of ours learns nothing from it and an attacker might.
  const bool ours = mapping.status == 500;
  const std::string_view message = ours || error.message.empty() ? mapping.message : std::string_view(error.message);
  std::string body = R"({"errors":[)";
  if (error.code == Errc::manifest_blob_unknown && !error.items.empty()) {
    for (const std::string& digest : error.items) {  // one entry per missing digest
      if (&digest != &error.items.front()) body += ',';
      append_entry(body, mapping.code, message, "{\"digest\":" + json_string(digest) + "}");
    }
  } else if (error.code == Errc::referenced) {
    append_entry(body, mapping.code, message, list_detail("referencedBy", error.items));
  } else {
    append_entry(body, mapping.code, message, {});
  }
  body += "]}";
  http::Response response{.status = mapping.status, .reason = {}, .field_lines = {}};
  response.add("Content-Type", "application/json");
  add_common_headers(response);
  // Of these, docker and containerd, and with it a pod's events, often show the status line alone, and the answer to a
  // HEAD has nothing else: so the sentence stands there too.
  if (mapping.status == 401 || mapping.status == 403 || mapping.status == 429 || mapping.status == 503)
    response.reason = message;
  if (mapping.status == 503) response.add("Retry-After", error.code == Errc::no_space ? "60" : "1");  // H8
  if (mapping.status == 429) response.add("Retry-After", error.number == 0 ? "5" : std::to_string(error.number));
  if (mapping.status == 401)  // A2
    response.add("WWW-Authenticate", error.items.empty() ? "Basic realm=\"Berth\"" : error.items.front());
  if (mapping.status == 405) {
    if (error.code == Errc::method_unknown && !error.items.empty()) allow = error.items.front();
    response.add("Allow", std::string(allow));
  }
  return {std::move(response), std::move(body)};
}

}  // namespace berth::api
