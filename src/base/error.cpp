#include "base/error.h"

namespace berth {

std::string_view to_string(Errc code) {
  switch (code) {
    case Errc::blob_unknown: return "blob_unknown";
    case Errc::manifest_unknown: return "manifest_unknown";
    case Errc::name_unknown: return "name_unknown";
    case Errc::account_unknown: return "account_unknown";
    case Errc::upload_unknown: return "upload_unknown";
    case Errc::route_unknown: return "route_unknown";
    case Errc::file_unknown: return "file_unknown";
    case Errc::name_invalid: return "name_invalid";
    case Errc::digest_invalid: return "digest_invalid";
    case Errc::digest_mismatch: return "digest_mismatch";
    case Errc::size_invalid: return "size_invalid";
    case Errc::tag_invalid: return "tag_invalid";
    case Errc::manifest_invalid: return "manifest_invalid";
    case Errc::manifest_too_large: return "manifest_too_large";
    case Errc::manifest_blob_unknown: return "manifest_blob_unknown";
    case Errc::upload_range: return "upload_range";
    case Errc::upload_invalid: return "upload_invalid";
    case Errc::parameter_invalid: return "parameter_invalid";
    case Errc::too_many_tags: return "too_many_tags";
    case Errc::too_many_ranges: return "too_many_ranges";
    case Errc::range_unsatisfiable: return "range_unsatisfiable";
    case Errc::precondition_failed: return "precondition_failed";
    case Errc::already_exists: return "already_exists";
    case Errc::account_invalid: return "account_invalid";
    case Errc::state_conflict: return "state_conflict";
    case Errc::rehearsed: return "rehearsed";
    case Errc::media_type_unknown: return "media_type_unknown";
    case Errc::referenced: return "referenced";
    case Errc::unsupported: return "unsupported";
    case Errc::method_unknown: return "method_unknown";
    case Errc::unauthorized: return "unauthorized";
    case Errc::denied: return "denied";
    case Errc::too_many_requests: return "too_many_requests";
    case Errc::unavailable: return "unavailable";
    case Errc::no_space: return "no_space";
    case Errc::disconnected: return "disconnected";
    case Errc::request_malformed: return "request_malformed";
    case Errc::body_too_large: return "body_too_large";
    case Errc::request_too_large: return "request_too_large";
    case Errc::timeout: return "timeout";
    case Errc::io_failed: return "io_failed";
    case Errc::sync_failed: return "sync_failed";
    case Errc::corrupt: return "corrupt";
    case Errc::busy: return "busy";
    case Errc::internal: return "internal";
  }
  return "internal";
}

}  // namespace berth
