#include "response_reader.h"

#include <algorithm>
#include <charconv>

namespace berth::load {

namespace {

constexpr std::size_t kHeadMax = 64U << 10U;
constexpr std::size_t kChunkLineMax = 4096;

char lowered(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool same_name(std::string_view a, std::string_view lower) {
  return a.size() == lower.size() &&
         std::equal(a.begin(), a.end(), lower.begin(), [](char x, char y) { return lowered(x) == y; });
}

template <class T>
bool parse_whole(std::string_view text, T& value, int base = 10) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return error == std::errc{} && end == text.data() + text.size();
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

void ResponseReader::start(bool is_head) {
  state_ = State::head;
  head_ = {};
  text_.clear();
  why_.clear();
  body_bytes_ = 0;
  left_ = 0;
  is_head_ = is_head;
  until_end_ = false;
  chunk_ = Chunk::size;
}

void ResponseReader::fail(std::string why) {
  state_ = State::bad;
  why_ = std::move(why);
}

std::size_t ResponseReader::consume(std::string_view data, std::string_view& body) {
  body = {};
  std::size_t used = 0;
  if (state_ == State::head) used = consume_head(data);
  while (state_ == State::body && used < data.size() && body.empty()) {
    if (head_.chunked && chunk_ != Chunk::data) {
      used += consume_chunk_line(data.substr(used));
      continue;
    }
    const std::uint64_t rest = data.size() - used;
    const auto take = static_cast<std::size_t>(until_end_ ? rest : std::min<std::uint64_t>(left_, rest));
    body = data.substr(used, take);
    used += take;
    skip(take);
  }
  return used;
}

void ResponseReader::skip(std::uint64_t n) {
  body_bytes_ += n;
  if (until_end_) return;
  left_ -= n;
  if (left_ > 0) return;
  if (head_.chunked) {
    chunk_ = Chunk::data_end;
  } else {
    state_ = State::done;
  }
}

void ResponseReader::end_of_stream() {
  if (state_ == State::body && until_end_) {
    state_ = State::done;
  } else if (state_ != State::done) {
    fail("the connection ended inside a response");
  }
}

std::size_t ResponseReader::consume_head(std::string_view data) {
  // The usual case, a whole head in one piece, is parsed where it lies.
  if (text_.empty()) {
    const std::size_t end = data.find("\r\n\r\n");
    if (end != std::string_view::npos) {
      parse_head(data.substr(0, end));
      return end + 4;
    }
  }
  const std::size_t before = text_.size();
  text_.append(data.substr(0, kHeadMax));
  const std::size_t end = text_.find("\r\n\r\n", before < 3 ? 0 : before - 3);
  if (end == std::string::npos) {
    if (text_.size() > kHeadMax) fail("a head without an end");
    return data.size();
  }
  const std::string whole = std::move(text_);
  text_.clear();
  parse_head(std::string_view(whole).substr(0, end));
  return end + 4 - before;
}

void ResponseReader::parse_head(std::string_view text) {
  const std::size_t line_end = std::min(text.find("\r\n"), text.size());
  const std::string_view line = text.substr(0, line_end);
  if (line.size() < 12 || !line.starts_with("HTTP/1.") || line[8] != ' ' ||
      !parse_whole(line.substr(9, 3), head_.status) || head_.status < 100 || (line.size() > 12 && line[12] != ' ')) {
    return fail("no status line: " + std::string(line.substr(0, 60)));
  }
  head_.close = line[7] == '0';
  std::string_view rest = text.substr(std::min(line_end + 2, text.size()));
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find("\r\n"), rest.size());
    const std::string_view field = rest.substr(0, end);
    const std::size_t colon = field.find(':');
    if (colon == std::string_view::npos || colon == 0)
      return fail("no header field: " + std::string(field.substr(0, 60)));
    parse_field(field.substr(0, colon), trimmed(field.substr(colon + 1)));
    if (state_ == State::bad) return;
    rest = rest.substr(std::min(end + 2, rest.size()));
  }
  if (head_.status < 200) {
    head_ = {};  // an interim response: the real one follows
    return;
  }
  begin_body();
}

void ResponseReader::parse_field(std::string_view name, std::string_view value) {
  if (same_name(name, "content-length")) {
    std::int64_t length = -1;
    if (!parse_whole(value, length) || length < 0 || (head_.content_length >= 0 && head_.content_length != length)) {
      return fail("Content-Length: " + std::string(value));
    }
    head_.content_length = length;
  } else if (same_name(name, "transfer-encoding")) {
    head_.chunked = same_name(value, "chunked");
    if (!head_.chunked) fail("Transfer-Encoding: " + std::string(value));
  } else if (same_name(name, "connection")) {
    head_.close = same_name(value, "close");
  } else if (same_name(name, "location")) {
    head_.location = value;
  } else if (same_name(name, "docker-content-digest")) {
    head_.digest = value;
  } else if (same_name(name, "link")) {
    head_.link = value;
  }
}

void ResponseReader::begin_body() {
  const bool has_none = is_head_ || head_.status == 204 || head_.status == 304;
  if (has_none || (!head_.chunked && head_.content_length == 0)) {
    state_ = State::done;
    return;
  }
  state_ = State::body;
  until_end_ = !head_.chunked && head_.content_length < 0;
  if (until_end_) head_.close = true;
  left_ = head_.chunked || until_end_ ? 0 : static_cast<std::uint64_t>(head_.content_length);
}

std::size_t ResponseReader::consume_chunk_line(std::string_view data) {
  const std::size_t newline = data.find('\n');
  const std::size_t used = newline == std::string_view::npos ? data.size() : newline + 1;
  text_.append(data.substr(0, used));
  if (newline == std::string_view::npos) {
    if (text_.size() > kChunkLineMax) fail("a chunk line without an end");
    return used;
  }
  std::string line = std::move(text_);
  text_.clear();
  if (!line.ends_with("\r\n")) {
    fail("a chunk line without CR");
    return used;
  }
  line.resize(line.size() - 2);
  if (chunk_ == Chunk::data_end) {
    if (!line.empty()) fail("bytes after a chunk");
    chunk_ = Chunk::size;
  } else if (chunk_ == Chunk::trailer) {
    if (line.empty()) state_ = State::done;
  } else if (std::string_view digits = std::string_view(line).substr(0, line.find(';'));
             !parse_whole(digits, left_, 16)) {
    fail("chunk size: " + line.substr(0, 60));
  } else {
    chunk_ = left_ == 0 ? Chunk::trailer : Chunk::data;
  }
  return used;
}

}  // namespace berth::load
