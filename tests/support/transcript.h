#pragma once
// Behaviour tests as text: what a transcript (tests/server/*.http) says, read into steps. The format is described in
// tests/server/README.md. transcript_run.h plays the steps against a server.

#include "base/result.h"
#include "support/test_server_client.h"

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace berth::test {

/// One line of what is expected, kept unexpanded: values are known only when the step runs.
struct Expected {
  enum class Kind : std::uint8_t {
    continued,   // < 100
    status,      // < 202
    field,       // < Name: pattern
    no_field,    // < !Name
    json,        // << {…}   subset
    exact,       // <<= text
    crlf_lines,  // <<| line
    error,       // <! CODE detail
    no_text,     // <<! text
  };
  Kind kind = Kind::status;
  std::size_t line = 0;
  std::string name;  // of the field, or the code
  std::string text;  // value, body or detail
};

struct ExchangeStep {
  std::size_t line = 0;
  WireRequest request;                   // texts unexpanded
  std::string raw;                       // lines of a raw request, CRLF after each; then `request` is empty
  std::optional<std::string> cut_after;  // @cut: bytes of the body to send before the end of the stream
  bool on_fresh_connection = false;      // @fresh
  bool on_same_connection = false;       // @same
  std::vector<Expected> expected;
};

/// An @directive: its words, unexpanded.
struct DirectiveStep {
  std::size_t line = 0;
  std::string text;
};

/// @body … @end
struct BodyStep {
  std::size_t line = 0;
  std::string name;
  std::string text;
};

struct TitleStep {
  std::size_t line = 0;
  std::string text;
};

using Step = std::variant<TitleStep, DirectiveStep, BodyStep, ExchangeStep>;

/// Errors: parameter_invalid; the message begins with the line's number.
Result<std::vector<Step>> parse_transcript(std::string_view text);

}  // namespace berth::test
