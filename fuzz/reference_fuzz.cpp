// Any text as tag, digest or repository name: what is accepted prints back identically (G1, G2, G4).
#include "oci/reference.h"

#include "base/assert.h"
#include "oci/repo_name.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace berth::oci;
  const std::string_view text(reinterpret_cast<const char*>(data), size);

  const auto reference = Reference::parse(text);
  const auto tag = Tag::parse(text);
  BERTH_ASSERT(reference.has_value() == (text.contains(':') ? Digest::parse(text).has_value() : tag.has_value()),
               "G4: a reference is a digest or a tag");
  if (reference.has_value()) {
    BERTH_ASSERT(reference->is_digest() == text.contains(':'), "G4: the colon decides");
    BERTH_ASSERT(reference->str() == text, "print undoes parse");
  }
  if (tag.has_value()) {
    BERTH_ASSERT(tag->str() == text && text.size() <= Tag::kBytesMax, "G2: tag");
    BERTH_ASSERT(text.find_first_of("/:%\\") == std::string_view::npos, "S14: a tag is one path segment");
  }

  const auto name = RepoName::parse(text);
  if (name.has_value()) {
    BERTH_ASSERT(name->str() == text && text.size() <= RepoName::kBytesMax, "G1: name");
    BERTH_ASSERT(!text.contains("..") && !text.contains("//") && !text.starts_with('/'), "S14: no path tricks");
    BERTH_ASSERT(text.starts_with(name->first_component()) && !name->first_component().starts_with('_'),
                 "E1: reserved");
  }
  return 0;
}
