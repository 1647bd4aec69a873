#pragma once
// Plays a transcript against a server of its own and reports every deviation to GoogleTest with file and line.

#include <string>

namespace berth::test {

/// `path` as it shall appear in failures.
void run_transcript(const std::string& path);

}  // namespace berth::test
