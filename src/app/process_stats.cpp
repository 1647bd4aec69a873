#include "app/process_stats.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace berth::app {

namespace {

/// The fields of /proc/self/stat behind the command, whose name may hold anything: state is the first.
std::vector<std::string> stat_fields() {
  std::ifstream file("/proc/self/stat");
  std::string text;
  std::getline(file, text);
  std::istringstream rest(text.substr(std::min(text.size(), text.rfind(')') + 1)));
  std::vector<std::string> fields;
  for (std::string field; rest >> field;) fields.push_back(field);
  return fields;
}

double boot_time_seconds() {
  std::ifstream file("/proc/stat");
  for (std::string name; file >> name;) {
    double value = 0;
    if (name == "btime" && file >> value) return value;
  }
  return 0;
}

}  // namespace

ProcessStats process_stats() {
  // proc(5) counts from 1, the state is field 3.
  constexpr std::size_t kState = 3;
  constexpr std::size_t kUserTicks = 14 - kState;
  constexpr std::size_t kSystemTicks = 15 - kState;
  constexpr std::size_t kStartTicks = 22 - kState;
  constexpr std::size_t kResidentPages = 24 - kState;
  const auto fields = stat_fields();
  if (fields.size() <= kResidentPages) return {};
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  return {.resident_bytes = std::stoull(fields[kResidentPages]) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)),
          .cpu_seconds = (std::stod(fields[kUserTicks]) + std::stod(fields[kSystemTicks])) / ticks,
          .start_time_seconds = boot_time_seconds() + std::stod(fields[kStartTicks]) / ticks};
}

std::size_t open_descriptors() {
  std::error_code ignored;
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", ignored)) {
    static_cast<void>(entry);
    ++count;
  }
  return count;
}

}  // namespace berth::app
