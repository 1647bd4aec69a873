#pragma once
// Structured log: an event name and fields, one JSON object a line on standard error.
//
//   log.info("manifest.put", {f("repo", repo), f("digest", digest), f("bytes", size)});
//
// Field names are the fixed set of log_fields.h's comment. Never a token, password, session state or Authorization
// value. `error` means that someone must act; a client's mistake is `info`.

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

namespace berth {

enum class LogLevel : std::uint8_t { debug, info, warn, error, off };

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
  explicit Log(LogLevel level);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  bool enabled(LogLevel level) const { return level >= level_; }
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

 private:
  struct Sink;
  LogLevel level_;
  std::unique_ptr<Sink> sink_;
};

}  // namespace berth
