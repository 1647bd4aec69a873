#include "http/warning.h"

namespace berth::http {

namespace {

constexpr std::size_t kWarningBytesMax = 4096;  // H9, counting the whole value

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0u) == 0x80u; }

}  // namespace

std::string warning_header(std::string_view text) {
  std::string out = "299 - \"";
  std::size_t character_start = out.size();  // where the last UTF-8 character began: the place to cut
  for (const char c : text) {
    if (is_control(c)) continue;
    if (!is_continuation(c)) character_start = out.size();
    if (c == '"' || c == '\\') out += '\\';
    out += c;
    if (out.size() > kWarningBytesMax - 1) {
      out.resize(character_start);
      break;
    }
  }
  out += '"';
  return out;
}

}  // namespace berth::http
