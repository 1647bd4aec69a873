// Runs every file of the given folders (or single files) through a fuzz target, without libFuzzer: old crashes and
// golden inputs stay tests in each ordinary build.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> collect_inputs(const fs::path& root) {
  if (!fs::is_directory(root)) return {root};
  std::vector<fs::path> inputs;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (entry.is_regular_file()) inputs.push_back(entry.path());
  }
  std::ranges::sort(inputs);
  return inputs;
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t input_count = 0;
  for (int i = 1; i < argc; ++i) {
    for (const fs::path& path : collect_inputs(argv[i])) {
      std::fprintf(stderr, "%s\n", path.c_str());  // the last line before a crash names the input
      std::ifstream file(path, std::ios::binary);
      const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
      std::vector<std::uint8_t> input(bytes.begin(), bytes.end());
      LLVMFuzzerTestOneInput(input.data(), input.size());
      ++input_count;
    }
  }
  std::printf("%zu inputs\n", input_count);
  return input_count == 0 ? 1 : 0;  // a target without seeds is a mistake
}
