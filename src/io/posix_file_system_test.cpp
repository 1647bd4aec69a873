#include "io/file_system.h"
#include "support/temp_dir.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace berth::io {
namespace {

using Mode = FileSystem::Mode;

std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

class PosixFileSystem : public ::testing::Test {
 protected:
  PosixFileSystem() : files_(*open_posix_file_system(dir_.path())) {}

  void put(const std::string& path, std::string_view text) {
    const auto file = files_->open(path, Mode::create_new);
    ASSERT_TRUE(file.has_value()) << file.error().cause;
    ASSERT_TRUE((*file)->write_at(0, bytes(text)).has_value());
  }
  std::string content(const std::string& path) {
    std::ifstream in(dir_ / path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  template <class T>
  static Errc code_of(const Result<T>& result) {
    EXPECT_FALSE(result.has_value());
    return result.has_value() ? Errc::internal : result.error().code;
  }

  test::TempDir dir_;
  std::unique_ptr<FileSystem> files_;
};

TEST_F(PosixFileSystem, ARootThatIsNotThereIsFileUnknown) {
  EXPECT_EQ(code_of(open_posix_file_system(dir_ / "no")), Errc::file_unknown);
}

TEST_F(PosixFileSystem, WhatIsWrittenIsReadAtAnyOffset) {
  const auto file = *files_->open("a", Mode::create_new);
  ASSERT_TRUE(file->write_at(0, bytes("hello")).has_value());
  ASSERT_TRUE(file->write_at(8, bytes("world")).has_value());
  ASSERT_TRUE(file->sync().has_value());
  EXPECT_EQ(*file->size_bytes(), 13U);
  EXPECT_EQ(content("a"), std::string("hello\0\0\0world", 13)) << "a hole reads as zeros";
  std::array<std::byte, 16> out{};
  EXPECT_EQ(*file->read_at(8, out), 5U) << "short only at the end";
  EXPECT_EQ(*file->read_at(13, out), 0U);
  EXPECT_EQ(*file->read_at(100, out), 0U);
  EXPECT_GE(file->descriptor(), 0);
}

TEST_F(PosixFileSystem, TruncateCutsAndReserveDoesNotGrow) {
  put("a", "0123456789");
  const auto file = *files_->open("a", Mode::read_write);
  ASSERT_TRUE(file->reserve(1 << 20).has_value());
  EXPECT_EQ(*file->size_bytes(), 10U);
  ASSERT_TRUE(file->truncate(4).has_value());
  EXPECT_EQ(content("a"), "0123");
  struct stat st{};
  ASSERT_EQ(::stat((dir_ / "a").c_str(), &st), 0);
  EXPECT_LT(st.st_blocks * 512, 1 << 20) << "truncating gives back what was reserved";
}

TEST_F(PosixFileSystem, CreateNewNeverTakesOverAnExistingFile) {
  put("a", "old");
  EXPECT_EQ(code_of(files_->open("a", Mode::create_new)), Errc::io_failed);
  EXPECT_EQ(content("a"), "old");
}

TEST_F(PosixFileSystem, NewFilesAreNotForTheWorld) {
  put("a", "");
  struct stat st{};
  ASSERT_EQ(::stat((dir_ / "a").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0137, 0U);
}

TEST_F(PosixFileSystem, ReadModeCannotWrite) {
  put("a", "x");
  const auto file = *files_->open("a", Mode::read);
  EXPECT_EQ(code_of(file->write_at(0, bytes("y"))), Errc::io_failed);
}

TEST_F(PosixFileSystem, WhatIsNotThereIsFileUnknownAndTheCauseNamesCallAndPath) {
  const auto opened = files_->open("no", Mode::read);
  EXPECT_EQ(code_of(opened), Errc::file_unknown);
  EXPECT_THAT(opened.error().cause, ::testing::AllOf(::testing::HasSubstr("open"), ::testing::HasSubstr("no")));
  EXPECT_TRUE(opened.error().message.empty()) << "paths are for the log only";
  EXPECT_EQ(code_of(files_->open("no/a", Mode::create_new)), Errc::file_unknown);
  EXPECT_EQ(code_of(files_->rename("no", "b")), Errc::file_unknown);
  EXPECT_EQ(code_of(files_->unlink("no")), Errc::file_unknown);
  EXPECT_EQ(code_of(files_->list("no")), Errc::file_unknown);
  EXPECT_EQ(code_of(files_->sync_dir("no")), Errc::file_unknown);
}

TEST_F(PosixFileSystem, AFullDiskIsNoSpace) {
  const auto dev = *open_posix_file_system("/dev");
  const auto full = dev->open("full", Mode::read_write);
  ASSERT_TRUE(full.has_value()) << full.error().cause;
  EXPECT_EQ(code_of((*full)->write_at(0, bytes("x"))), Errc::no_space);
}

TEST_F(PosixFileSystem, OtherTroubleIsIoFailed) {
  ASSERT_TRUE(files_->make_dir("d").has_value());
  EXPECT_EQ(code_of(files_->open("d", Mode::read_write)), Errc::io_failed);
  EXPECT_EQ(code_of(files_->unlink("d")), Errc::io_failed);
  put("a", "");
  EXPECT_EQ(code_of(files_->list("a")), Errc::io_failed);
  EXPECT_EQ(code_of(files_->open("a/b", Mode::read)), Errc::io_failed);
}

TEST_F(PosixFileSystem, RenameReplacesAndMovesBetweenFolders) {
  ASSERT_TRUE(files_->make_dir("d").has_value());
  ASSERT_TRUE(files_->make_dir("d").has_value()) << "an existing folder is success";
  put("a", "new");
  put("d/b", "old");
  ASSERT_TRUE(files_->rename("a", "d/b").has_value());
  EXPECT_EQ(content("d/b"), "new");
  EXPECT_FALSE(std::filesystem::exists(dir_ / "a"));
  EXPECT_TRUE(files_->sync_dir("d").has_value());
  EXPECT_TRUE(files_->sync_dir(".").has_value());
}

TEST_F(PosixFileSystem, ListShowsRegularFilesOnly) {
  ASSERT_TRUE(files_->make_dir("d").has_value());
  ASSERT_TRUE(files_->make_dir("d/sub").has_value());
  put("d/a", "12345");
  std::filesystem::create_symlink("a", dir_ / "d/link");
  const auto entries = files_->list("d");
  ASSERT_TRUE(entries.has_value());
  ASSERT_EQ(entries->size(), 1U);
  EXPECT_EQ(entries->front().name, "a");
  EXPECT_EQ(entries->front().size_bytes, 5U);
  EXPECT_GT(entries->front().modified_ms, 1'500'000'000'000);
}

TEST_F(PosixFileSystem, SymbolicLinksAreNotFollowed) {  // S14
  test::TempDir outside;
  std::ofstream(outside / "secret") << "secret";
  std::filesystem::create_symlink(outside / "secret", dir_ / "file");
  std::filesystem::create_symlink(outside.path(), dir_ / "folder");
  EXPECT_EQ(code_of(files_->open("file", Mode::read)), Errc::io_failed);
  EXPECT_EQ(code_of(files_->open("file", Mode::read_write)), Errc::io_failed);
  EXPECT_EQ(code_of(files_->open("file", Mode::create_new)), Errc::io_failed);
  EXPECT_EQ(code_of(files_->list("folder")), Errc::io_failed);
  EXPECT_EQ(code_of(files_->sync_dir("folder")), Errc::io_failed);
}

TEST_F(PosixFileSystem, SymbolicLinksInTheMiddleOfAPathAreNotFollowed) {  // S14
  test::TempDir outside;
  std::ofstream(outside / "secret") << "secret";
  std::filesystem::create_symlink(outside.path(), dir_ / "folder");
  EXPECT_FALSE(files_->open("folder/secret", Mode::read).has_value());
  EXPECT_FALSE(files_->unlink("folder/secret").has_value());
  EXPECT_TRUE(std::filesystem::exists(outside / "secret"));
}

TEST_F(PosixFileSystem, AnOpenFileKeepsServingAfterItsNameIsGone) {
  put("a", "still here");
  const auto file = *files_->open("a", Mode::read);
  ASSERT_TRUE(files_->unlink("a").has_value());
  std::array<std::byte, 10> out{};
  EXPECT_EQ(*file->read_at(0, out), 10U);
}

TEST_F(PosixFileSystem, SpaceIsWhatTheDiskSays) {
  const auto space = files_->space();
  ASSERT_TRUE(space.has_value());
  EXPECT_GT(space->total_bytes, 0U);
  EXPECT_LE(space->free_bytes, space->total_bytes);
}

TEST_F(PosixFileSystem, FilesAreClosedWithTheirObject) {
  put("a", "");
  int descriptor = -1;
  {
    const auto file = *files_->open("a", Mode::read);
    descriptor = file->descriptor();
    EXPECT_NE(::fcntl(descriptor, F_GETFD), -1);
    EXPECT_TRUE((::fcntl(descriptor, F_GETFD) & FD_CLOEXEC) != 0);
  }
  EXPECT_EQ(::fcntl(descriptor, F_GETFD), -1);
}

struct BrokenCall {
  long number = 0;
  int error = 0;
  std::uint32_t argument_mask = 0;  // of the fourth argument: only calls that have all these bits fail
};

/// From now on this system call fails in this process, as on a broken disk. Not to be undone: for death tests.
bool break_call(const BrokenCall& call) {
  std::array<sock_filter, 7> rules = {{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(call.number), 0, 4),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args) + 3 * sizeof(std::uint64_t)),
      BPF_STMT(BPF_ALU | BPF_AND | BPF_K, call.argument_mask),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call.argument_mask, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(call.error)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  const sock_fprog program{static_cast<unsigned short>(rules.size()), rules.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/// What a listing answers once the call fails so: an error's cause, or the number of entries.
[[noreturn]] void list_and_tell(FileSystem& files, const BrokenCall& call) {
  std::string answer = "cannot break calls here";
  if (break_call(call)) {
    const auto listed = files.list("d");
    answer = listed ? std::to_string(listed->size()) + " entries" : listed.error().cause;
  }
  std::fprintf(stderr, "%s\n", answer.c_str());
  std::_Exit(0);
}

TEST_F(PosixFileSystem, AListingThatFailsHalfwayIsNoShortListing) {
  ASSERT_TRUE(files_->make_dir("d").has_value());
  put("d/a", "x");
  ASSERT_EQ(files_->list("d")->size(), 1U);
  const auto ok = ::testing::ExitedWithCode(0);
  // The C library has its own use for fstatat, without this flag.
  constexpr long kStat = SYS_newfstatat;
  EXPECT_EXIT(list_and_tell(*files_, {SYS_getdents64, EIO}), ok, "readdir d: |cannot break");
  EXPECT_EXIT(list_and_tell(*files_, {kStat, EIO, AT_SYMLINK_NOFOLLOW}), ok, "fstatat d/.*: |cannot break");
  EXPECT_EXIT(list_and_tell(*files_, {kStat, ENOENT, AT_SYMLINK_NOFOLLOW}), ok, "0 entries|cannot break")
      << "removed meanwhile";
}

}  // namespace
}  // namespace berth::io
