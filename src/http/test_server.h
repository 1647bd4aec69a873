#pragma once
// For this room's tests: a server on a free port with a small handler that does what the path says.

#include "base/clock.h"
#include "base/log.h"
#include "http/server.h"
#include "http/test_client.h"
#include "io/suspend.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace berth::http::test {

class MemorySource : public io::RandomSource {
 public:
  explicit MemorySource(std::string content) : content_(std::move(content)) {}
  std::uint64_t size_bytes() const override { return content_.size(); }
  io::Task<Result<void>> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    if (offset + out.size() > fail_beyond) co_return fail(Errc::io_failed, {}, "the test says so");
    std::memcpy(out.data(), content_.data() + offset, out.size());
    co_return Result<void>();
  }
  io::Task<Result<void>> prefetch(std::uint64_t, std::uint64_t) override { co_return Result<void>(); }

  std::uint64_t fail_beyond = UINT64_MAX;

 protected:
  std::string content_;
};

/// The same bytes behind a real descriptor.
class FileSource : public MemorySource {
 public:
  explicit FileSource(std::string content) : MemorySource(std::move(content)), fd_(::memfd_create("test", 0)) {
    EXPECT_EQ(::pwrite(fd_, content_.data(), content_.size(), 0), static_cast<::ssize_t>(content_.size()));
  }
  ~FileSource() override { ::close(fd_); }
  int descriptor() const override { return fd_; }
  io::Task<Result<void>> prefetch(std::uint64_t offset, std::uint64_t length) override {
    EXPECT_LE(offset + length, size_bytes());
    EXPECT_LE(length, 1024u * 1024u);
    co_return Result<void>();
  }
  void truncate(std::uint64_t size_bytes) { EXPECT_EQ(::ftruncate(fd_, static_cast<::off_t>(size_bytes)), 0); }

 private:
  int fd_;
};

/// A door that handlers wait at until the test opens it.
class Gate {
 public:
  io::Task<void> pass() {
    co_await io::suspend<bool>([this](std::move_only_function<void(bool)> done) {
      std::unique_lock lock(mutex_);
      ++arrived_count_;
      changed_.notify_all();
      if (!is_open_) {
        waiters_.push_back(std::move(done));
        return;
      }
      lock.unlock();
      done(true);
    });
  }
  void wait_for_arrivals(std::size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, std::chrono::seconds(20), [&] { return arrived_count_ >= count; }));
  }
  void open() {
    const std::lock_guard lock(mutex_);
    is_open_ = true;
    for (auto& done : waiters_) done(true);
    waiters_.clear();
  }

 private:
  std::mutex mutex_;  // guards: everything below
  std::condition_variable changed_;
  bool is_open_ = false;
  std::size_t arrived_count_ = 0;
  std::vector<std::move_only_function<void(bool)>> waiters_;
};

/// What handlers report to the test, in the order it happens.
class Journal {
 public:
  void add(std::string line) {
    const std::lock_guard lock(mutex_);
    lines_.push_back(std::move(line));
    changed_.notify_all();
  }
  /// Until that very line is there.
  bool has(const std::string& line) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20),
                             [&] { return std::ranges::find(lines_, line) != lines_.end(); });
  }
  /// The n-th line (from 0), once it is there.
  std::string line(std::size_t index) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, std::chrono::seconds(20), [&] { return lines_.size() > index; })) return "(none)";
    return lines_[index];
  }

 private:
  std::mutex mutex_;  // guards: lines_
  std::condition_variable changed_;
  std::vector<std::string> lines_;
};

/// The handler: the path names the behaviour.
struct ToyHandler {
  Gate gate;
  Journal journal;
  std::shared_ptr<io::RandomSource> source = std::make_shared<MemorySource>("");
  std::vector<BodyPart> parts;

  io::Task<void> handle(Exchange& exchange) {
    const std::string path(exchange.request().path);
    if (path == "/count") co_return co_await count(exchange);
    if (path == "/echo") co_return co_await echo(exchange);
    if (path == "/silent") co_return;
    if (path == "/throw") throw std::runtime_error("thrown by the handler");
    if (path == "/throw-late") {
      co_await reply(exchange, 200, "answered");
      throw std::runtime_error("thrown by the handler");
    }
    if (path == "/twice") {
      co_await reply(exchange, 200, "first");
      co_return co_await reply(exchange, 200, "second");
    }
    if (path == "/deny") co_return co_await reply(exchange, 401, "denied");
    if (path == "/gate") {
      co_await gate.pass();
      co_return co_await reply(exchange, 200, "passed");
    }
    if (path == "/source") co_return co_await send_source(exchange);
    if (path == "/head") co_return report(co_await exchange.send_head(Response{}, 12'345));
    if (path == "/status") co_return co_await reply(exchange, std::stoi(std::string(exchange.request().query)), "body");
    if (path == "/big") co_return co_await reply(exchange, 200, make_content(8 * 1024 * 1024));
    co_await reply(exchange, 200, std::string(exchange.request().target));
  }

  /// Reads the body in pieces, then says how much there was or what went wrong.
  io::Task<void> count(Exchange& exchange) {
    std::vector<std::byte> buffer(64 * 1024);
    std::size_t total = 0;
    for (;;) {
      const Result<std::size_t> got = co_await exchange.read(buffer);
      if (!got) {
        journal.add(std::string(to_string(got.error().code)) + " after " + std::to_string(total));
        co_return co_await reply(exchange, 400, std::string(to_string(got.error().code)));
      }
      if (*got == 0) break;
      total += *got;
      if (exchange.request().query == "aloud") journal.add(std::to_string(total));
    }
    co_await reply(exchange, 200, std::to_string(total));
  }
  io::Task<void> echo(Exchange& exchange) {
    Result<std::string> body = co_await exchange.read_body(32 * 1024 * 1024, Errc::manifest_too_large);
    if (body) co_return co_await reply(exchange, 200, std::move(*body));
    journal.add(std::string(to_string(body.error().code)));
    co_await reply(exchange, 400, std::string(to_string(body.error().code)));
  }
  io::Task<void> send_source(Exchange& exchange) {
    const std::shared_ptr<io::RandomSource> kept = source;  // shared: the test may change it meanwhile
    report(co_await exchange.send(Response{}, *kept, parts));
  }
  io::Task<void> reply(Exchange& exchange, int status, std::string body) {
    report(co_await exchange.send(Response{.status = status}, std::move(body)));
  }
  void report(const Result<void>& sent) {
    if (!sent) journal.add("send: " + std::string(to_string(sent.error().code)));
  }
};

inline std::pair<Response, std::string> respond_to_error(const Error& error) {
  Response response;
  switch (error.code) {
    case Errc::request_too_large: response.status = static_cast<int>(error.number); break;
    case Errc::request_malformed: response.status = 400; break;
    case Errc::timeout: response.status = 408; break;
    case Errc::unavailable: response.status = 503; break;
    default: response.status = 500; break;
  }
  if (error.code == Errc::unavailable) response.add("Retry-After", "1");
  return {response, error.message};
}

/// Limits that tests rarely meet by accident, and a quick tick.
inline ServerLimits test_limits() {
  ServerLimits limits;
  limits.tick_interval_ms = 5;
  return limits;
}

class TestServer {
 public:
  explicit TestServer(const ServerLimits& chosen = test_limits(), unsigned cores = 2)
      : limits(chosen),
        log(LogLevel::off),
        runtime(cores),
        server(
            {.runtime = runtime, .clock = clock, .log = log}, limits,
            [this](Exchange& exchange) { return toy.handle(exchange); }, respond_to_error) {
    runtime.start();
    const auto listening = server.listen({.host = "127.0.0.1"});
    EXPECT_TRUE(listening);
  }
  ~TestServer() {
    toy.gate.open();
    server.stop(0);
    runtime.drain();
    EXPECT_EQ(server.connection_count(), 0u);
  }

  RawClient connect(int receive_buffer_bytes = 0) { return RawClient(server.port(), receive_buffer_bytes); }
  /// Lets time pass in steps until the client hears something: whether the server has begun to wait yet is not known.
  void advance_until_readable(RawClient& client, std::int64_t step_ms) {
    for (int i = 0; i < 1'000 && !client.is_readable_within(10); ++i) clock.advance_ms(step_ms);
  }

  ServerLimits limits;
  ManualClock clock;
  Log log;
  ToyHandler toy;
  io::Runtime runtime;
  Server server;
};

}  // namespace berth::http::test
