#include "support/fault_fs.h"

#include "base/random.h"
#include "support/torn_writes.h"

#include <algorithm>
#include <cstring>
#include <set>
#include <utility>

namespace berth::test {

namespace {

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

}  // namespace

struct FaultFs::Node {
  bool is_dir = false;
  std::string data;
  std::string durable;
  std::vector<Change> unsynced;
  std::uint64_t reserved = 0;
  std::int64_t modified_ms = 0;

  void change(Change step, std::int64_t now_ms) {
    step.apply_to(data);
    unsynced.push_back(std::move(step));
    modified_ms = now_ms;
  }
};

class FaultFs::Handle final : public io::File {
 public:
  Handle(FaultFs& fs, NodePtr node, std::string path)
      : fs_(fs), node_(std::move(node)), path_(std::move(path)), epoch_(fs.epoch_) {}

  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    BERTH_TRYV(fs_.begin("read_at", path_));
    const std::lock_guard lock(fs_.mutex_);
    BERTH_TRYV(alive());
    if (offset >= node_->data.size()) return 0;
    const std::size_t n = std::min(out.size(), node_->data.size() - static_cast<std::size_t>(offset));
    std::memcpy(out.data(), node_->data.data() + offset, n);
    return n;
  }

  Result<void> write_at(std::uint64_t offset, std::span<const std::byte> bytes) override {
    auto allowed = fs_.begin("write_at", path_);
    const std::lock_guard lock(fs_.mutex_);
    BERTH_TRYV(alive());
    std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (!allowed) {
      text.resize(text.size() / 2);
    } else if (const std::uint64_t grown = growth(offset + text.size()); fs_.used_bytes() + grown > fs_.capacity_) {
      const std::uint64_t lacking = fs_.used_bytes() + grown - fs_.capacity_;
      text.resize(text.size() - std::min<std::uint64_t>(lacking, text.size()));
      allowed = fail(Errc::no_space, "the disk is full", "write_at " + path_);
    }
    if (!text.empty()) node_->change({offset, std::move(text)}, fs_.now_ms_++);
    return allowed;
  }

  Result<void> truncate(std::uint64_t size_bytes) override {
    BERTH_TRYV(fs_.begin("truncate", path_));
    const std::lock_guard lock(fs_.mutex_);
    BERTH_TRYV(alive());
    node_->reserved = 0;
    node_->change({size_bytes, std::nullopt}, fs_.now_ms_++);
    return {};
  }

  Result<void> reserve(std::uint64_t size_bytes) override {
    BERTH_TRYV(fs_.begin("reserve", path_));
    const std::lock_guard lock(fs_.mutex_);
    BERTH_TRYV(alive());
    if (fs_.used_bytes() + growth(size_bytes) > fs_.capacity_) {
      return fail(Errc::no_space, "the disk is full", "reserve " + path_);
    }
    if (!fs_.ignores_reserves_) node_->reserved = std::max(node_->reserved, size_bytes);
    return {};
  }

  Result<void> sync() override {
    auto allowed = fs_.begin("sync", path_);
    const std::lock_guard lock(fs_.mutex_);
    BERTH_TRYV(alive());
    ++fs_.syncs_;
    if (allowed && fs_.ignores_syncs_) return {};
    if (allowed) {
      for (const Change& step : node_->unsynced) step.apply_to(node_->durable);
    }
    node_->unsynced.clear();  // after a failure too: the kernel forgets that these pages were dirty
    return allowed;
  }

  Result<std::uint64_t> size_bytes() override {
    BERTH_TRYV(fs_.begin("size_bytes", path_));
    const std::lock_guard lock(fs_.mutex_);
    BERTH_TRYV(alive());
    return node_->data.size();
  }

  Result<std::uint64_t> allocated_bytes() override {
    BERTH_TRYV(fs_.begin("allocated_bytes", path_));
    const std::lock_guard lock(fs_.mutex_);
    BERTH_TRYV(alive());
    return std::max<std::uint64_t>(node_->data.size(), node_->reserved);
  }

  int descriptor() const override { return -1; }

 private:
  Result<void> alive() const {
    if (epoch_ == fs_.epoch_) return {};
    return fail(Errc::io_failed, {}, path_ + " was opened before the power cut");
  }
  std::uint64_t growth(std::uint64_t end) const {
    const std::uint64_t now = std::max<std::uint64_t>(node_->data.size(), node_->reserved);
    return end > now ? end - now : 0;
  }

  FaultFs& fs_;
  NodePtr node_;
  std::string path_;
  std::uint64_t epoch_;
};

FaultFs::FaultFs() = default;
FaultFs::~FaultFs() = default;

Result<void> FaultFs::begin(std::string_view call, const std::string& path) {
  std::function<void(const Operation&)> hook;
  {
    const std::lock_guard lock(mutex_);
    hook = hook_;
  }
  if (hook) hook({call, path});
  const std::lock_guard lock(mutex_);
  ++operations_;
  const bool hit = fault_.at != 0 && (operations_ == fault_.at || (fault_.lasting && operations_ > fault_.at));
  if (!hit) return {};
  struck_ = true;
  return fail(fault_.error, "injected", std::string(call) + " " + path);
}

Result<void> FaultFs::check_parent(const std::string& path) const {
  const std::string parent = parent_of(path);
  if (parent == "." || names_.contains(parent)) return {};
  return fail(Errc::file_unknown, {}, "no folder " + parent);
}

void FaultFs::NameStep::apply_to(Names& names) const {
  for (const auto& [path, node] : changes) {
    if (node) {
      names[path] = node;
    } else {
      names.erase(path);
    }
  }
}

void FaultFs::change_names(NameStep step) {
  step.apply_to(names_);
  unsynced_names_.push_back(std::move(step));
}

Result<std::unique_ptr<io::File>> FaultFs::open(const std::string& path, Mode mode) {
  BERTH_TRYV(begin(mode == Mode::create_new ? "create" : "open", path));
  const std::lock_guard lock(mutex_);
  BERTH_TRYV(check_parent(path));
  const auto found = names_.find(path);
  if (mode == Mode::create_new) {
    if (found != names_.end()) return fail(Errc::io_failed, {}, path + " exists");
    auto node = std::make_shared<Node>();
    node->modified_ms = now_ms_++;
    change_names({{{path, node}}});
    return std::make_unique<Handle>(*this, std::move(node), path);
  }
  if (found == names_.end()) return fail(Errc::file_unknown, {}, "open " + path);
  // As open(2): a folder opens for reading and for nothing else.
  if (found->second->is_dir && mode != Mode::read) return fail(Errc::io_failed, {}, path + " is a folder");
  return std::make_unique<Handle>(*this, found->second, path);
}

Result<void> FaultFs::rename(const std::string& from, const std::string& to) {
  BERTH_TRYV(begin("rename", from));
  const std::lock_guard lock(mutex_);
  BERTH_TRYV(check_parent(to));
  const auto found = names_.find(from);
  if (found == names_.end()) return fail(Errc::file_unknown, {}, "rename " + from);
  change_names({{{from, nullptr}, {to, found->second}}});
  return {};
}

Result<void> FaultFs::unlink(const std::string& path) {
  BERTH_TRYV(begin("unlink", path));
  const std::lock_guard lock(mutex_);
  if (!names_.contains(path)) return fail(Errc::file_unknown, {}, "unlink " + path);
  change_names({{{path, nullptr}}});
  return {};
}

Result<void> FaultFs::make_dir(const std::string& path) {
  BERTH_TRYV(begin("make_dir", path));
  const std::lock_guard lock(mutex_);
  BERTH_TRYV(check_parent(path));
  if (names_.contains(path)) return {};
  auto node = std::make_shared<Node>();
  node->is_dir = true;
  change_names({{{path, std::move(node)}}});
  return {};
}

Result<std::vector<io::DirEntry>> FaultFs::list(const std::string& dir) {
  BERTH_TRYV(begin("list", dir));
  const std::lock_guard lock(mutex_);
  if (dir != "." && !names_.contains(dir)) return fail(Errc::file_unknown, {}, "list " + dir);
  std::vector<io::DirEntry> out;
  for (const auto& [path, node] : names_) {
    if (node->is_dir || parent_of(path) != dir) continue;
    out.push_back({path.substr(path.rfind('/') + 1), node->modified_ms, node->data.size()});
  }
  return out;
}

Result<void> FaultFs::sync_dir(const std::string& dir) {
  BERTH_TRYV(begin("sync_dir", dir));
  const std::lock_guard lock(mutex_);
  if (dir != "." && !names_.contains(dir)) return fail(Errc::file_unknown, {}, "sync_dir " + dir);
  ++syncs_;
  if (ignores_syncs_) return {};
  // From the last step to the first: what touches the folder, and what such a step stands on.
  std::set<std::string> needed;
  std::vector<char> chosen(unsynced_names_.size(), 0);
  for (std::size_t i = unsynced_names_.size(); i-- > 0;) {
    const auto& changes = unsynced_names_[i].changes;
    const bool wanted = std::ranges::any_of(
        changes, [&](const auto& change) { return parent_of(change.first) == dir || needed.contains(change.first); });
    if (!wanted) continue;
    chosen[i] = 1;
    for (const auto& change : changes) needed.insert(change.first);
  }
  std::vector<NameStep> rest;
  for (std::size_t i = 0; i < unsynced_names_.size(); ++i) {
    if (chosen[i] != 0) {
      unsynced_names_[i].apply_to(durable_names_);
    } else {
      rest.push_back(std::move(unsynced_names_[i]));
    }
  }
  unsynced_names_ = std::move(rest);
  return {};
}

std::uint64_t FaultFs::used_bytes() const {
  std::uint64_t used = 0;
  for (const auto& [path, node] : names_) used += std::max<std::uint64_t>(node->data.size(), node->reserved);
  return used;
}

Result<io::Space> FaultFs::space() {
  BERTH_TRYV(begin("space", "."));
  const std::lock_guard lock(mutex_);
  if (capacity_ == UINT64_MAX) return io::Space{1ULL << 40, 1ULL << 40};
  const std::uint64_t used = used_bytes();
  return io::Space{capacity_, used < capacity_ ? capacity_ - used : 0};
}

// --- faults and counters
// ----------------------------------------------------------------------------------------------

void FaultFs::fail_at(std::uint64_t n, Errc error) {
  const std::lock_guard lock(mutex_);
  fault_ = {operations_ + n, false, error};
  struck_ = false;
}

void FaultFs::fail_from(std::uint64_t n, Errc error) {
  const std::lock_guard lock(mutex_);
  fault_ = {operations_ + n, true, error};
  struck_ = false;
}

void FaultFs::heal() {
  const std::lock_guard lock(mutex_);
  fault_ = {};
  struck_ = false;
}

bool FaultFs::struck() const {
  const std::lock_guard lock(mutex_);
  return struck_;
}

void FaultFs::set_capacity_bytes(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  capacity_ = bytes;
}

void FaultFs::ignore_syncs() {
  const std::lock_guard lock(mutex_);
  ignores_syncs_ = true;
}

void FaultFs::ignore_reserves() {
  const std::lock_guard lock(mutex_);
  ignores_reserves_ = true;
}

void FaultFs::on_operation(std::function<void(const Operation&)> hook) {
  const std::lock_guard lock(mutex_);
  hook_ = std::move(hook);
}

std::uint64_t FaultFs::operations() const {
  const std::lock_guard lock(mutex_);
  return operations_;
}

std::uint64_t FaultFs::syncs() const {
  const std::lock_guard lock(mutex_);
  return syncs_;
}

void FaultFs::reset_counters() {
  const std::lock_guard lock(mutex_);
  operations_ = 0;
  syncs_ = 0;
}

// --- power
// ------------------------------------------------------------------------------------------------------------

template <class Keep>
void FaultFs::cut(Keep keep_step, std::uint64_t* seed) {
  std::set<std::string> lost;
  for (const NameStep& step : unsynced_names_) {
    const bool stands =
        std::ranges::none_of(step.changes, [&](const auto& change) { return lost.contains(change.first); });
    if (keep_step() && stands) {
      step.apply_to(durable_names_);
    } else {
      for (const auto& change : step.changes) lost.insert(change.first);
    }
  }
  unsynced_names_.clear();
  names_.clear();
  std::map<const Node*, NodePtr> copies;  // a node may have two names for a moment of a rename
  for (const auto& [path, node] : durable_names_) {
    const std::string parent = parent_of(path);  // sorts before its children
    if (parent != "." && !names_.contains(parent)) continue;
    NodePtr& copy = copies[node.get()];
    if (!copy) {
      copy = std::make_shared<Node>();
      copy->is_dir = node->is_dir;
      copy->modified_ms = node->modified_ms;
      copy->durable = node->durable;
      if (seed != nullptr) {
        SeededRandom random(*seed += 0x9e37);
        apply_some(node->unsynced, copy->durable, random);
      }
      copy->data = copy->durable;
    }
    names_[path] = copy;
  }
  durable_names_ = names_;
  fault_ = {};
  struck_ = false;
  ++epoch_;
}

void FaultFs::cut_power() {
  const std::lock_guard lock(mutex_);
  cut([] { return false; }, nullptr);
}

void FaultFs::cut_power_keeping_some(std::uint64_t seed) {
  const std::lock_guard lock(mutex_);
  SeededRandom random(seed);
  cut([&] { return toss(random); }, &seed);
}

// --- looking in
// -------------------------------------------------------------------------------------------------------

bool FaultFs::exists(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  return names_.contains(path);
}

std::optional<std::string> FaultFs::content(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  const auto found = names_.find(path);
  if (found == names_.end()) return std::nullopt;
  return found->second->data;
}

std::vector<std::string> FaultFs::files() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> out;
  for (const auto& [path, node] : names_) {
    if (!node->is_dir) out.push_back(path);
  }
  return out;
}

void FaultFs::flip_byte(const std::string& path, std::size_t offset) {
  const std::lock_guard lock(mutex_);
  Node& node = *names_.at(path);
  node.data.at(offset) = static_cast<char>(node.data.at(offset) ^ 1);
  node.durable = node.data;
  node.unsynced.clear();
}

void FaultFs::shorten(const std::string& path, std::size_t size_bytes) {
  const std::lock_guard lock(mutex_);
  Node& node = *names_.at(path);
  node.data.resize(size_bytes);
  node.durable = node.data;
  node.unsynced.clear();
}

}  // namespace berth::test
