// Requests from a file, one per line, fields separated by blanks:
//   OFFSET_US METHOD TARGET STATUS LENGTH DIGEST [OPERATION [FIELDS]]
// LENGTH is what Content-Length or the body must have, DIGEST what the body must hash to; "-" is "do not care".
// TARGET may end in " #range=SIZE/STEP" by way of FIELDS "range=SIZE/STEP": a random range of STEP bytes of SIZE.
// Closed loop (no --rate): each connection sends its next request when the last one was answered.
// With --once 1 each line is sent once.
// Open loop: --rate per second (Poisson, --burst_factor, --burst_s, --burst_every_s), or --replay 1 for the offsets of
// the file. Latency then counts from the intended start, however late a connection became free.

#include "distributions.h"
#include "modes.h"

#include <fmt/format.h>

#include <fstream>
#include <sstream>

namespace berth::load {

namespace {

struct Line {
  std::uint64_t offset_us = 0;
  std::string method, target, operation, digest;
  int status = 0;            // 0: any 2xx
  std::int64_t length = -1;  // -1: do not care
  std::uint64_t range_of = 0, range_step = 0;
};

std::vector<Line> read_trace(const std::string& path) {
  std::vector<Line> lines;
  std::ifstream file(path);
  std::string text;
  while (std::getline(file, text)) {
    std::istringstream fields(text);
    Line line;
    std::string status, length, range;
    if (!(fields >> line.offset_us >> line.method >> line.target >> status >> length >> line.digest)) continue;
    if (!(fields >> line.operation)) line.operation = line.method;
    if (status != "-") line.status = std::stoi(status);
    if (length != "-") line.length = std::stoll(length);
    if (fields >> range && range.starts_with("range=")) {
      const auto slash = range.find('/');
      line.range_of = std::stoull(range.substr(6, slash - 6));
      line.range_step = std::stoull(range.substr(slash + 1));
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

struct Replay {
  Run& run;
  std::vector<Line> lines;
  Arrivals arrivals;
  bool is_open = false, is_replay = false, is_once = false, close_each = false, hash_bodies = false;
  std::string fields;
  Random random{1};
  std::size_t next = 0;

  /// The next line and its intended start, or null at the end.
  const Line* take(std::uint64_t& start) {
    if (lines.empty() || ((is_replay || is_once) && next >= lines.size())) return nullptr;
    const Line& line = lines[next++ % lines.size()];
    if (is_replay) {
      start = run.started + line.offset_us * 1000;
    } else if (is_open) {
      start = run.started + arrivals.next();
    } else {
      start = now_ns();
    }
    return is_replay || start < run.ends ? &line : nullptr;
  }
};

std::string verdict(const Line& line, const Response& response) {
  if (!response.error.empty()) return response.error;
  const bool fine = line.status == 0 ? response.status / 100 == 2 : response.status == line.status;
  if (!fine) return fmt::format("{} {} answered {}", line.method, line.target, response.status);
  if (line.length >= 0 && line.method != "HEAD" && response.body_bytes != static_cast<std::uint64_t>(line.length)) {
    return fmt::format("{} has {} bytes instead of {}", line.target, response.body_bytes, line.length);
  }
  if (line.digest != "-" && !response.body_digest.empty() && response.body_digest != line.digest) {
    return fmt::format("{} has other bytes: {}", line.target, response.body_digest);
  }
  if (line.digest != "-" && !response.digest.empty() && response.digest != line.digest) {
    return fmt::format("{} names another digest: {}", line.target, response.digest);
  }
  return {};
}

Task<> client(Replay& replay) {
  Run& run = replay.run;
  ClientConnection connection(run.loop, run.endpoint);
  std::uint64_t start = 0;
  while (const Line* line = replay.take(start)) {
    co_await run.loop.wait_until(start);
    Request request{.method = line->method, .target = line->target, .fields = replay.fields};
    if (line->range_of > 0) {
      const std::uint64_t from = replay.random.below(line->range_of / line->range_step) * line->range_step;
      request.fields += fmt::format("Range: bytes={}-{}\r\n", from, from + line->range_step - 1);
    }
    if (replay.close_each) request.fields += "Connection: close\r\n";
    const bool hash = replay.hash_bodies && line->digest != "-" && line->method == "GET";
    const Response response = co_await connection.exchange(request, {.hash_body = hash, .discard_body = !hash});
    const std::string wrong = verdict(*line, response);
    if (wrong.empty()) {
      run.recorder.record(line->operation, start, now_ns());
    } else {
      run.recorder.error(line->operation, wrong);
    }
  }
  run.bytes_in += connection.bytes_in;
  run.bytes_out += connection.bytes_out;
}

}  // namespace

std::string run_trace(Run& run) {
  const Flags& flags = run.flags;
  const double rate = flags.real("rate", 0);
  const Arrivals::Shape shape{.rate = rate > 0 ? rate : 1,
                              .burst_factor = flags.real("burst_factor", 1),
                              .burst_s = flags.real("burst_s", 0),
                              .burst_every_s = flags.real("burst_every_s", 0)};
  Replay replay{
      .run = run, .lines = read_trace(flags.text("file")), .arrivals = Arrivals(shape, flags.number("seed", 1))};
  replay.is_open = rate > 0;
  replay.is_replay = flags.number("replay", 0) != 0;
  replay.is_once = flags.number("once", 0) != 0;
  replay.close_each = flags.number("close_each", 0) != 0;
  replay.hash_bodies = flags.number("hash", 0) != 0;
  if (const std::string accept = flags.text("accept"); !accept.empty()) replay.fields = "Accept: " + accept + "\r\n";
  if (const std::string authorization = flags.text("authorization"); !authorization.empty())
    replay.fields += "Authorization: " + authorization + "\r\n";  // of an account that lives as long as the benchmark
  if (replay.lines.empty()) run.recorder.error("run", "the trace is empty: " + flags.text("file"));
  run.begin();
  for (std::uint64_t i = 0; i < flags.number("connections", 1); ++i) run.loop.spawn(client(replay));
  return run.finish();
}

}  // namespace berth::load
