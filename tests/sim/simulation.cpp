#include "sim/simulation.h"

namespace berth::sim {

namespace {

/// Not SeededRandom's own stride: neighbouring seeds would walk through the same numbers, one apart.
constexpr std::uint64_t kSeedStride = 0xd1342543de82ef95ULL;

const std::vector<std::string> kRepos = {"team/app", "team/lib", "solo"};

/// Sizes around the disk's sectors, and nothing at all.
std::vector<std::string> make_texts() {
  std::vector<std::string> out;
  for (const std::size_t size : {0, 1, 300, 511, 512, 513, 1024, 1700, 5000}) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 31 + size + i / 256);
    out.push_back(std::move(text));
  }
  return out;
}
const std::vector<std::string> kTexts = make_texts();

}  // namespace

Simulation::Simulation(SimulationOptions options)
    : options_(options), choice_(options.seed * kSeedStride), world_(options.seed) {
  for (const std::string& text : kTexts) texts_[test::RegistryWorld::digest(text).str()] = text;
  world_.wrap = [this](std::unique_ptr<sql::Connection> inner) { return database_.wrap(std::move(inner)); };
}

std::string Simulation::run() {
  if (!start_process()) return "the first start failed";
  if (options_.lie == SimulationOptions::Lie::file_syncs) world_.fs.ignore_syncs();
  if (options_.lie == SimulationOptions::Lie::database_syncs) database_.ignore_syncs();
  for (int i = 0; i < options_.steps && failure_.empty(); ++i) {
    step();
    if (failure_.empty() && one_in(25)) check_everything();
  }
  world_.fs.heal();
  if (failure_.empty()) {
    note("end");
    if (one_in(2)) {
      cut_power();
    } else {
      restart();
    }
  }
  if (failure_.empty()) housekeeping();
  if (failure_.empty()) check_everything();
  if (failure_.empty()) check_store();
  if (failure_.empty()) check_candidates();
  if (failure_.empty()) return {};
  std::string out = "seed " + std::to_string(options_.seed) + ": " + failure_ + "\n";
  for (std::size_t i = 0; i < trace_.size(); ++i) out += "  " + std::to_string(i) + " " + trace_[i] + "\n";
  return out;
}

const std::string& Simulation::any_repo() { return kRepos[below(kRepos.size())]; }
const std::string& Simulation::any_text() { return kTexts[below(kTexts.size())]; }
std::string Simulation::new_text() {
  std::string text = std::to_string(texts_.size()) + " ";
  // Several sectors, so that a power cut can leave some of them.
  const std::size_t size = 500 + below(8000);
  while (text.size() < size) text += static_cast<char>(text.size() * 31 + text.size() / 256);
  texts_[test::RegistryWorld::digest(text).str()] = text;
  return text;
}

const std::string& Simulation::known_text() {
  auto at = texts_.begin();
  std::advance(at, below(texts_.size()));
  return at->second;
}

std::string Simulation::any_tag() { return "v" + std::to_string(below(3)); }

std::string Simulation::any_manifest(const std::string& repo) {
  const auto found = model_.repos().find(repo);
  if (found == model_.repos().end() || found->second.manifests.empty()) return {};
  auto at = found->second.manifests.begin();
  std::advance(at, below(found->second.manifests.size()));
  return at->first;
}

void Simulation::fail_with(std::string what) {
  if (failure_.empty()) failure_ = std::move(what);
}

bool Simulation::settle(const std::string& what, const Outcome& expected, const Outcome& actual) {
  const bool struck = world_.fs.struck();
  world_.fs.heal();
  const auto name = [](const Outcome& o) { return o ? std::string(to_string(*o)) : std::string("ok"); };
  note(what + " -> " + name(actual) + (struck ? " (fault)" : ""));
  if (!actual && expected) fail_with(what + " was acknowledged, but should be " + name(expected));
  if (actual && !struck && actual != expected) {
    fail_with(what + " is " + name(actual) + ", but should be " + name(expected));
  }
  return !actual;
}

}  // namespace berth::sim
