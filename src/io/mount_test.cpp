#include "io/mount.h"

#include "support/temp_dir.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace berth::io {
namespace {

TEST(Mount, AFolderIsOneWithThoseInIt) {
  const test::TempDir dir;
  std::filesystem::create_directory(dir / "inner");
  const auto outer = find_mount(dir.path());
  ASSERT_TRUE(outer.has_value()) << outer.error().cause;
  EXPECT_TRUE(outer->is_one_with(*find_mount(dir / "inner")));
}

TEST(Mount, AnotherFileSystemIsNot) {
  const auto processes = find_mount("/proc");
  ASSERT_TRUE(processes.has_value()) << processes.error().cause;
  EXPECT_EQ(processes->magic, 0x9fa0U);
  EXPECT_FALSE(processes->is_one_with(*find_mount("/")));
}

TEST(Mount, APathThatIsNotThereIsFileUnknown) {
  const test::TempDir dir;
  EXPECT_EQ(find_mount(dir / "no").error().code, Errc::file_unknown);
}

}  // namespace
}  // namespace berth::io
