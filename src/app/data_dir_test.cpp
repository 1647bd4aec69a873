#include "app/data_dir.h"

#include "io/mount.h"
#include "support/fault_fs.h"
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

/// Root may read everything: for a while, be somebody else.
class Unprivileged {
 public:
  Unprivileged() : was_root_(::geteuid() == 0) {
    if (was_root_) EXPECT_EQ(::seteuid(65534), 0);
  }
  ~Unprivileged() {
    if (was_root_) EXPECT_EQ(::seteuid(0), 0);
  }
  Unprivileged(const Unprivileged&) = delete;
  Unprivileged& operator=(const Unprivileged&) = delete;

 private:
  bool was_root_;
};

TEST_F(DataFolder, OneThatCannotBeReadIsRefusedWithASentence) {
  {
    const auto made = open();
    ASSERT_TRUE(made.has_value());
  }
  const struct {
    std::string closed;
    fs::perms mode;
  } rows[] = {{dir_.path(), fs::perms::none},
              {path_, fs::perms::none},
              {path_, fs::perms::owner_exec | fs::perms::others_exec}};  // may be passed through, not looked into
  for (const auto& row : rows) {
    fs::permissions(dir_.path(), fs::perms::owner_all | fs::perms::others_read | fs::perms::others_exec);
    fs::permissions(path_, fs::perms::owner_all);
    fs::permissions(row.closed, row.mode);
    for (const auto create : {DataDir::Create::if_missing, DataDir::Create::never}) {
      const Unprivileged nobody;
      const auto refused = open(create);
      EXPECT_FALSE(refused.has_value()) << row.closed;
      if (refused) continue;
      EXPECT_THAT(refused.error().message, HasSubstr(path_));
      EXPECT_THAT(refused.error().message, HasSubstr("Permission denied"));
    }
  }
  fs::permissions(dir_.path(), fs::perms::owner_all);
  fs::permissions(path_, fs::perms::owner_all);
  EXPECT_TRUE(open().has_value());
}

TEST_F(DataFolder, APathThatLeadsNowhereIsRefusedWithASentence) {
  fs::create_symlink("circle", dir_ / "circle");
  for (const std::string& path : {dir_ / "circle", dir_ / "circle/data", dir_ / std::string(300, 'x')}) {
    for (const auto create : {DataDir::Create::if_missing, DataDir::Create::never}) {
      const auto refused = DataDir::open(path, create, random_);
      ASSERT_FALSE(refused.has_value()) << path;
      EXPECT_THAT(refused.error().message, HasSubstr(path));
    }
  }
}

TEST_F(DataFolder, TheFoldersAboveItAreMadeToo) {
  const std::string deep = dir_ / "a/b/../c/data/";
  ASSERT_TRUE(DataDir::open(deep, DataDir::Create::if_missing, random_).has_value());
  EXPECT_TRUE(fs::exists(dir_ / "a/c/data/format"));
}

TEST(DataFolders, AreThereAfterAPowerCut) {
  test::FaultFs files;
  ASSERT_TRUE(files.make_dir("srv").has_value());
  ASSERT_TRUE(files.sync_dir(".").has_value());
  ASSERT_TRUE(make_folders(files, "srv/registry/data").has_value());
  files.cut_power();
  EXPECT_TRUE(files.list("srv/registry/data").has_value());
}

TEST(DataFolders, AreMadeOneByOneEachDurableBeforeTheNext) {
  for (std::uint64_t step = 1;; ++step) {
    test::FaultFs files;
    files.fail_from(step, Errc::io_failed);
    const bool made = make_folders(files, "a/b").has_value();
    files.heal();
    const bool outer = files.list("a").has_value();
    const bool inner = files.list("a/b").has_value();
    files.cut_power();
    if (inner) EXPECT_TRUE(files.list("a").has_value()) << step;
    if (!made) continue;
    EXPECT_TRUE(outer && inner);
    return;
  }
}

TEST_F(DataFolder, UploadsAndBlobsOnTwoFileSystemsAreRefused) {
  {
    const auto made = open();
    ASSERT_TRUE(made.has_value());
  }
  const test::TempDir elsewhere(test::TempDir::Where::disk);
  fs::create_directory(path_ + "/blobs");
  fs::create_directory_symlink(elsewhere.path(), path_ + "/uploads");
  if (io::find_mount(path_)->is_one_with(*io::find_mount(elsewhere.path()))) {
    GTEST_SKIP() << "there is only one file system here";
  }
  const auto refused = open();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::unavailable);
  EXPECT_THAT(refused.error().message, HasSubstr(path_));
  EXPECT_THAT(refused.error().message, HasSubstr("uploads"));
  EXPECT_TRUE(open(DataDir::Create::never).has_value()) << "looking at it is no harm";
  fs::remove(path_ + "/uploads");
  fs::create_directory(path_ + "/uploads");
  EXPECT_TRUE(open().has_value());
}

TEST(FileSystemKind, NfsIsRefusedWithASentence) {
  const auto refused = check_file_system_kind("/srv/data", 0x6969);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::unavailable);
  EXPECT_THAT(refused.error().message, HasSubstr("/srv/data is on NFS"));
  for (const std::uint64_t local : {0xEF53U, 0x58465342U, 0x9123683EU, 0x01021994U}) {
    EXPECT_TRUE(check_file_system_kind("/srv/data", local).has_value());
  }
}

TEST(BootId, TellsOneBootFromAnother) {
  EXPECT_EQ(read_boot_id(), read_boot_id());
  EXPECT_EQ(read_boot_id().size(), 36U);
}

}  // namespace
}  // namespace berth::app
