#pragma once
// What answers are held against: JSON patterns, and the rules that hold for every answer whatever a transcript asks.

#include "support/test_server_client.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace berth::test {

/// Whether the JSON text `actual` has at least what `pattern` has: objects may have more members, arrays must have as
/// many elements, strings may have wildcards (transcript_values.h), "{{!}}" stands for a member that must be absent.
/// Returns what is wrong, empty if nothing is.
std::string match_json(std::string_view pattern, std::string_view actual, std::map<std::string, std::string>& captured);

/// The errors of an error body, one `CODE detail-as-JSON` each. Errors: what is wrong with the body's shape (H4).
struct ErrorEntry {
  std::string code;
  std::string detail;  // JSON, empty if none
};
std::vector<ErrorEntry> read_errors(std::string_view body, std::string& problem);

/// Breaches of what every answer owes: H1-H5, H8, H9, S24, and the codes of table 1.9.
std::vector<std::string> broken_promises(std::string_view method, std::string_view target,
                                         const WireResponse& response);

/// A body for a failure message: short, with bytes that cannot be shown replaced.
std::string shown(std::string_view text);

}  // namespace berth::test
