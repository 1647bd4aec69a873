#pragma once
// For this room's tests: a store with a bit of everything in it, and fsck with its findings kept.

#include "lifecycle/fsck.h"
#include "support/registry_folder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

namespace berth::lifecycle::test {

using namespace berth::test;  // NOLINT(google-build-using-namespace): the fakes of tests/support

/// One of each thing that a registry can hold legitimately, as its services leave it.
struct StoreOfEverything {
  RegistryFolder folder;
  const std::string layer = std::string(70'000, 'l');
  const std::string shared = "a layer that several repositories have";
  const std::string loose = "a blob that no manifest needs";
  const std::string wide = "a blob under sha512";
  std::string image;
  std::string index;
  std::string artifact;  // with a subject
  std::string untagged;

  StoreOfEverything() {
    image = folder.push_image("team/app", "v1", {"{\"first\":1}", layer, shared});
    const std::string second = folder.push_image("team/app", "v2", {"{\"second\":2}", shared, shared});
    folder.put("team/app", "moved", image);
    folder.put("team/app", "moved", second);
    folder.put("team/app", "gone", second);
    folder.remove("team/app", "gone");
    index = index_text({piece_of(image), piece_of(second)});
    folder.put("team/app", "multi", index);
    artifact = image_text({piece_of("{\"first\":1}")},
                          {.subject = RegistryFolder::digest(image).str(), .artifact_type = "text/x-sbom"});
    folder.put("team/app", "", artifact);
    untagged = image_text({piece_of("{\"second\":2}")}, {.note = "untagged"});
    folder.put("team/app", "", untagged);
    const std::string deleted = folder.push_image("team/app", "deleted", {"{\"deleted\":3}", shared});
    folder.remove("team/app", RegistryFolder::digest(deleted).str());

    folder.push_image("team/other", "v1.0", {"{\"other\":4}", shared});
    folder.push("team/other", loose);
    folder.push("other/app", loose);
    folder.push("other/app", wide, oci::Algorithm::sha512);
    trash_a_blob();
    fill_sparse();
    leave_a_session();
    EXPECT_TRUE(place_pending({folder.store(), folder.blobs(), folder.clock, folder.log}, 1'000).has_value());
  }

 private:
  void trash_a_blob() {
    const auto d = folder.push("other/app", "a blob that was deleted");
    EXPECT_TRUE(run_task(folder.blob_service().remove(RegistryFolder::repo("other/app"), d)).has_value());
  }
  /// Manifests whose parts are not all here (V8, V9, V12).
  void fill_sparse() {
    folder.limits.reference_policy = registry::ReferencePolicy::sparse;
    folder.push("sparse/app", "{\"sparse\":5}");
    folder.put("sparse/app", "absent", image_text({piece_of("{\"sparse\":5}"), piece_of("never pushed")}));
    folder.put("sparse/app", "children", index_text({piece_of("no such manifest")}));
    const auto foreign = piece_of("a foreign layer");
    folder.put("sparse/app", "foreign",
               R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":)"
               R"({"mediaType":"application/vnd.oci.image.config.v1+json","digest":")" +
                   RegistryFolder::digest("{\"sparse\":5}").str() +
                   R"(","size":12},"layers":[{"mediaType":"application/vnd.oci.image.layer.nondistributable.v1.tar",)"
                   R"("digest":")" +
                   foreign.digest.str() + R"(","size":15,"urls":["https://example.com/layer"]}]})");
    folder.push("sparse/app", "cache");
    folder.put("sparse/app", "cache",
               R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":)"
               R"("application/vnd.oci.image.layer.v1.tar+gzip","digest":")" +
                   RegistryFolder::digest("cache").str() + R"(","size":5}]})");
  }
  void leave_a_session() {
    const auto repo = RegistryFolder::repo("team/app");
    const auto state = run_task(folder.uploads().start(repo, {}));
    MemorySource body("the first half");
    const registry::Chunk chunk{.declared_length = 14};
    EXPECT_TRUE(run_task(folder.uploads().append({repo, state->id}, chunk, body)).has_value());
  }
};

// --- doing damage ----------------------------------------------------------------------------------------------------

inline void force(const StoreOfEverything& store, const std::string& script) { store.folder.probe().force(script); }
/// The row's id, as a piece of SQL.
inline std::string blob(const std::string& bytes) {
  return "(SELECT id FROM blob WHERE digest = x'" + to_hex(RegistryFolder::digest(bytes).storage()) + "')";
}
inline std::string manifest(const std::string& text) {
  return "(SELECT id FROM manifest WHERE digest = x'" + to_hex(RegistryFolder::digest(text).storage()) + "')";
}
/// Changes one bit in the middle of the blob's file.
inline void flip(const StoreOfEverything& store, const std::string& bytes) {
  std::string damaged = bytes;
  damaged[damaged.size() / 2] ^= 1;
  store.folder.write_file(store.folder.file_of(RegistryFolder::digest(bytes)), damaged);
}
/// Makes the file look ten years old.
inline void age(const StoreOfEverything& store, const std::string& file) {
  std::filesystem::last_write_time(store.folder.path() + "/" + file,
                                   std::filesystem::file_time_type::clock::now() - std::chrono::hours(24 * 3650));
}

// --- running fsck ----------------------------------------------------------------------------------------------------

struct Checked {
  FsckReport report;
  std::vector<Finding> findings;

  bool has_note(FindingKind kind) const { return notes(kind) != 0; }
  std::size_t notes(FindingKind kind) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        findings, [&](const Finding& f) { return f.kind == kind && f.severity == Severity::note; }));
  }
  bool has_damage(FindingKind kind, Remedy remedy) const {
    return std::ranges::any_of(findings, [&](const Finding& f) {
      return f.kind == kind && f.severity == Severity::damage && f.remedy == remedy;
    });
  }
  /// What the first finding of the kind says; empty if there is none.
  std::string text_of(FindingKind kind) const {
    const auto found = std::ranges::find(findings, kind, &Finding::kind);
    return found == findings.end() ? std::string() : found->what;
  }
  /// "kind remedy" a line; empty if there is no damage.
  std::string damages() const {
    std::string out;
    for (const Finding& f : findings) {
      if (f.severity == Severity::damage)
        out += std::string(to_string(f.kind)) + " " + std::string(to_string(f.remedy)) + "\n";
    }
    return out;
  }
  std::string failures() const {
    std::string out;
    for (const Finding& f : findings) out += f.error;
    return out;
  }
};

struct Outcome {
  Result<FsckReport> result;
  std::vector<Finding> findings;
};

/// `disk`: in the place of the folder's own.
inline Outcome run(RegistryFolder& folder, FsckOptions options, io::FileSystem* disk = nullptr) {
  Outcome out;
  options.on_finding = [&](const Finding& finding) { out.findings.push_back(finding); };
  const auto fresh = *io::open_posix_file_system(folder.path());  // as another process: folders are opened anew
  io::FileSystem& files = disk != nullptr ? *disk : *fresh;
  out.result = run_fsck({files, folder.database(), "this store", "this boot", folder.clock, folder.log}, options);
  return out;
}

struct With {
  bool deep = false;
  bool force = false;
};

inline Checked require(Outcome outcome) {
  EXPECT_TRUE(outcome.result.has_value()) << outcome.result.error().message << " " << outcome.result.error().cause;
  return {outcome.result.value_or(FsckReport{}), std::move(outcome.findings)};
}
inline Checked check(RegistryFolder& folder, With with = {}) { return require(run(folder, {.deep = with.deep})); }
inline Checked repair(RegistryFolder& folder, With with = {}) {
  return require(run(folder, {.deep = with.deep, .repair = true, .force = with.force}));
}

}  // namespace berth::lifecycle::test
