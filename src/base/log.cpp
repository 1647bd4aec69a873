#include "base/log.h"

#include "base/json_text.h"

#include <spdlog/sinks/ansicolor_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

namespace berth {

struct Log::Sink {
  explicit Sink(std::shared_ptr<spdlog::sinks::sink> out) : logger("berth", std::move(out)) {}
  spdlog::logger logger;
};

LogField f(std::string_view name, std::string_view value) { return {name, std::string(value), false}; }
LogField f(std::string_view name, const char* value) { return {name, value, false}; }
LogField f(std::string_view name, std::int64_t value) { return {name, std::to_string(value), true}; }
LogField f(std::string_view name, std::uint64_t value) { return {name, std::to_string(value), true}; }
LogField f(std::string_view name, int value) { return {name, std::to_string(value), true}; }
LogField f(std::string_view name, unsigned value) { return {name, std::to_string(value), true}; }

namespace {
std::pair<spdlog::level::level_enum, std::string_view> spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return {spdlog::level::debug, "debug"};
    case LogLevel::info: return {spdlog::level::info, "info"};
    case LogLevel::warn: return {spdlog::level::warn, "warn"};
    case LogLevel::error: return {spdlog::level::err, "error"};
    case LogLevel::off: break;
  }
  return {spdlog::level::off, "off"};
}
}  // namespace

Log::Log(LogLevel level, LogFormat format) : level_(level), format_(format) {
  if (format_ == LogFormat::automatic) format_ = ::isatty(STDERR_FILENO) == 1 ? LogFormat::text : LogFormat::json;
  if (format_ == LogFormat::text) {
    sink_ = std::make_unique<Sink>(std::make_shared<spdlog::sinks::ansicolor_stderr_sink_mt>());
    sink_->logger.set_pattern("%H:%M:%S.%e %^%-5l%$ %v", spdlog::pattern_time_type::local);
  } else {
    sink_ = std::make_unique<Sink>(std::make_shared<spdlog::sinks::stderr_sink_mt>());
    sink_->logger.set_pattern(R"({"at":"%Y-%m-%dT%H:%M:%S.%eZ",%v})", spdlog::pattern_time_type::utc);
  }
  sink_->logger.set_level(spdlog::level::trace);
  sink_->logger.flush_on(spdlog::level::info);
}

Log::~Log() { flush_lines(); }

namespace {

/// "event  name=value name="a value""
std::string text_line(std::string_view event, std::initializer_list<LogField> fields) {
  std::string line(event);
  for (const LogField& field : fields) {
    line.append(" ").append(field.name).append("=");
    const bool plain = !field.text.empty() && std::ranges::all_of(field.text, [](char c) {
      return c > ' ' && c < '\x7f' && c != '"' && c != '=' && c != '\\';
    });
    if (plain) {
      line += field.text;
    } else {
      append_json_string(line, field.text);
    }
  }
  return line;
}

}  // namespace

void Log::add_line(std::string_view line) const {
  const std::lock_guard lock(lines_mutex_);
  if (lines_.size() + line.size() + 1 > kLinesBytesMax) {
    dropped_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  lines_.append(line).push_back('\n');
}

void Log::flush_lines() const {
  std::string lines;
  {
    const std::lock_guard lock(lines_mutex_);
    lines.swap(lines_);
  }
  if (lines.empty()) return;
  static_cast<void>(std::fwrite(lines.data(), 1, lines.size(), stderr));
  std::fflush(stderr);
}

void Log::write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) const {
  if (!enabled(level) || level == LogLevel::off) return;
  const auto [spd, name] = spdlog_level(level);
  if (format_ == LogFormat::text) {
    const std::string text = text_line(event, fields);
    sink_->logger.log(spd, spdlog::string_view_t(text.data(), text.size()));
    return;
  }
  std::string line = R"("level":")";
  line.append(name).append(R"(","event":)");
  append_json_string(line, event);
  for (const LogField& field : fields) {
    line += ',';
    append_json_string(line, field.name);
    line += ':';
    if (field.is_number) {
      line += field.text;
    } else {
      append_json_string(line, field.text);
    }
  }
  sink_->logger.log(spd, spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace berth
