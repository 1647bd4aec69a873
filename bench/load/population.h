#pragma once
// What `fill` pushes and what `mix` and `herd` then assume: the same flags make the same repositories, images and
// bytes.

#include "distributions.h"
#include "modes.h"

#include <string>
#include <vector>

namespace berth::load {

struct Image {
  std::size_t repo = 0;
  std::string tag, manifest, digest;
  Layer config;
  std::vector<std::size_t> layers;  // of the pool
};

struct Population {
  /// Flags: --seed, --repos, --tags (per repository), --pool (distinct layers), --layer_cap (bytes).
  explicit Population(const Flags& flags);

  std::string repo_name(std::size_t repo) const { return "mix/repo" + std::to_string(repo); }
  const Image& image(std::size_t repo, std::size_t tag) const { return images[repo * tags + tag]; }

  std::size_t repos, tags;
  std::vector<Layer> pool;
  std::vector<Image> images;  // by repository, oldest tag first
};

}  // namespace berth::load
