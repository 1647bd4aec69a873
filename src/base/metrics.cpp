#include "base/metrics.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace berth {

namespace metrics {

std::size_t shard() {
  static std::atomic<std::size_t> next{0};
  thread_local const std::size_t kMine = next.fetch_add(1, std::memory_order_relaxed) % kShards;
  return kMine;
}

std::uint64_t Counter::value() const {
  std::uint64_t sum = 0;
  for (const Shard& part : shards_) sum += part.value.load(std::memory_order_relaxed);
  return sum;
}

void Histogram::observe_us(std::int64_t duration_us) {
  const std::int64_t us = std::max<std::int64_t>(duration_us, 0);
  const auto bucket = static_cast<std::size_t>(std::ranges::lower_bound(kBoundsUs, us) - kBoundsUs.begin());
  Shard& mine = shards_[shard()];
  mine.buckets[bucket].fetch_add(1, std::memory_order_relaxed);
  mine.sum_us.fetch_add(static_cast<std::uint64_t>(us), std::memory_order_relaxed);
}

std::array<std::uint64_t, Histogram::kBoundsUs.size() + 1> Histogram::cumulative() const {
  std::array<std::uint64_t, kBoundsUs.size() + 1> out{};
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    for (const Shard& part : shards_) sum += part.buckets[i].load(std::memory_order_relaxed);
    out[i] = sum;
  }
  return out;
}

std::uint64_t Histogram::sum_us() const {
  std::uint64_t sum = 0;
  for (const Shard& part : shards_) sum += part.sum_us.load(std::memory_order_relaxed);
  return sum;
}

}  // namespace metrics

namespace {

using metrics::Labels;

void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
}

std::string labels_text(const Labels& labels) {
  if (labels.empty()) return "";
  std::string out = "{";
  for (const metrics::Label& label : labels) {
    if (&label != &labels.front()) out += ',';
    out.append(label.name).append("=\"");
    append_escaped(out, label.value);
    out += '"';
  }
  return out + "}";
}

std::string number_text(double value) {
  if (std::isnan(value)) return "NaN";
  constexpr double kPlainMax = 1e18;
  std::array<char, 64> text{};
  const bool plain = std::abs(value) < kPlainMax && (value == 0 || std::abs(value) >= 1e-9);
  const auto format = plain ? std::chars_format::fixed : std::chars_format::scientific;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value, format).ptr;
  return {text.data(), end};
}

void append_line(std::string& out, std::string_view name, std::string_view labels, std::string_view value) {
  out.append(name).append(labels).append(" ").append(value).append("\n");
}

/// The labels of a bucket: those of the series and `le`.
std::string bucket_labels(const std::string& labels, std::string_view bound) {
  std::string out = labels.empty() ? "{" : labels.substr(0, labels.size() - 1) + ",";
  return out.append("le=\"").append(bound).append("\"}");
}

constexpr double kUsPerSecond = 1e6;

void append_histogram(std::string& out, const std::string& name, const std::string& labels,
                      const metrics::Histogram& histogram) {
  const auto counts = histogram.cumulative();
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const bool last = i == metrics::Histogram::kBoundsUs.size();
    const std::string bound =
        last ? "+Inf" : number_text(static_cast<double>(metrics::Histogram::kBoundsUs[i]) / kUsPerSecond);
    append_line(out, name + "_bucket", bucket_labels(labels, bound), std::to_string(counts[i]));
  }
  append_line(out, name + "_sum", labels, number_text(static_cast<double>(histogram.sum_us()) / kUsPerSecond));
  append_line(out, name + "_count", labels, std::to_string(counts.back()));
}

}  // namespace

Metrics::Family& Metrics::family(std::string_view name, std::string_view help, std::string_view type) {
  const auto found = std::ranges::find(families_, name, &Family::name);
  if (found != families_.end()) return *found;
  return families_.emplace_back(Family{std::string(name), std::string(help), type, {}});
}

metrics::Counter& Metrics::counter(std::string_view name, std::string_view help, Labels labels) {
  const std::lock_guard lock(mutex_);
  metrics::Counter& made = counters_.emplace_back();
  family(name, help, "counter").series.push_back({labels_text(labels), &made, nullptr, {}});
  return made;
}

metrics::Histogram& Metrics::histogram(std::string_view name, std::string_view help, Labels labels) {
  const std::lock_guard lock(mutex_);
  metrics::Histogram& made = histograms_.emplace_back();
  family(name, help, "histogram").series.push_back({labels_text(labels), nullptr, &made, {}});
  return made;
}

void Metrics::read(std::string_view name, std::string_view help, Kind kind, Labels labels,
                   std::function<double()> value) {
  const std::lock_guard lock(mutex_);
  family(name, help, kind == Kind::gauge ? "gauge" : "counter")
      .series.push_back({labels_text(labels), nullptr, nullptr, std::move(value)});
}

std::string Metrics::text() const {
  const std::lock_guard lock(mutex_);
  std::string out;
  for (const Family& family : families_) {
    out.append("# HELP ").append(family.name).append(" ");
    append_escaped(out, family.help);
    out.append("\n# TYPE ").append(family.name).append(" ").append(family.type).append("\n");
    for (const Series& series : family.series) {
      if (series.histogram != nullptr) append_histogram(out, family.name, series.labels, *series.histogram);
      if (series.counter != nullptr)
        append_line(out, family.name, series.labels, std::to_string(series.counter->value()));
      if (series.value) append_line(out, family.name, series.labels, number_text(series.value()));
    }
  }
  return out;
}

}  // namespace berth
