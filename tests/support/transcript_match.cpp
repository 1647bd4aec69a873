#include "support/transcript_match.h"

#include "support/transcript_values.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace berth::test {

namespace {

using nlohmann::json;

/// The codes a client may see and the statuses each may come with (table 1.9 of the protocol notes, decision 9).
struct CodeRow {
  std::string_view code;
  std::vector<int> statuses;
};
const std::vector<CodeRow>& code_table() {
  static const std::vector<CodeRow> rows = {
      {"BLOB_UNKNOWN", {404}},
      {"MANIFEST_UNKNOWN", {404}},
      {"NAME_UNKNOWN", {404}},
      {"BLOB_UPLOAD_UNKNOWN", {404}},
      {"BLOB_UPLOAD_INVALID", {416, 400}},
      {"DIGEST_INVALID", {400}},
      {"SIZE_INVALID", {400, 408, 413}},
      {"NAME_INVALID", {400}},
      {"MANIFEST_INVALID", {400, 413}},
      {"MANIFEST_BLOB_UNKNOWN", {400}},
      {"UNAUTHORIZED", {401}},
      {"DENIED", {403, 412}},
      // The catch-all for what the specification has no code for.
      {"UNSUPPORTED", {400, 405, 414, 416, 431}},
      {"TOOMANYREQUESTS", {429}},
      {"UNKNOWN", {500}},
      {"UNAVAILABLE", {503}},
  };
  return rows;
}

std::string compare(const json& pattern, const json& actual, const std::string& path,
                    std::map<std::string, std::string>& captured);

std::string compare_objects(const json& pattern, const json& actual, const std::string& path,
                            std::map<std::string, std::string>& captured) {
  for (const auto& [key, value] : pattern.items()) {
    const std::string here = path + "." + key;
    const bool must_be_absent = value == "{{!}}";
    if (must_be_absent != !actual.contains(key)) return here + (must_be_absent ? " must be absent" : " is missing");
    if (must_be_absent) continue;
    if (auto wrong = compare(value, actual[key], here, captured); !wrong.empty()) return wrong;
  }
  return {};
}

std::string compare(const json& pattern, const json& actual, const std::string& path,
                    std::map<std::string, std::string>& captured) {
  const auto differ = [&] { return concat(path, ": expected ", pattern.dump(), ", got ", shown(actual.dump())); };
  if (pattern.is_object() && actual.is_object()) return compare_objects(pattern, actual, path, captured);
  if (pattern.is_array() && actual.is_array()) {
    if (pattern.size() != actual.size())
      return concat(path, ": expected ", pattern.size(), " elements, got ", actual.size());
    for (std::size_t i = 0; i < pattern.size(); ++i) {
      if (auto wrong = compare(pattern[i], actual[i], concat(path, "[", i, "]"), captured); !wrong.empty())
        return wrong;
    }
    return {};
  }
  if (pattern.is_string() && actual.is_string()) {
    return match_pattern(pattern.get<std::string>(), actual.get<std::string>(), captured) ? std::string() : differ();
  }
  return pattern == actual ? std::string() : differ();
}

void check_error_body(const WireResponse& response, std::vector<std::string>& out) {
  if (response.field("Content-Type") != "application/json") out.emplace_back("H3: an error is application/json");
  std::string problem;
  const auto errors = read_errors(response.body, problem);
  if (!problem.empty()) out.push_back("H4: " + problem);
  for (const ErrorEntry& error : errors) {
    const auto row = std::ranges::find(code_table(), error.code, &CodeRow::code);
    if (row == code_table().end()) {
      out.push_back("H4: " + error.code + " is not a code of the table");
    } else if (std::ranges::find(row->statuses, response.status) == row->statuses.end()) {
      out.push_back(concat("H4: ", error.code, " does not come with ", response.status));
    }
  }
}

void check_length(const WireResponse& response, std::vector<std::string>& out) {
  const bool has_none = response.status == 204 || response.status == 304;
  const std::size_t count = field_values(response.fields, "Content-Length").size();
  if (!has_none && count != 1) out.push_back(concat("H2: ", count, " Content-Length fields"));
  for (const std::string_view name : {"Transfer-Encoding", "Content-Encoding"}) {
    if (response.field(name)) out.push_back("H2: " + std::string(name) + " in an answer");
  }
}

/// H9: what all warnings together may be, and the form of each.
void check_warnings(const WireResponse& response, std::vector<std::string>& out) {
  constexpr std::size_t kWarningBytesMax = 4096;
  std::size_t total = 0;
  for (const std::string& warning : field_values(response.fields, "Warning")) {
    total += warning.size();
    if (!warning.starts_with("299 - \"") || !warning.ends_with('"')) out.push_back("H9: not a warning: " + warning);
  }
  if (total > kWarningBytesMax) out.push_back(concat("H9: ", total, " bytes of warnings"));
}

void check_refusal_fields(const WireResponse& response, std::vector<std::string>& out) {
  const auto needs = [&](int status, std::string_view name) {
    if (response.status == status && !response.field(name)) out.push_back(concat("H8: ", status, " without ", name));
  };
  needs(401, "WWW-Authenticate");
  needs(405, "Allow");
  needs(429, "Retry-After");
  needs(503, "Retry-After");
}

void check_protocol_answer(std::string_view method, const WireResponse& response, std::vector<std::string>& out) {
  if (field_values(response.fields, "Docker-Distribution-Api-Version") != std::vector<std::string>{"registry/2.0"})
    out.emplace_back("H1: Docker-Distribution-Api-Version is not registry/2.0");
  const std::string type = response.field("Content-Type").value_or("");
  if (type.contains(';') && !type.starts_with("multipart/byteranges; boundary=")) {
    out.push_back("H3: parameters in Content-Type: " + type);
  }
  if (response.status >= 400 && method != "HEAD") check_error_body(response, out);
  if (const auto link = response.field("Link"); link && !link->starts_with("</v2/")) {
    out.push_back("H5: Link does not start with /v2/: " + *link);
  }
}

/// What the administration API promises of every answer: JSON that nobody keeps, and of every error a problem document.
void check_admin_answer(std::string_view method, const WireResponse& response, std::vector<std::string>& out) {
  if (response.field("Cache-Control") != "no-store") out.emplace_back("API: an answer may be kept");
  if (response.status == 204 || response.status == 304 || method == "HEAD") return;
  const bool is_error = response.status >= 400;
  if (response.field("Content-Type") != (is_error ? "application/problem+json" : "application/json"))
    out.emplace_back("API: Content-Type");
  if (!is_error) return;
  std::map<std::string, std::string> ignored;
  const std::string pattern = concat(R"({"type":"/help/errors/{{*}}","title":"{{*}}","status":)", response.status,
                                     R"(,"detail":"{{*}}","code":"{{*}}","request_id":"{{*}}"})");
  const std::string wrong = match_json(pattern, response.body, ignored);
  if (!wrong.empty()) out.push_back("API: not a problem document: " + wrong);
}

}  // namespace

std::string shown(std::string_view text) {
  constexpr std::size_t kShownMax = 600;
  std::string out;
  for (const char c : text.substr(0, kShownMax)) out += c == '\n' || (c >= ' ' && c < 0x7f) ? c : '?';
  if (text.size() > kShownMax) out += concat("… (", text.size(), " bytes, ", sha256_of(text), ")");
  return out;
}

std::string match_json(std::string_view pattern, std::string_view actual,
                       std::map<std::string, std::string>& captured) {
  const json expected = json::parse(pattern, nullptr, false);
  if (expected.is_discarded()) return "the pattern is not JSON: " + shown(pattern);
  const json got = json::parse(actual, nullptr, false);
  if (got.is_discarded()) return "the body is not JSON: " + shown(actual);
  return compare(expected, got, "$", captured);
}

std::vector<ErrorEntry> read_errors(std::string_view body, std::string& problem) {
  std::vector<ErrorEntry> out;
  const json root = json::parse(body, nullptr, false);
  if (root.is_discarded() || !root.is_object() || root.size() != 1 || !root.contains("errors") ||
      !root["errors"].is_array() || root["errors"].empty()) {
    problem = "an error body is {\"errors\":[…]}, not " + shown(body);
    return out;
  }
  for (const json& entry : root["errors"]) {
    const bool is_whole = entry.is_object() && entry.contains("code") && entry["code"].is_string() &&
                          entry.contains("message") && entry["message"].is_string() && entry["message"] != "";
    if (!is_whole || entry.size() != (entry.contains("detail") ? 3U : 2U)) {
      problem = "an error has code, message and perhaps detail, not " + shown(entry.dump());
      return out;
    }
    out.push_back({entry["code"], entry.contains("detail") ? entry["detail"].dump() : std::string()});
  }
  return out;
}

std::vector<std::string> broken_promises(std::string_view method, std::string_view target,
                                         const WireResponse& response) {
  std::vector<std::string> out;
  if (!response.problem.empty()) out.push_back(response.problem);
  if (response.status == 0) return out;
  const bool is_admin = target.starts_with("/api/v1/");
  if (is_admin) {
    check_admin_answer(method, response, out);
  } else {
    check_protocol_answer(method, response, out);
  }
  if (field_values(response.fields, "X-Content-Type-Options") != std::vector<std::string>{"nosniff"})
    out.emplace_back("H1: X-Content-Type-Options is not nosniff");
  check_length(response, out);
  const std::string root = is_admin ? "/api/v1/" : "/v2/";
  if (const auto location = response.field("Location"); location && !location->starts_with(root)) {
    out.push_back("H5: Location does not start with " + root + ": " + *location);
  }
  for (const auto& [name, value] : response.fields) {
    if (value.contains("registry.test") || value.contains("127.0.0.1"))
      out.push_back("S24: " + name + " repeats a host: " + value);
  }
  check_refusal_fields(response, out);
  check_warnings(response, out);
  return out;
}

}  // namespace berth::test
