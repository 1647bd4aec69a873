#pragma once
// What of a name that proved nothing goes on record.

#include <string>
#include <string_view>

namespace berth::auth {

/// People paste secrets into the wrong field, and a log is kept and handed on: what no account could be called, and
/// what is a secret of ours, is not written down (S23).
std::string recorded_name(std::string_view typed);

}  // namespace berth::auth
