#include "http/head_parser.h"

#include "http/chars.h"

#include <boost/beast/http/status.hpp>

#include <limits>

namespace berth::http {

namespace {

namespace beast = boost::beast;

constexpr std::size_t kMethodBytesMax = 32;
constexpr std::size_t kRequestLineExtra = kMethodBytesMax + sizeof("  HTTP/1.1\r\n");
// An absolute-form target carries scheme and authority in front of the target proper.
constexpr std::size_t kAuthorityBytesMax = 512;

Error malformed(const char* what) { return Error(Errc::request_malformed, what); }

Error too_large(std::uint64_t status, const char* what) {
  return Error(Errc::request_too_large, what).with_number(status);
}

Error target_too_long() {
  return too_large(static_cast<unsigned>(beast::http::status::uri_too_long), "the request target is too long");
}

Error fields_too_large() {
  return too_large(static_cast<unsigned>(beast::http::status::request_header_fields_too_large),
                   "the request header is too large");
}

Method to_method(std::string_view text) {
  constexpr struct {
    std::string_view text;
    Method method;
  } kMethods[] = {{"GET", Method::get},        {"HEAD", Method::head},   {"POST", Method::post},
                  {"PUT", Method::put},        {"PATCH", Method::patch}, {"DELETE", Method::delete_},
                  {"OPTIONS", Method::options}};
  for (const auto& known : kMethods) {
    if (known.text == text) return known.method;
  }
  return Method::other;
}

/// "method SP target SP HTTP/1.x", of a line that check_line() has seen.
Result<void> read_request_line(std::string_view line, Request& out) {
  constexpr std::size_t kVersionBytes = std::string_view(" HTTP/1.1").size();
  out.method_text = line.substr(0, line.find(' '));
  const std::size_t target = out.method_text.size() + 1;
  if (out.method_text.empty() || line.size() <= target + kVersionBytes)
    return fail(malformed("malformed request line"));
  out.method = to_method(out.method_text);
  out.target = line.substr(target, line.size() - target - kVersionBytes);
  out.version_minor = line.back() - '0';
  return {};
}

/// "name: value" (RFC 9112 5). No white space in front of the colon: proxies disagree about what it means.
Result<HeaderField> read_field(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon)))
    return fail(malformed("malformed request header field"));
  return HeaderField{line.substr(0, colon), trim(line.substr(colon + 1))};
}

/// "http://host/path" → "/path". The authority is not used for anything: routes never depend on it (S24).
Result<std::string_view> strip_authority(std::string_view target) {
  const std::size_t scheme = target.find("://");
  if (scheme == std::string_view::npos ||
      !(iequals(target.substr(0, scheme), "http") || iequals(target.substr(0, scheme), "https"))) {
    return fail(malformed("the request target must start with /"));
  }
  const std::string_view rest = target.substr(scheme + 3);
  const std::size_t end = rest.find_first_of("/?");
  const std::string_view authority = rest.substr(0, end);
  if (authority.empty() || authority.size() > kAuthorityBytesMax || !all_of_class(authority, CharClass::host_byte)) {
    return fail(malformed("malformed authority in the request target"));
  }
  if (end == std::string_view::npos) return std::string_view("/");
  if (rest[end] == '?') return fail(malformed("the request target has no path"));
  return rest.substr(end);
}

/// Of a request line that may still be incomplete.
Result<void> check_method(std::string_view line) {
  const std::string_view method = line.substr(0, line.substr(0, kMethodBytesMax + 1).find(' '));
  if (method.size() > kMethodBytesMax || !all_of_class(method, CharClass::tchar))
    return fail(malformed("malformed method"));
  return {};
}

Result<void> interpret_target(Request& request, std::size_t target_bytes_max) {
  if (!all_of_class(request.target, CharClass::target_byte))
    return fail(malformed("forbidden byte in the request target"));
  if (request.target == "*") {
    if (request.method != Method::options) return fail(malformed("the target * is for OPTIONS only"));
  } else if (!request.target.starts_with('/')) {
    BERTH_TRY(request.target, strip_authority(request.target));
  }
  if (request.target.size() > target_bytes_max) return fail(target_too_long());
  const std::size_t question = request.target.find('?');
  request.path = request.target.substr(0, question);
  request.query = question == std::string_view::npos ? std::string_view() : request.target.substr(question + 1);
  return {};
}

/// What the fields add up to, while they are walked once.
struct Framing {
  std::size_t host_count = 0;
  std::size_t length_count = 0;
  std::size_t coding_count = 0;
  bool close = false;
  bool keep_alive = false;
};

/// Digits only and within 64 bits; a repeated or listed length is refused even if the values agree (S23).
Result<std::uint64_t> parse_length(std::string_view text) {
  std::uint64_t value = 0;
  for (const char c : text) {
    if (!is_digit(c)) return fail(malformed("malformed Content-Length"));
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (value > (std::numeric_limits<std::uint64_t>::max() - digit) / 10) {
      return fail(malformed("Content-Length out of range"));
    }
    value = value * 10 + digit;
  }
  if (text.empty()) return fail(malformed("malformed Content-Length"));
  return value;
}

Result<void> interpret_field(const HeaderField& field, Request& request, Framing& framing) {
  const std::string_view name = field.name;
  if (iequals(name, "host")) {
    ++framing.host_count;
    if (!all_of_class(field.value, CharClass::host_byte)) return fail(malformed("malformed Host"));
  } else if (iequals(name, "content-length")) {
    ++framing.length_count;
    BERTH_TRY(request.content_length, parse_length(field.value));
  } else if (iequals(name, "transfer-encoding")) {
    ++framing.coding_count;
    if (!iequals(field.value, "chunked")) return fail(malformed("the only transfer coding understood is chunked"));
    request.chunked = true;
  } else if (iequals(name, "expect")) {
    request.expect_continue = request.expect_continue || iequals(field.value, "100-continue");
  } else if (iequals(name, "connection")) {
    const bool are_tokens = for_each_in_list(field.value, [&framing](std::string_view option) {
      framing.close = framing.close || iequals(option, "close");
      framing.keep_alive = framing.keep_alive || iequals(option, "keep-alive");
      return is_token(option);
    });
    if (!are_tokens) return fail(malformed("malformed Connection"));
  }
  return {};
}

Result<void> interpret_fields(Request& request) {
  Framing framing;
  for (const HeaderField& field : request.fields) BERTH_TRYV(interpret_field(field, request, framing));

  const bool is_old = request.version_minor == 0;
  if (framing.host_count > 1 || (framing.host_count == 0 && !is_old))
    return fail(malformed("exactly one Host is needed"));
  if (framing.length_count > 1) return fail(malformed("several Content-Length fields"));
  if (framing.coding_count > 1) return fail(malformed("several Transfer-Encoding fields"));
  if (framing.length_count > 0 && framing.coding_count > 0) {
    return fail(malformed("Content-Length together with Transfer-Encoding"));  // H6
  }
  if (framing.coding_count > 0 && is_old) return fail(malformed("Transfer-Encoding in HTTP/1.0"));
  if (is_old) request.expect_continue = false;
  request.keep_alive = !framing.close && (!is_old || framing.keep_alive);
  return {};
}

}  // namespace

std::size_t HeadParser::bytes_max() const {
  return limits_.target_bytes_max + kAuthorityBytesMax + kRequestLineExtra + limits_.head_bytes_max + 2;
}

Result<std::size_t> HeadParser::feed(std::string_view bytes, Request& out) {
  BERTH_TRY(const std::size_t length, scan(bytes));
  if (length == 0) return length;

  out = Request{.fields = std::move(out.fields)};  // keeps the vector's memory: no allocation per request
  out.fields.clear();
  std::string_view rest = bytes.substr(0, length);
  const auto next_line = [&rest] {
    const std::string_view line = rest.substr(0, rest.find('\r'));
    rest.remove_prefix(line.size() + 2);
    return line;
  };
  BERTH_TRYV(read_request_line(next_line(), out));
  for (std::string_view line = next_line(); !line.empty(); line = next_line()) {
    BERTH_TRY(const HeaderField field, read_field(line));
    out.fields.push_back(field);
  }
  BERTH_TRYV(interpret_target(out, limits_.target_bytes_max));
  BERTH_TRYV(interpret_fields(out));
  return length;
}

/// Goes on where it stopped: every byte is looked at once, however the head is cut into packets.
Result<std::size_t> HeadParser::scan(std::string_view bytes) {
  for (; position_ < bytes.size(); ++position_) {
    const std::string_view rest = bytes.substr(position_);
    const std::size_t text = std::min(rest.find('\r'), rest.size());
    if (!is_field_text(rest.substr(0, text)))
      return fail(malformed("bare line feed or control byte in the request header"));
    position_ += text;
    if (position_ == bytes.size()) break;
    if (position_ + 1 == bytes.size()) break;  // the line feed is still on its way
    if (bytes[position_ + 1] != '\n') return fail(malformed("bare carriage return in the request header"));
    const std::string_view line = bytes.substr(line_start_, position_ - line_start_);
    ++position_;
    line_start_ = position_ + 1;
    if (line.empty() && fields_start_ != 0) {
      BERTH_TRYV(check_limits());
      return line_start_;
    }
    BERTH_TRYV(check_line(line));
  }
  BERTH_TRYV(check_limits());
  if (fields_start_ == 0) BERTH_TRYV(check_method(bytes));
  return std::size_t{0};
}

Result<void> HeadParser::check_line(std::string_view line) {
  if (fields_start_ == 0) {
    if (line.empty()) return fail(malformed("empty request line"));
    BERTH_TRYV(check_method(line));
    // Another protocol's first line would leave us waiting for the rest of a head that never comes.
    if (!line.ends_with(" HTTP/1.1") && !line.ends_with(" HTTP/1.0")) return fail(malformed("not an HTTP/1.1 request"));
    fields_start_ = line_start_;
    return {};
  }
  if (line.front() == ' ' || line.front() == '\t') return fail(malformed("folded header field"));
  ++field_count_;
  return {};
}

Result<void> HeadParser::check_limits() const {
  const std::size_t request_line = fields_start_ == 0 ? position_ : fields_start_;
  if (request_line > limits_.target_bytes_max + kAuthorityBytesMax + kRequestLineExtra) return fail(target_too_long());
  if (fields_start_ == 0) return {};
  if (position_ - fields_start_ > limits_.head_bytes_max + 1 || field_count_ > limits_.fields_max) {
    return fail(fields_too_large());
  }
  return {};
}

}  // namespace berth::http
