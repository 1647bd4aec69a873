#pragma once
// What can go wrong, in the words of the domain. No HTTP, no SQL, no errno here: `api/error_response.cpp` is the one
// place that turns an Errc into a status and an OCI code, `cli/exit_code.cpp` the one that turns it into an exit code.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace berth {

enum class Errc : std::uint8_t {
  // what is asked for is not there (or may not be seen, which is the same to the caller)
  blob_unknown,
  manifest_unknown,
  name_unknown,
  account_unknown,  // no such user, robot, team, organisation, grant or token
  upload_unknown,
  route_unknown,  // no such endpoint
  file_unknown,   // inside only: a path below the data folder that is not there
  // the request contradicts the rules
  name_invalid,
  digest_invalid,   // malformed or of an algorithm we do not know
  digest_mismatch,  // bytes do not hash to the digest given
  size_invalid,     // declared and real length differ
  tag_invalid,
  manifest_invalid,       // parse, type or structure (V1-V10)
  manifest_too_large,     // M2
  manifest_blob_unknown,  // items = the digests that are missing (V7, V9)
  upload_range,           // a chunk does not continue the session (U5)
  upload_invalid,         // other misuse of a session
  parameter_invalid,      // a query parameter or header nobody can act on
  too_many_tags,          // M5
  too_many_ranges,        // P3
  range_unsatisfiable,    // P2; size_bytes of the object travels in `number`
  precondition_failed,    // M6
  already_exists,         // the name is taken
  account_invalid,        // a name, password or e-mail that cannot be one
  state_conflict,         // as things stand it would break a rule; something else must change first
  rehearsed,              // it would have been done, but was only tried; message = what it would have done, in JSON
  media_type_unknown,     // the body is of a type that is not read here
  referenced,             // protected by what still points at it (D2); items = who
  unsupported,            // switched off, or never possible for this object
  method_unknown,         // the path exists, the method does not; items = allowed methods
  unauthorized,           // nobody said who asks, and anonymous callers may not
  denied,
  // the request is fine, the moment is not
  too_many_requests,
  unavailable,  // a queue is full, we are stopping, writes are refused
  no_space,     // the disk is full
  // the peer
  disconnected,       // the other side went away; nobody reads the answer
  request_malformed,  // not HTTP, or HTTP we refuse to guess about
  request_too_large,  // headers or target over the limit
  body_too_large,
  timeout,
  // we failed
  io_failed,
  sync_failed,  // the disk refused to make a write durable: what it holds now is unknown
  corrupt,      // stored bytes are not what they were
  busy,         // another process owns the data folder
  internal,
};

std::string_view to_string(Errc code);

/// An expected failure on its way up. `message` may be shown to whoever asked; `cause` is for the log only and may name
/// paths or SQL.
struct Error {
  Errc code = Errc::internal;
  std::string message;
  std::string cause;
  std::vector<std::string> items;  // digests, tags or methods the code speaks of
  std::uint64_t number = 0;        // a size or an offset, where the code documents one

  Error() = default;
  explicit Error(Errc c, std::string m = {}, std::string why = {})
      : code(c), message(std::move(m)), cause(std::move(why)) {}

  Error&& with_items(std::vector<std::string> list) && {
    items = std::move(list);
    return std::move(*this);
  }
  Error&& with_number(std::uint64_t n) && {
    number = n;
    return std::move(*this);
  }
};

}  // namespace berth
