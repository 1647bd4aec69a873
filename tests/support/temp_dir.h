#pragma once
// A folder of its own for each test, gone when the test is.

#include <cstdlib>
#include <filesystem>
#include <string>

namespace berth::test {

class TempDir {
 public:
  enum class Where {
    disk,    // $TMPDIR: a real file system
    memory,  // /dev/shm if there is one: the same calls, no waiting for a disk
  };

  explicit TempDir(Where where = Where::disk) {
    const bool shm = where == Where::memory && std::filesystem::is_directory("/dev/shm");
    const std::filesystem::path parent = shm ? "/dev/shm" : std::filesystem::temp_directory_path();
    std::string pattern = (parent / "berth-test-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TempDir() { std::filesystem::remove_all(path_); }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace berth::test
