#include "http/response_writer.h"

#include "http/chars.h"

#include <boost/beast/http/status.hpp>

#include <charconv>
#include <ctime>

namespace berth::http {

namespace {

namespace beast = boost::beast;

void append_number(std::string& out, std::uint64_t value) {
  char digits[20];
  const auto end = std::to_chars(std::begin(digits), std::end(digits), value).ptr;
  out.append(digits, end);
}

}  // namespace

bool is_bodyless(int status) {
  return status / 100 == 1 || status == static_cast<int>(beast::http::status::no_content) ||
         status == static_cast<int>(beast::http::status::not_modified);
}

void append_head(std::string& out, const Response& response, const HeadFrame& frame) {
  const auto status = static_cast<unsigned>(response.status);
  out += "HTTP/1.1 ";
  append_number(out, status);
  out += ' ';
  if (!response.reason.empty() && is_field_text(response.reason)) {
    out += response.reason;
  } else {
    const auto standard = beast::http::obsolete_reason(beast::http::int_to_status(status));
    out.append(standard.data(), standard.size());
  }
  out += "\r\nDate: ";
  out += frame.date;
  out += response.field_lines;
  if (frame.content_length && !is_bodyless(response.status)) {
    out += "\r\nContent-Length: ";
    append_number(out, *frame.content_length);
  }
  switch (frame.connection) {
    case HeadFrame::Connection::implicit: break;
    case HeadFrame::Connection::keep_alive: out += "\r\nConnection: keep-alive"; break;
    case HeadFrame::Connection::close: out += "\r\nConnection: close"; break;
  }
  out += "\r\n\r\n";
}

std::string_view DateCache::at(std::int64_t now_ms) {
  const std::int64_t second = now_ms / 1000;
  if (second != second_) {
    // RFC 9110 §5.6.7; the names are fixed, so strftime's locale must not have a say.
    constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const std::time_t at = second;
    std::tm utc{};
    ::gmtime_r(&at, &utc);
    char text[64];
    const std::size_t length = std::strftime(text, sizeof text, "day, %d mon %Y %H:%M:%S GMT", &utc);
    text_.assign(text, length);
    text_.replace(0, 3, kDays[utc.tm_wday]);
    text_.replace(8, 3, kMonths[utc.tm_mon]);
    second_ = second;
  }
  return text_;
}

}  // namespace berth::http
