#include "io/file_tree.h"

#include "support/temp_dir.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace berth::io {
namespace {

using Kind = FileTree::Kind;

struct Tree {
  test::TempDir dir{test::TempDir::Where::memory};
  FileTree tree{dir.path()};
  Tree() {
    std::filesystem::create_directories(dir / "b/c");
    std::ofstream(dir / "a") << "text";
    std::filesystem::create_symlink("a", dir / "link");
    std::filesystem::create_directory_symlink("b", dir / "folder-link");
    EXPECT_EQ(::mkfifo((dir / "pipe").c_str(), 0600), 0);
  }
};

TEST(FileTree, ListsByNameAndTellsKindsApart) {
  Tree t;
  const auto entries = *t.tree.list(".");
  std::string all;
  for (const auto& entry : entries) all += entry.name + " " + std::to_string(static_cast<int>(entry.kind)) + "\n";
  EXPECT_EQ(all, "a 0\nb 1\nfolder-link 2\nlink 2\npipe 3\n");
}

TEST(FileTree, FollowsNoLinkAndWaitsForNoPipe) {
  Tree t;
  for (const char* name : {"link", "pipe", "b", "absent", "a/below"}) {
    SCOPED_TRACE(name);
    EXPECT_EQ(t.tree.open(name).error().code, Errc::file_unknown);
    EXPECT_EQ(t.tree.facts(name).error().code, Errc::file_unknown);
  }
  EXPECT_EQ(t.tree.list("folder-link").error().code, Errc::file_unknown);
  EXPECT_EQ(t.tree.list("a").error().code, Errc::file_unknown);
}

TEST(FileTree, ReadsNoMoreThanItIsAllowed) {
  Tree t;
  EXPECT_EQ(t.tree.read("a", 4)->text, "text");
  EXPECT_EQ(t.tree.read("a", 3).error().code, Errc::size_invalid);
}

}  // namespace
}  // namespace berth::io
