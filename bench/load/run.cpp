#include "modes.h"

#include <fmt/format.h>

#include <cstdlib>

namespace berth::load {

Flags::Flags(int count, char** words) {
  for (int i = 0; i < count; i += 2) {
    const std::string name = words[i];
    if (!name.starts_with("--") || i + 1 >= count) {
      problem_ = "expected --flag value, found " + name;
      return;
    }
    values_[name.substr(2)] = words[i + 1];
  }
}

std::string Flags::text(const std::string& name, std::string otherwise) const {
  const auto found = values_.find(name);
  return found == values_.end() ? otherwise : found->second;
}

std::uint64_t Flags::number(const std::string& name, std::uint64_t otherwise) const {
  const auto found = values_.find(name);
  return found == values_.end() ? otherwise : std::strtoull(found->second.c_str(), nullptr, 10);
}

double Flags::real(const std::string& name, double otherwise) const {
  const auto found = values_.find(name);
  return found == values_.end() ? otherwise : std::strtod(found->second.c_str(), nullptr);
}

Run::Run(const Flags& given) : flags(given) {
  endpoint.port = static_cast<std::uint16_t>(flags.number("port", 0));
  if (flags.number("tls", 0) != 0) endpoint.tls = make_tls(endpoint);
}

void Run::begin() {
  started = now_ns();
  ends = started + static_cast<std::uint64_t>(flags.real("seconds", 5) * 1e9);
}

std::string Run::finish(std::vector<std::pair<std::string, double>> extra) {
  constexpr std::uint64_t kGraceNs = 60'000'000'000;
  const std::size_t unfinished = loop.run(ends + kGraceNs);
  const std::uint64_t stopped = now_ns();
  if (unfinished > 0) recorder.error("run", fmt::format("{} clients did not finish", unfinished));
  extra.emplace_back("bytes_in", static_cast<double>(bytes_in));
  extra.emplace_back("bytes_out", static_cast<double>(bytes_out));
  if (endpoint.tls != nullptr) extra.emplace_back("resumed", static_cast<double>(endpoint.resumed));
  return recorder.json(static_cast<double>(stopped - started) / 1e9, extra);
}

std::string upload_target(const std::string& location, const std::string& digest) {
  std::string target = location;
  if (const auto scheme = target.find("://"); scheme != std::string::npos) {
    const auto slash = target.find('/', scheme + 3);
    target = slash == std::string::npos ? "/" : target.substr(slash);
  }
  if (digest.empty()) return target;
  return target + (target.find('?') == std::string::npos ? "?" : "&") + "digest=" + digest;
}

}  // namespace berth::load
