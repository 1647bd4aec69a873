#include "modes.h"
namespace berth::load {
std::string run_fill(Run& run) { return run.finish(); }
std::string run_mix(Run& run) { return run.finish(); }
std::string run_herd(Run& run) { return run.finish(); }
}  // namespace berth::load
