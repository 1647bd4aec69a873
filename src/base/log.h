#pragma once
// Structured log: an event name and fields, on standard error: one JSON object a line, or text for a person at a
// terminal.
//
//   log.info("manifest.put", {f("repo", repo), f("digest", digest), f("bytes", size)});
//
// Field names are the fixed set of log_fields.h's comment. Never a token, password, session state or Authorization
// value. `error` means that someone must act; a client's mistake is `info`.

#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace berth {

enum class LogLevel : std::uint8_t { debug, info, warn, error, off };
enum class LogFormat : std::uint8_t {
  automatic,  // text on a terminal, else json
  json,
  text,
};

struct LogField {
  std::string_view name;
  std::string text;
  bool is_number = false;
};

LogField f(std::string_view name, std::string_view value);
LogField f(std::string_view name, const char* value);
LogField f(std::string_view name, std::int64_t value);
LogField f(std::string_view name, std::uint64_t value);
LogField f(std::string_view name, int value);
LogField f(std::string_view name, unsigned value);

/// Thread-safe. One per process, built in `app`, handed down by reference.
class Log {
 public:
  explicit Log(LogLevel level, LogFormat format = LogFormat::json);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  bool enabled(LogLevel level) const { return level >= level_.load(std::memory_order_relaxed); }
  void set_level(LogLevel level) { level_.store(level, std::memory_order_relaxed); }
  LogFormat format() const { return format_; }
  void write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) const;

  void debug(std::string_view event, std::initializer_list<LogField> fields) const {
    write(LogLevel::debug, event, fields);
  }
  void info(std::string_view event, std::initializer_list<LogField> fields) const {
    write(LogLevel::info, event, fields);
  }
  void warn(std::string_view event, std::initializer_list<LogField> fields) const {
    write(LogLevel::warn, event, fields);
  }
  void error(std::string_view event, std::initializer_list<LogField> fields) const {
    write(LogLevel::error, event, fields);
  }

  /// A whole line, without its end, of what happens thousands of times a second: kept until flush_lines(), so that no
  /// I/O thread waits for whoever reads the log. Beyond kLinesBytesMax it is dropped, and counted.
  void add_line(std::string_view line) const;
  /// Writes what add_line() kept. Blocks; the process's end calls it too.
  void flush_lines() const;
  std::uint64_t dropped_lines() const { return dropped_.load(std::memory_order_relaxed); }
  static constexpr std::size_t kLinesBytesMax = 16 * 1024 * 1024;

 private:
  struct Sink;
  std::atomic<LogLevel> level_;
  LogFormat format_;
  std::unique_ptr<Sink> sink_;
  mutable std::mutex lines_mutex_;  // guards: lines_
  mutable std::string lines_;
  mutable std::atomic<std::uint64_t> dropped_{0};
};

}  // namespace berth
