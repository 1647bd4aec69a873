// Any bytes as the link file of a distribution registry: what is accepted is a digest written as it is read.
#include "base/assert.h"
#include "lifecycle/distribution_tree.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using berth::lifecycle::DistributionTree;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto link = berth::lifecycle::parse_link(text);
  if (!link) {
    BERTH_ASSERT(!link.error().message.empty(), "a refusal has a reason");
    return 0;
  }
  BERTH_ASSERT(link->str() == text, "G3: print undoes parse");
  const std::string path = DistributionTree::blob_path(*link);
  BERTH_ASSERT(path.starts_with("blobs/sha") && path.ends_with("/data"), "a path below blobs/");
  BERTH_ASSERT(path.find("..") == std::string::npos, "S14: no way out of it");
  return 0;
}
