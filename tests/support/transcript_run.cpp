#include "support/transcript_run.h"

#include "support/test_server.h"
#include "support/transcript.h"
#include "support/transcript_accounts.h"
#include "support/transcript_match.h"
#include "support/transcript_values.h"

#include <gtest/gtest.h>

#include <charconv>
#include <fstream>
#include <iomanip>
#include <sstream>

namespace berth::test {

namespace {

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::istringstream in{std::string(text)};
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

std::int64_t to_number(std::string_view text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// "1d2h3m4s5ms" → milliseconds; nullopt if it is not that.
std::optional<std::int64_t> parse_duration(std::string_view text) {
  std::int64_t total = 0;
  while (!text.empty()) {
    std::int64_t count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc{}) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    constexpr std::pair<std::string_view, std::int64_t> kUnits[] = {
        {"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
    bool known = false;
    for (const auto& [unit, ms] : kUnits) {
      if (known || !text.starts_with(unit)) continue;
      known = true;
      total += count * ms;
      text.remove_prefix(unit.size());
    }
    if (!known) return std::nullopt;
  }
  return total;
}

class Player {
 public:
  explicit Player(std::string path) : path_(std::move(path)) {
    values_.define("token", [this](std::string_view argument) {
      WireClient client(ready_server().port());
      return fetch_token(client, argument);
    });
  }
  Player(const Player&) = delete;
  Player& operator=(const Player&) = delete;

  void operator()(const TitleStep& step) { title_ = step.text; }

  void operator()(const BodyStep& step) {
    line_ = step.line;
    if (auto text = expand(step.text)) values_.set(step.name, *std::move(text));
  }

  void operator()(const DirectiveStep& step) {
    line_ = step.line;
    run_directive(step.text);
  }

  void operator()(const ExchangeStep& step) {
    line_ = step.line;
    WireClient& client = ready_client();
    if (step.on_fresh_connection) client.close();
    if (step.on_same_connection && !client.is_open()) fail("the server closed the connection before this request");
    const auto sent = send(step, client);
    if (!sent) return;
    const auto& [method, target, response] = *sent;
    std::vector<std::string> wrong = broken_promises(method, target, response);
    check(step, response, wrong);
    if (!wrong.empty()) report(step, response, wrong);
  }

  void fail(const std::string& what) const {
    ADD_FAILURE_AT(path_.c_str(), static_cast<int>(line_)) << "in \"" << title_ << "\": " << what;
  }

 private:
  struct Sent {
    std::string method;
    std::string target;
    WireResponse response;
  };

  std::optional<std::string> expand(std::string_view text) {
    auto expanded = values_.expand(text);
    if (expanded) return *std::move(expanded);
    fail(expanded.error().message);
    return std::nullopt;
  }

  TestServer& ready_server() {
    if (!server_) server_ = std::make_unique<TestServer>();
    return *server_;
  }
  WireClient& ready_client() {
    if (!client_) client_ = std::make_unique<WireClient>(ready_server().port());
    return *client_;
  }

  // --- exchanges

  std::optional<Sent> send(const ExchangeStep& step, WireClient& client) {
    if (!step.raw.empty()) {
      const auto bytes = expand(step.raw);
      if (!bytes) return std::nullopt;
      client.open();
      client.send(*bytes);
      const std::string method = bytes->substr(0, bytes->find(' '));
      const std::size_t target = std::min(bytes->size(), method.size() + 1);
      return Sent{method, bytes->substr(target, bytes->find(' ', target) - target), client.read_response(method)};
    }
    WireRequest request = step.request;
    const auto target = expand(request.target);
    const auto body = expand(request.body);
    if (!target || !body) return std::nullopt;
    request.target = *target;
    request.body = *body;
    for (auto& [name, value] : request.fields) {
      const auto expanded = expand(value);
      if (!expanded) return std::nullopt;
      value = *expanded;
    }
    if (!step.cut_after) return Sent{request.method, request.target, client.ask(request)};
    client.close();
    client.open();
    client.send(head_bytes(request) +
                body_bytes(request).substr(0, static_cast<std::size_t>(to_number(*step.cut_after))));
    client.finish_sending();
    return Sent{request.method, request.target, client.read_response(request.method)};
  }

  void check(const ExchangeStep& step, const WireResponse& response, std::vector<std::string>& wrong) {
    bool expects_continue = false;
    std::map<std::string, std::size_t> seen;  // how many expectations named the field so far
    std::vector<const Expected*> errors;
    for (const Expected& expected : step.expected) {
      expects_continue = expects_continue || expected.kind == Expected::Kind::continued;
      if (expected.kind == Expected::Kind::error) errors.push_back(&expected);
      const auto text = expand(expected.text);
      if (!text) continue;
      if (auto what = check_one(expected, *text, response, seen); !what.empty()) {
        wrong.push_back(concat("line ", expected.line, ": ", what));
      }
    }
    for (const auto& [name, count] : seen) {
      const std::size_t actual = field_values(response.fields, name).size();
      if (actual > count) wrong.push_back(concat(name, " comes ", actual, " times, expected ", count));
    }
    if (response.was_continued != expects_continue) {
      wrong.emplace_back(expects_continue ? "no 100 came first" : "a 100 came first");
    }
    if (!errors.empty()) check_errors(errors, response, wrong);
  }

  std::string check_one(const Expected& expected, const std::string& text, const WireResponse& response,
                        std::map<std::string, std::size_t>& seen) {
    std::map<std::string, std::string> captured;
    std::string wrong;
    switch (expected.kind) {
      case Expected::Kind::continued:
      case Expected::Kind::error: break;
      case Expected::Kind::status:
        if (text != std::to_string(response.status)) wrong = "expected status " + text;
        break;
      case Expected::Kind::no_field:
        if (response.field(expected.name)) wrong = expected.name + " must be absent";
        break;
      case Expected::Kind::field: {
        const auto values = field_values(response.fields, expected.name);
        const std::size_t index = seen[expected.name]++;
        if (index >= values.size()) {
          wrong = expected.name + " is missing";
        } else if (!match_pattern(text, values[index], captured)) {
          wrong = expected.name + ": expected " + text;
        }
        break;
      }
      case Expected::Kind::no_text:
        if (response.body.contains(text)) wrong = "the body holds " + shown(text);
        break;
      case Expected::Kind::json: wrong = match_json(text, response.body, captured); break;
      case Expected::Kind::exact:
      case Expected::Kind::crlf_lines:
        if (text != response.body)
          wrong = concat("expected exactly this body of ", text.size(), " bytes: ", shown(text));
        break;
    }
    for (auto& [name, value] : captured) values_.set(name, std::move(value));
    return wrong;
  }

  void check_errors(const std::vector<const Expected*>& expected, const WireResponse& response,
                    std::vector<std::string>& wrong) {
    std::string problem;
    const auto errors = read_errors(response.body, problem);
    if (errors.size() != expected.size()) {
      wrong.push_back(concat("expected ", expected.size(), " errors, got ", errors.size()));
      return;
    }
    for (std::size_t i = 0; i < errors.size(); ++i) {
      const Expected& want = *expected[i];
      if (want.name != errors[i].code) wrong.push_back(concat("line ", want.line, ": expected ", want.name));
      const auto detail = expand(want.text);
      if (!detail || detail->empty()) continue;
      std::map<std::string, std::string> captured;
      const std::string got = errors[i].detail.empty() ? "null" : errors[i].detail;
      if (auto what = match_json(*detail, got, captured); !what.empty()) {
        wrong.push_back(concat("line ", want.line, ": detail: ", what));
      }
    }
  }

  void report(const ExchangeStep& step, const WireResponse& response, const std::vector<std::string>& wrong) const {
    const auto target = values_.expand(step.request.target);
    std::string text = step.raw.empty() ? step.request.method + " " + target.value_or(step.request.target) : step.raw;
    for (const std::string& what : wrong) text += "\n    " + what;
    text += concat("\n  answer: ", response.status);
    for (const auto& [name, value] : response.fields) text += "\n    " + name + ": " + value;
    if (!response.body.empty()) text += "\n    body: " + shown(response.body);
    fail(text);
  }

  // --- directives

  void run_directive(std::string_view text) {
    if (text.starts_with("each ")) return run_each(text.substr(5));
    if (text.starts_with("text ")) return define_text(text.substr(5));
    if (text.starts_with("extend ")) return extend_text(text.substr(7));
    const auto expanded = expand(text);
    if (!expanded) return;
    const auto words = words_of(*expanded);
    const auto is = [&](std::string_view name, std::size_t count) {
      return words[0] == name && words.size() == count + 1;
    };
    if (words[0] == "server") return start_server(words);
    if (words[0] == "as") return speak_as(words);
    if (is_account_directive(words[0])) {
      const auto done = run_account_directive(ready_server(), values_, words);
      if (!done) fail(done.error().message);
      return;
    }
    if (is("bytes", 3)) {
      values_.set(words[1], noise(static_cast<std::size_t>(to_number(words[2])),
                                  static_cast<std::uint64_t>(to_number(words[3]))));
    } else if (is("blob", 2)) {
      setup("POST", "/v2/" + words[1] + "/blobs/uploads/?digest={{sha256:" + words[2] + "}}", words[2]);
    } else if (is("manifest", 3)) {
      setup("PUT", "/v2/" + words[1] + "/manifests/" + words[2], words[3]);
    } else if (is("same", 1)) {
      compare_head(words[1]);
    } else if (is("refused", 1)) {
      sign_in_wrongly(words[1]);
    } else if (is("clock", 1)) {
      advance(words[1]);
    } else if (is("disk", 1)) {
      set_disk(words[1]);
    } else if (is("housekeeping", 0)) {
      ready_server().server().run_housekeeping();
    } else if (is("restart", 0)) {
      client_.reset();
      ready_server().stop();
      ready_server().start();
    } else {
      fail("this directive cannot be understood");
    }
  }

  /// each <name> <first> <last> <directive with {{name}}>
  void run_each(std::string_view text) {
    const auto words = words_of(text);
    if (words.size() < 4) return fail("@each <name> <first> <last> <directive>");
    const std::size_t start =
        text.find(words[3], text.find(words[2], text.find(words[1]) + words[1].size()) + words[2].size());
    for (std::int64_t i = to_number(words[1]); i <= to_number(words[2]); ++i) {
      values_.set(words[0], concat(std::setw(3), std::setfill('0'), i));
      run_directive(text.substr(start));
    }
  }

  void define_text(std::string_view text) {
    const std::size_t equals = text.find(" =");
    if (equals == std::string_view::npos) return fail("@text <name> = <text>");
    const auto name = expand(text.substr(0, equals));
    text.remove_prefix(equals + 2);
    if (text.starts_with(' ')) text.remove_prefix(1);
    const auto value = expand(text);
    if (name && value) values_.set(*name, *value);
  }

  /// extend <name> <text>: what follows the first space is appended as it stands.
  void extend_text(std::string_view text) {
    const std::string name(text.substr(0, text.find(' ')));
    const std::string* before = values_.find(name);
    if (before == nullptr || name.size() == text.size()) return fail("@extend <name> <text>");
    if (auto more = expand(text.substr(name.size() + 1))) values_.set(name, *before + *more);
  }

  /// A push that only prepares: it must simply work.
  void setup(const std::string& method, const std::string& target, const std::string& body_name) {
    const std::string* body = values_.find(body_name);
    const auto expanded = body == nullptr ? std::nullopt : expand(target);
    if (body == nullptr) return fail("nothing is named " + body_name);
    if (!expanded) return;
    Fields fields = speaker_;
    if (body->empty()) fields.emplace_back("Content-Length", "0");
    const WireResponse response = ready_client().ask(method, *expanded, *body, fields);
    if (response.status != 201) fail(concat("answered ", response.status, " ", shown(response.body)));
  }

  /// same <target>: HEAD says what GET says, to the byte (H2).
  void compare_head(const std::string& target) {
    const WireResponse get = ready_client().ask("GET", target, {}, speaker_);
    const WireResponse head = ready_client().ask("HEAD", target, {}, speaker_);
    const auto without_names = [](Fields fields) {  // of the moment, and of the request
      std::erase_if(fields, [](const auto& field) { return field.first == "Date" || field.first == "X-Request-Id"; });
      return fields;
    };
    if (get.status != head.status || without_names(get.fields) != without_names(head.fields)) {
      std::string text = concat("GET says ", get.status, ", HEAD ", head.status);
      for (const auto& [name, value] : get.fields) text += "\n    GET  " + name + ": " + value;
      for (const auto& [name, value] : head.fields) text += "\n    HEAD " + name + ": " + value;
      fail(text);
    }
    if (get.field("Content-Length") != std::to_string(get.body.size()))
      fail("the length of GET is not that of its body");
  }

  /// as <name> <password>, as nobody: whose requests the directives' own are.
  void speak_as(const std::vector<std::string>& words) {
    speaker_.clear();
    if (words.size() == 3) {
      speaker_.emplace_back("Authorization", "Basic " + base64(words[1] + ":" + words[2]));
    } else if (words.size() != 2 || words[1] != "nobody") {
      fail("@as NAME PASSWORD, @as nobody");
    }
  }

  /// refused <name>:<password>
  void sign_in_wrongly(const std::string& credentials) {
    const WireResponse response =
        ready_client().ask("GET", "/v2/", {}, {{"Authorization", "Basic " + base64(credentials)}});
    if (response.status != 401) fail(concat("answered ", response.status));
  }

  void advance(const std::string& text) {
    const auto by = parse_duration(text);
    if (!by) return fail("not a duration: " + text);
    client_.reset();  // an idle connection would time out in between
    ready_server().clock.advance_ms(*by);
  }

  void set_disk(const std::string& word) {
    if (word != "roomy" && word != "nearly-full" && word != "full") return fail("a disk is roomy, nearly-full or full");
    using Disk = TestServer::Disk;
    ready_server().set_disk(word == "roomy" ? Disk::roomy : word == "full" ? Disk::full : Disk::nearly_full);
    ready_server().server().run_housekeeping();
  }

  void start_server(const std::vector<std::string>& words) {
    TestServer::Options options;
    for (std::size_t i = 1; i < words.size(); ++i) {
      const std::size_t equals = words[i].find('=');
      const std::string name = words[i].substr(0, equals);
      const std::string value = equals == std::string::npos ? "" : words[i].substr(equals + 1);
      if (!set_option(options, name, value)) fail("no such option: " + words[i]);
    }
    client_.reset();
    server_.reset();
    speaker_.clear();
    server_ = std::make_unique<TestServer>(options);
  }

  static bool set_option(TestServer::Options& options, const std::string& name, const std::string& value) {
    if (name == "anonymous") {
      const auto parsed = app::parse_anonymous(value);
      if (parsed) options.anonymous = *parsed;
      return parsed.has_value();
    }
    if (name == "deletes") {
      const auto parsed = app::parse_deletes(value);
      if (parsed) options.deletes = *parsed;
      return parsed.has_value();
    }
    if (name == "policy") {
      const auto parsed = app::parse_reference_policy(value);
      if (parsed) options.limits.reference_policy = *parsed;
      return parsed.has_value();
    }
    if (name == "auth") {
      const auto parsed = app::parse_auth_mode(value);
      if (parsed) options.auth_mode = *parsed;
      return parsed.has_value();
    }
    if (name == "url") {
      options.external_url = value;
      return true;
    }
    if (name == "host") {
      options.auth_hosts.push_back(value);
      return true;
    }
    const auto count = static_cast<std::size_t>(to_number(value));
    if (name == "sessions-per-repo") {
      options.limits.sessions_per_repo_max = count;
    } else if (name == "sessions") {
      options.limits.sessions_max = count;
    } else if (name == "referrers") {
      options.limits.referrers_per_subject_max = to_number(value);
    } else if (name == "manifests") {
      options.limits.manifests_per_repo_max = to_number(value);
    } else if (name == "tags-page") {
      options.limits.tags_page_default = options.limits.tags_page_max = to_number(value);
    } else if (name == "caller-uploads") {
      options.limits.sessions_per_subject_max = count;
    } else if (name == "caller-requests") {
      options.subject_limits.requests_per_second = to_number(value);
    } else if (name == "caller-requests-burst") {
      options.subject_limits.requests_burst = to_number(value);
    } else if (name == "caller-bandwidth") {
      options.subject_limits.bytes_per_second = to_number(value);
    } else if (name == "caller-bandwidth-burst") {
      options.subject_limits.bytes_burst = to_number(value);
    } else {
      return false;
    }
    return true;
  }

  std::string path_;
  std::string title_;
  std::size_t line_ = 0;
  TranscriptValues values_;
  Fields speaker_;
  std::unique_ptr<TestServer> server_;
  std::unique_ptr<WireClient> client_;
};

}  // namespace

void run_transcript(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  ASSERT_TRUE(file) << path << " cannot be read";
  const auto steps = parse_transcript(text.str());
  ASSERT_TRUE(steps) << path << ":" << steps.error().message;
  Player player(path);
  for (const Step& step : *steps) std::visit(player, step);
}

}  // namespace berth::test
