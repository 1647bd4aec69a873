// Every tests/server/*.http is a test named after the file: Transcripts/Transcript.Holds/uploads.
#include "support/transcript_run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

namespace berth::test {
namespace {

constexpr const char* kFolder = "tests/server";  // tests run from the repository's root

std::vector<std::string> transcripts() {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder, ignored)) {
    if (entry.path().extension() == ".http") names.push_back(entry.path().stem());
  }
  std::ranges::sort(names);
  return names;
}

class Transcript : public testing::TestWithParam<std::string> {};

TEST_P(Transcript, Holds) { run_transcript(std::string(kFolder) + "/" + GetParam() + ".http"); }

INSTANTIATE_TEST_SUITE_P(Transcripts, Transcript, testing::ValuesIn(transcripts()),
                         [](const auto& entry) { return entry.param; });

}  // namespace
}  // namespace berth::test
