#include "base/nearest.h"

#include <algorithm>
#include <utility>

namespace berth {

namespace {

/// Edits that turn one word into the other.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, replaced}));
    }
  }
  return row[b.size()];
}

}  // namespace

std::string nearest_of(const std::vector<std::string>& words, std::string_view meant) {
  constexpr std::size_t kTooFar = 3;
  constexpr std::size_t kBytesMax = 256;  // what somebody typed is short
  std::string nearest;
  std::size_t best = kTooFar;
  if (meant.size() > kBytesMax) return nearest;
  for (const std::string& word : words) {
    const std::size_t d = distance(meant, word);
    if (d < best) {
      best = d;
      nearest = word;
    }
  }
  return nearest;
}

std::string did_you_mean(const std::string& nearest) {
  return nearest.empty() ? std::string() : " Did you mean '" + nearest + "'?";
}

}  // namespace berth
