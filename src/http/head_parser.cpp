#include "http/head_parser.h"

#include "http/chars.h"

#include <boost/beast/http/basic_parser.hpp>
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

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

Method to_method(beast::http::verb verb) {
  switch (verb) {
    case beast::http::verb::get: return Method::get;
    case beast::http::verb::head: return Method::head;
    case beast::http::verb::post: return Method::post;
    case beast::http::verb::put: return Method::put;
    case beast::http::verb::patch: return Method::patch;
    case beast::http::verb::delete_: return Method::delete_;
    case beast::http::verb::options: return Method::options;
    default: return Method::other;
  }
}

/// Beast's grammar, recorded as views into the buffer it was given. Body callbacks are never reached: it sees heads
/// only.
class BeastHead final : public beast::http::basic_parser<true> {
 public:
  explicit BeastHead(Request& out) : out_(out) {
    header_limit(std::numeric_limits<std::uint32_t>::max());
    body_limit(boost::none);
  }

 private:
  using Text = beast::string_view;
  using Status = beast::error_code;

  void on_request_impl(beast::http::verb verb, Text method, Text target, int version, Status&) override {
    out_.method = to_method(verb);
    out_.method_text = view(method);
    out_.target = view(target);
    out_.version_minor = version % 10;
  }
  void on_field_impl(beast::http::field, Text name, Text value, Status&) override {
    out_.fields.push_back({view(name), view(value)});
  }
  void on_response_impl(int, Text, int, Status&) override {}
  void on_header_impl(Status&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, Status&) override {}
  std::size_t on_body_impl(Text, Status&) override { return 0; }
  void on_chunk_header_impl(std::uint64_t, Text, Status&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, Text, Status&) override { return 0; }
  void on_finish_impl(Status&) override {}

  Request& out_;
};

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
    for_each_in_list(field.value, [&framing](std::string_view option) {
      framing.close = framing.close || iequals(option, "close");
      framing.keep_alive = framing.keep_alive || iequals(option, "keep-alive");
      return true;
    });
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
  BeastHead head(out);
  beast::error_code error;
  head.put(boost::asio::const_buffer(bytes.data(), length), error);
  if (error || !head.is_header_done()) return fail(malformed("malformed request header"));
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
