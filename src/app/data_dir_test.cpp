#include "app/data_dir.h"

#include "support/temp_dir.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace berth::app {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class DataFolder : public ::testing::Test {
 protected:
  Result<std::unique_ptr<DataDir>> open(DataDir::Create create = DataDir::Create::if_missing) {
    return DataDir::open(path_, create, random_);
  }
  std::string format() const {
    std::ifstream in(path_ + "/format", std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void write(const std::string& name, std::string_view text) const {
    std::ofstream(path_ + "/" + name, std::ios::binary) << text;
  }
  std::vector<std::string> entries() const {
    std::vector<std::string> out;
    for (const auto& entry : fs::directory_iterator(path_)) out.push_back(entry.path().filename());
    std::ranges::sort(out);
    return out;
  }

  test::TempDir dir_{test::TempDir::Where::memory};
  std::string path_ = dir_ / "data";
  SeededRandom random_{1};
};

TEST_F(DataFolder, AnEmptyOneBecomesAStoreWithAnIdOfItsOwn) {
  std::string id;
  {
    const auto data = open();
    ASSERT_TRUE(data.has_value()) << data.error().message;
    id = (*data)->store_id();
    EXPECT_EQ(id.size(), 32U);
    EXPECT_EQ(format(), "berth-data 1\n" + id + "\n");
    EXPECT_EQ((*data)->database_path(), path_ + "/meta.db");
  }
  EXPECT_EQ((*open())->store_id(), id) << "the same one the next time";
  EXPECT_EQ((*open(DataDir::Create::never))->store_id(), id);
}

TEST_F(DataFolder, ASecondOpenerHearsWhoHasIt) {
  const auto first = open();
  ASSERT_TRUE(first.has_value());
  const auto second = open();
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, Errc::busy);
  EXPECT_EQ(second.error().number, static_cast<std::uint64_t>(::getpid()));
  EXPECT_THAT(second.error().message, HasSubstr(std::to_string(::getpid())));
}

TEST_F(DataFolder, ALockFileWithoutAnOwnerIsFree) {
  {
    const auto first = open();
  }
  EXPECT_TRUE(fs::exists(path_ + "/LOCK"));
  EXPECT_TRUE(open().has_value());
}

TEST_F(DataFolder, AFolderOfSomebodyElseIsRefusedAndLeftAsItWas) {
  fs::create_directories(path_);
  write("thesis.txt", "42");
  const auto refused = open();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::unavailable);
  EXPECT_THAT(refused.error().message, HasSubstr("thesis.txt"));
  EXPECT_THAT(entries(), ::testing::ElementsAre("thesis.txt")) << "nothing of ours among their files";
}

TEST_F(DataFolder, AFreshFileSystemIsAnEmptyFolder) {
  fs::create_directories(path_ + "/lost+found");
  EXPECT_TRUE(open().has_value());
}

TEST_F(DataFolder, ACreationCutShortIsFinished) {
  fs::create_directories(path_);
  write("LOCK", "");
  write("format.new", "berth-da");
  const auto data = open();
  ASSERT_TRUE(data.has_value());
  EXPECT_THAT(format(), ::testing::StartsWith("berth-data 1\n"));
}

constexpr struct {
  std::string_view format;
  std::string_view why;
} kForeignFormats[] = {
    {"berth-data 2\nabc\n", "a newer one"},
    {"berth-data 10\nabc\n", "a much newer one that starts alike"},
    {"", "cut off"},
    {"something else\n", "not ours"},
};

TEST_F(DataFolder, AnotherFormatIsRefusedWithASentenceAndLeftAsItWas) {
  fs::create_directories(path_);
  for (const auto& row : kForeignFormats) {
    write("format", row.format);
    for (const auto create : {DataDir::Create::if_missing, DataDir::Create::never}) {
      const auto refused = open(create);
      ASSERT_FALSE(refused.has_value()) << row.why;
      EXPECT_EQ(refused.error().code, Errc::unavailable) << row.why;
      EXPECT_THAT(refused.error().message, HasSubstr(path_)) << row.why;
    }
    EXPECT_EQ(format(), row.format) << row.why;
  }
}

TEST_F(DataFolder, ToolsThatOnlyLookDoNotCreate) {
  EXPECT_EQ(open(DataDir::Create::never).error().code, Errc::file_unknown);
  EXPECT_FALSE(fs::exists(path_));
  fs::create_directories(path_);
  EXPECT_EQ(open(DataDir::Create::never).error().code, Errc::unavailable);
  EXPECT_TRUE(entries().empty());
}

TEST_F(DataFolder, AFileInItsPlaceIsRefused) {
  std::ofstream(path_) << "x";
  EXPECT_FALSE(open().has_value());
  EXPECT_FALSE(open(DataDir::Create::never).has_value());
}

TEST_F(DataFolder, ALockThatIsALinkIsNotFollowed) {  // S14
  fs::create_directories(path_);
  std::ofstream(dir_ / "victim") << "precious";
  fs::create_symlink(dir_ / "victim", path_ + "/LOCK");
  EXPECT_FALSE(open().has_value());
  EXPECT_EQ(fs::file_size(dir_ / "victim"), 8U);
}

TEST(BootId, TellsOneBootFromAnother) {
  EXPECT_EQ(read_boot_id(), read_boot_id());
  EXPECT_EQ(read_boot_id().size(), 36U);
}

}  // namespace
}  // namespace berth::app
