#include "http/multipart.h"

#include <gtest/gtest.h>

namespace berth::http {
namespace {

/// The body as the wire would carry it.
std::string render(const Multipart& multipart, const std::string& content) {
  std::string body;
  for (const BodyPart& part : multipart.parts) {
    body += part.text;
    body += content.substr(part.offset_bytes, part.length_bytes);
  }
  return body;
}

TEST(Multipart, OnePartPerRangeInRequestOrder) {  // P3
  const std::string content = "0123456789";
  const Multipart multipart = make_multipart("xyz", {{8, 9}, {0, 2}, {1, 3}}, content.size());
  EXPECT_EQ(multipart.media_type, "multipart/byteranges; boundary=xyz");
  EXPECT_EQ(render(multipart, content),
            "\r\n--xyz\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes 8-9/10\r\n\r\n89"
            "\r\n--xyz\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes 0-2/10\r\n\r\n012"
            "\r\n--xyz\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes 1-3/10\r\n\r\n123"
            "\r\n--xyz--\r\n");
}

TEST(Multipart, ContentRangeValues) {  // P2
  EXPECT_EQ(content_range({500, 1499}, 2048), "bytes 500-1499/2048");
  EXPECT_EQ(content_range_unsatisfied(2048), "bytes */2048");
}

}  // namespace
}  // namespace berth::http
