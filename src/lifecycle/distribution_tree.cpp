#include "lifecycle/distribution_tree.h"

#include <algorithm>
#include <filesystem>

namespace berth::lifecycle {

namespace {

using Kind = io::FileTree::Kind;

constexpr const char* kBelowRoot = "docker/registry/v2";
constexpr const char* kRepositories = "repositories";
constexpr const char* kBlobs = "blobs";
constexpr std::size_t kLinkBytesMax = oci::Digest::kTextBytesMax;
constexpr std::size_t kPathBytesMax = 1024;  // deeper is no repository anyone could name

bool is_folder(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::is_directory(path, error);
}

bool is_hex_pair(std::string_view name) {
  return name.size() == 2 && name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string join(const std::string& dir, std::string_view name) {
  return dir.empty() ? std::string(name) : dir + "/" + std::string(name);
}

}  // namespace

Result<oci::Digest> parse_link(std::string_view text) {
  // What a power cut leaves of a file that was never synced.
  if (text.empty()) return fail(Errc::digest_invalid, "the link file is empty");
  auto digest = oci::Digest::parse(text);
  if (!digest) return fail(Errc::digest_invalid, "the link file holds no digest");
  return digest;
}

Result<DistributionTree> DistributionTree::open(const std::string& path, OnTrouble on_trouble) {
  if (!is_folder(path)) return fail(Errc::file_unknown, "there is no folder at " + path);
  for (const char* dir : {".", "docker", "docker/registry", kBelowRoot}) {
    const auto listed = io::FileTree(path).list(dir);
    if (!listed && listed.error().code != Errc::file_unknown)
      return fail(Errc::io_failed, "cannot read the folder " + path, listed.error().cause);
  }
  for (const std::string& root : {path + "/" + kBelowRoot, path}) {
    const bool fits = is_folder(root + "/" + kBlobs) || is_folder(root + "/" + kRepositories);
    // The repositories of a name like `blobs` would look alike, one folder further down.
    if (fits && (root != path || is_folder(root + "/" + kRepositories)))
      return DistributionTree(root, std::move(on_trouble));
  }
  return fail(Errc::file_unknown, path + " is not the folder of a distribution registry: it has no " + kBelowRoot +
                                      "/repositories; give the 'rootdirectory' of its configuration, for the image "
                                      "registry:2 what is mounted at /var/lib/registry");
}

std::string DistributionTree::blob_path(const oci::Digest& digest) {
  const std::string hex = digest.hex();
  return std::string(kBlobs) + "/" + std::string(to_string(digest.algorithm())) + "/" + hex.substr(0, 2) + "/" + hex +
         "/data";
}

std::vector<io::FileTree::Entry> DistributionTree::list(const std::string& dir) const {
  auto listed = files_.list(dir);
  if (listed) return *std::move(listed);
  if (listed.error().code != Errc::file_unknown) tell_(Trouble::unreadable, dir, listed.error().cause);
  return {};
}

Result<void> DistributionTree::walk_repositories(const std::function<Result<void>(const Repository&)>& each) const {
  const auto first = files_.list(kRepositories);
  if (!first && first.error().code == Errc::file_unknown) return {};
  if (!first) return fail(Errc::io_failed, "the folder of the registry cannot be read", first.error().cause);
  std::vector<std::string> waiting = {""};
  while (!waiting.empty()) {
    const std::string path = std::move(waiting.back());
    waiting.pop_back();
    Repository repository{path, 0};
    bool is_repository = false;
    std::vector<std::string> below;
    for (const auto& entry : list(path.empty() ? kRepositories : join(kRepositories, path))) {
      const std::string inner = join(path, entry.name);
      const std::string shown = join(kRepositories, inner);
      if (entry.kind != Kind::folder) {
        tell_(Trouble::unknown, shown, entry.kind == Kind::link ? "a symbolic link, not followed" : "not a folder");
      } else if (!path.empty() && (entry.name == "_layers" || entry.name == "_manifests")) {
        is_repository = true;
      } else if (!path.empty() && entry.name == "_uploads") {
        repository.uploads = list(shown).size();
      } else if (entry.name.starts_with('_') || inner.size() > kPathBytesMax) {
        tell_(Trouble::unknown, shown, "not a folder of a registry");
      } else {
        below.push_back(inner);
      }
    }
    if (is_repository || repository.uploads != 0) BERTH_TRYV(each(repository));
    std::ranges::move(below.rbegin(), below.rend(), std::back_inserter(waiting));
  }
  return {};
}

std::optional<DistributionTree::Link> DistributionTree::link(const std::string& path) const {
  const auto text = files_.read(path, kLinkBytesMax);
  // A folder without its link is what a delete leaves behind.
  if (!text && text.error().code == Errc::file_unknown) return std::nullopt;
  if (!text) {
    const bool size = text.error().code == Errc::size_invalid;
    tell_(size ? Trouble::link_damaged : Trouble::unreadable, path,
          size ? "the link file is too long" : text.error().cause);
    return std::nullopt;
  }
  const auto digest = parse_link(text->text);
  if (!digest) {
    tell_(Trouble::link_damaged, path, digest.error().message);
    return std::nullopt;
  }
  return Link{*digest, text->modified_ms};
}

/// `dir`/sha256/<hex>/link. A link that names another digest than its folder is damaged: nobody wrote that.
std::vector<DistributionTree::Link> DistributionTree::links(const std::string& dir) const {
  std::vector<Link> out;
  for (const auto& algorithm : list(dir)) {
    const std::string below = join(dir, algorithm.name);
    if (algorithm.kind != Kind::folder || !oci::parse_algorithm(algorithm.name)) {
      tell_(Trouble::unknown, below, "not a folder of a known digest algorithm");
      continue;
    }
    for (const auto& entry : list(below)) {
      const std::string inner = join(below, entry.name);
      const auto named = oci::Digest::parse(algorithm.name + ":" + entry.name);
      if (entry.kind != Kind::folder || !named) {
        tell_(Trouble::unknown, inner, "not the folder of a digest");
        continue;
      }
      const auto found = link(inner + "/link");
      if (found && found->digest != *named) {
        tell_(Trouble::link_damaged, inner + "/link",
              "it names another digest than its folder: " + found->digest.str());
      } else if (found) {
        out.push_back(*found);
      }
    }
  }
  return out;
}

std::vector<DistributionTree::Link> DistributionTree::layers(const std::string& repository) const {
  return links(join(kRepositories, repository) + "/_layers");
}

std::vector<DistributionTree::Link> DistributionTree::revisions(const std::string& repository) const {
  return links(join(kRepositories, repository) + "/_manifests/revisions");
}

DistributionTree::Tag DistributionTree::read_tag(const std::string& dir, const std::string& name) const {
  return {name, link(dir + "/current/link"), links(dir + "/index")};
}

std::vector<DistributionTree::Tag> DistributionTree::tags(const std::string& repository) const {
  std::vector<Tag> out;
  const std::string dir = join(kRepositories, repository) + "/_manifests/tags";
  for (const auto& entry : list(dir)) {
    const std::string inner = join(dir, entry.name);
    if (entry.kind != Kind::folder) {
      tell_(Trouble::unknown, inner, "not the folder of a tag");
      continue;
    }
    Tag tag = read_tag(inner, entry.name);
    if (tag.current || !tag.pointed_at.empty()) out.push_back(std::move(tag));
  }
  return out;
}

void DistributionTree::walk_blobs(const std::function<void(const oci::Digest&)>& each) const {
  for (const auto& algorithm : list(kBlobs)) {
    const std::string dir = join(kBlobs, algorithm.name);
    if (algorithm.kind != Kind::folder || !oci::parse_algorithm(algorithm.name)) {
      tell_(Trouble::unknown, dir, "not a folder of a known digest algorithm");
      continue;
    }
    for (const auto& shard : list(dir)) {
      const std::string below = join(dir, shard.name);
      if (shard.kind != Kind::folder || !is_hex_pair(shard.name)) {
        tell_(Trouble::unknown, below, "not a folder of blobs");
        continue;
      }
      for (const auto& entry : list(below)) {
        const auto digest = oci::Digest::parse(algorithm.name + ":" + entry.name);
        const bool fits = entry.kind == Kind::folder && digest && entry.name.starts_with(shard.name);
        if (fits) each(*digest);
        if (!fits) tell_(Trouble::unknown, join(below, entry.name), "not the folder of a blob");
      }
    }
  }
}

}  // namespace berth::lifecycle
