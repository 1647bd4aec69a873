#include "recorder.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <cstdio>

namespace berth::load {

namespace {

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e ? '?' : c;
  }
  return out + '"';
}

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

}  // namespace

double own_cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

void Recorder::record(const std::string& operation, std::uint64_t start_ns, std::uint64_t end_ns) {
  operations_[operation].record(end_ns > start_ns ? end_ns - start_ns : 0);
  ++count_;
}

void Recorder::error(const std::string& operation, std::string what) {
  constexpr std::size_t kSamples = 5;
  ++errors_;
  ++errors_by_operation_[operation];
  if (samples_.size() < kSamples) samples_.push_back(operation + ": " + std::move(what));
}

std::string Recorder::json(double seconds, const std::vector<std::pair<std::string, double>>& extra) const {
  std::string out = fmt::format("{{\"seconds\": {:.6f}, \"requests\": {}, \"errors\": {}, \"load_cpu_s\": {:.6f}",
                                seconds, count_, errors_, own_cpu_seconds());
  for (const auto& [name, value] : extra) out += fmt::format(", {}: {:.6f}", quoted(name), value);
  out += ", \"samples\": [";
  for (std::size_t i = 0; i < samples_.size(); ++i) out += (i > 0 ? ", " : "") + quoted(samples_[i]);
  out += "], \"operations\": {";
  bool first = true;
  for (const auto& [name, histogram] : operations_) {
    const auto us = [&](double share) { return static_cast<double>(histogram.quantile(share)) / 1e3; };
    const auto failed = errors_by_operation_.contains(name) ? errors_by_operation_.at(name) : 0;
    out += fmt::format(
        "{}{}: {{\"count\": {}, \"errors\": {}, \"mean_us\": {:.1f}, \"p50_us\": {:.1f}, \"p90_us\": {:.1f}, "
        "\"p99_us\": {:.1f}, \"p999_us\": {:.1f}, \"max_us\": {:.1f}}}",
        first ? "" : ", ", quoted(name), histogram.count(), failed, histogram.mean() / 1e3, us(0.5), us(0.9), us(0.99),
        us(0.999), static_cast<double>(histogram.max()) / 1e3);
    first = false;
  }
  return out + "}}";
}

}  // namespace berth::load
