#include "support/transcript.h"

#include <algorithm>

namespace berth::test {

namespace {

std::vector<std::string_view> split_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

std::string_view trim_left(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  return text;
}

/// "GET /v2/…": a method in capitals, a space, a target.
bool is_request_line(std::string_view line) {
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos || space == 0) return false;
  return std::ranges::all_of(line.substr(0, space), [](char c) { return c >= 'A' && c <= 'Z'; });
}

class Reader {
 public:
  explicit Reader(std::string_view text) : lines_(split_lines(text)) {}

  Result<std::vector<Step>> read() {
    while (at_ < lines_.size()) {
      const std::string_view line = lines_[at_];
      if (line.empty() || line.starts_with("# ") || line == "#") {
        ++at_;
      } else if (line.starts_with("### ")) {
        steps_.emplace_back(TitleStep{number(), std::string(line.substr(4))});
        ++at_;
      } else if (line.starts_with("@body ")) {
        BERTH_TRYV(read_body());
      } else if (line.starts_with('@')) {
        steps_.emplace_back(DirectiveStep{number(), std::string(line.substr(1))});
        ++at_;
      } else if (line.starts_with('>') || is_request_line(line)) {
        BERTH_TRYV(read_exchange());
      } else {
        return bad("this is neither a request nor anything else that may stand here");
      }
    }
    return std::move(steps_);
  }

 private:
  std::size_t number() const { return at_ + 1; }
  std::unexpected<Error> bad(std::string_view what) const {
    return fail(Errc::parameter_invalid, std::to_string(number()) + ": " + std::string(what));
  }
  bool at_expectation() const { return at_ < lines_.size() && lines_[at_].starts_with('<'); }

  Result<void> read_body() {
    BodyStep step{number(), std::string(lines_[at_].substr(6)), {}};
    for (++at_; at_ < lines_.size() && lines_[at_] != "@end"; ++at_) {
      if (!step.text.empty()) step.text += '\n';
      step.text += lines_[at_];
    }
    if (at_ == lines_.size()) return bad("@body without @end");
    ++at_;
    steps_.emplace_back(std::move(step));
    return {};
  }

  Result<void> read_exchange() {
    ExchangeStep step{.line = number()};
    if (lines_[at_].starts_with('>')) {
      for (; at_ < lines_.size() && lines_[at_].starts_with('>'); ++at_) {
        const std::string_view line = lines_[at_].substr(1);
        step.raw += std::string(line.starts_with(' ') ? line.substr(1) : line) + "\r\n";
      }
    } else {
      BERTH_TRYV(read_request(step));
    }
    while (at_ < lines_.size() && lines_[at_].empty()) ++at_;
    while (at_expectation()) BERTH_TRYV(read_expectation(step));
    const bool has_status =
        std::ranges::any_of(step.expected, [](const Expected& e) { return e.kind == Expected::Kind::status; });
    if (!has_status) return bad("the request above expects no status");
    steps_.emplace_back(std::move(step));
    return {};
  }

  Result<void> read_request(ExchangeStep& step) {
    const std::string_view line = lines_[at_++];
    const std::size_t space = line.find(' ');
    step.request.method = line.substr(0, space);
    step.request.target = line.substr(space + 1);
    for (; at_ < lines_.size() && !lines_[at_].empty() && !at_expectation(); ++at_) {
      BERTH_TRYV(read_head_line(step, lines_[at_]));
    }
    if (at_expectation()) return {};
    ++at_;
    std::string& body = step.request.body;
    for (; at_ < lines_.size() && !at_expectation(); ++at_) body += std::string(lines_[at_]) + "\n";
    while (body.ends_with('\n')) body.pop_back();
    return {};
  }

  Result<void> read_head_line(ExchangeStep& step, std::string_view line) {
    if (line == "@fresh") {
      step.on_fresh_connection = true;
    } else if (line == "@same") {
      step.on_same_connection = true;
    } else if (line.starts_with("@cut ")) {
      step.cut_after = line.substr(5);
    } else if (line.starts_with("@chunked ")) {
      step.request.chunk_bytes = std::stoul(std::string(line.substr(9)));
    } else if (const std::size_t colon = line.find(':'); colon != std::string_view::npos && !line.starts_with('@')) {
      step.request.fields.emplace_back(line.substr(0, colon), trim_left(line.substr(colon + 1)));
    } else {
      return bad("not a header field");
    }
    return {};
  }

  Result<void> read_expectation(ExchangeStep& step) {
    const std::string_view line = lines_[at_];
    Expected expected{.line = number()};
    using Kind = Expected::Kind;
    if (line.starts_with("<<=")) {
      expected.kind = Kind::exact;
      expected.text = trim_left(line.substr(3));
    } else if (line.starts_with("<<|")) {
      return read_crlf_lines(step);
    } else if (line.starts_with("<<! ")) {
      expected.kind = Kind::no_text;
      expected.text = trim_left(line.substr(3));
    } else if (line.starts_with("<< ")) {
      return read_json(step);
    } else if (line.starts_with("<! ")) {
      expected.kind = Kind::error;
      const std::string_view rest = trim_left(line.substr(3));
      const std::size_t space = rest.find(' ');
      expected.name = rest.substr(0, space);
      if (space != std::string_view::npos) expected.text = trim_left(rest.substr(space));
    } else if (line.starts_with("< !")) {
      expected.kind = Kind::no_field;
      expected.name = line.substr(3);
    } else if (line == "< 100") {
      expected.kind = Kind::continued;
    } else if (line.starts_with("< ") && line.size() == 5 && line.find(':') == std::string_view::npos) {
      expected.text = line.substr(2);
    } else if (const std::size_t colon = line.find(':'); line.starts_with("< ") && colon != std::string_view::npos) {
      expected.kind = Kind::field;
      expected.name = line.substr(2, colon - 2);
      expected.text = trim_left(line.substr(colon + 1));
    } else {
      return bad("this expectation cannot be understood");
    }
    step.expected.push_back(std::move(expected));
    ++at_;
    return {};
  }

  /// Lines that continue one another are one JSON pattern.
  Result<void> read_json(ExchangeStep& step) {
    Expected expected{.kind = Expected::Kind::json, .line = number()};
    for (; at_ < lines_.size() && lines_[at_].starts_with("<< "); ++at_) expected.text += lines_[at_].substr(3);
    step.expected.push_back(std::move(expected));
    return {};
  }

  Result<void> read_crlf_lines(ExchangeStep& step) {
    Expected expected{.kind = Expected::Kind::crlf_lines, .line = number()};
    for (; at_ < lines_.size() && lines_[at_].starts_with("<<|"); ++at_) {
      expected.text += std::string(trim_left(lines_[at_].substr(3))) + "\r\n";
    }
    step.expected.push_back(std::move(expected));
    return {};
  }

  std::vector<std::string_view> lines_;
  std::size_t at_ = 0;
  std::vector<Step> steps_;
};

}  // namespace

Result<std::vector<Step>> parse_transcript(std::string_view text) { return Reader(text).read(); }

}  // namespace berth::test
