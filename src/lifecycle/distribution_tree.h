#pragma once
// The folder of a registry of the distribution project (registry:2, registry:3), as its filesystem driver lays it out:
//
//   docker/registry/v2/blobs/sha256/ab/<hex>/data
//   docker/registry/v2/repositories/<name>/_layers/sha256/<hex>/link
//                                         /_manifests/revisions/sha256/<hex>/link      (and signatures/ of schema 1)
//                                         /_manifests/tags/<tag>/current/link
//                                         /_manifests/tags/<tag>/index/sha256/<hex>/link
//                                         /_uploads/<session>/…
//
// A link file holds a digest as text. Read only; what does not fit the layout is told to the caller and passed over.

#include "io/file_tree.h"
#include "oci/digest.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth::lifecycle {

/// What a link file says. Errors: digest_invalid, with a clause.
Result<oci::Digest> parse_link(std::string_view text);

class DistributionTree {
 public:
  struct Link {
    oci::Digest digest;
    std::int64_t modified_ms = 0;
  };
  struct Tag {
    std::string name;              // as the folder is called
    std::optional<Link> current;   // nullopt: the tag was deleted half way
    std::vector<Link> pointed_at;  // everything it ever pointed at, in no order
  };
  struct Repository {
    std::string path;  // its name, unchecked
    std::size_t uploads = 0;
  };
  enum class Trouble : std::uint8_t { unknown, link_damaged, unreadable };
  /// `path` is below docker/registry/v2.
  using OnTrouble = std::function<void(Trouble trouble, const std::string& path, const std::string& what)>;

  /// `path`: the rootdirectory of the registry's configuration, or docker/registry/v2 below it.
  /// Errors: file_unknown with a sentence (no such folder, or none of distribution's), io_failed.
  static Result<DistributionTree> open(const std::string& path, OnTrouble on_trouble);

  const io::FileTree& files() const { return files_; }
  static std::string blob_path(const oci::Digest& digest);

  /// Every folder that is a repository, ascending. Errors: io_failed if not even the first folder can be read.
  Result<void> walk_repositories(const std::function<Result<void>(const Repository&)>& each) const;
  // A folder that is not there is an empty list; what cannot be read is told and left out.
  std::vector<Link> layers(const std::string& repository) const;
  std::vector<Link> revisions(const std::string& repository) const;
  std::vector<Tag> tags(const std::string& repository) const;
  /// Every digest that has a folder under blobs/.
  void walk_blobs(const std::function<void(const oci::Digest&)>& each) const;

 private:
  DistributionTree(std::string root, OnTrouble on_trouble) : files_(std::move(root)), tell_(std::move(on_trouble)) {}
  std::vector<io::FileTree::Entry> list(const std::string& dir) const;
  std::vector<Link> links(const std::string& dir) const;
  std::optional<Link> link(const std::string& path) const;
  Tag read_tag(const std::string& dir, const std::string& name) const;

  io::FileTree files_;
  OnTrouble tell_;
};

}  // namespace berth::lifecycle
