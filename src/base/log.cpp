#include "base/log.h"

#include "base/json_text.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <utility>

namespace berth {

struct Log::Sink {
  std::shared_ptr<spdlog::sinks::sink> out = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  spdlog::logger logger{"berth", out};
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

Log::Log(LogLevel level) : level_(level), sink_(std::make_unique<Sink>()) {
  sink_->logger.set_level(spdlog::level::trace);
  sink_->logger.flush_on(spdlog::level::info);
  sink_->logger.set_pattern(R"({"at":"%Y-%m-%dT%H:%M:%S.%eZ",%v})", spdlog::pattern_time_type::utc);
}

Log::~Log() = default;

void Log::write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) const {
  if (level < level_ || level == LogLevel::off) return;
  const auto [spd, name] = spdlog_level(level);
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
