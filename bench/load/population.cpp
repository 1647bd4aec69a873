// Layers come from a pool, popular ones in many images (Zipf), so a small store has the sharing of a large one.

#include "population.h"

#include <fmt/format.h>

#include <algorithm>

namespace berth::load {

namespace {

constexpr int kCreated = 201, kAccepted = 202;  // allowed(status): a client's side

Layer with_digest(Content content) { return {.content = content, .digest = content.digest()}; }

}  // namespace

Population::Population(const Flags& flags) : repos(flags.number("repos", 100)), tags(flags.number("tags", 10)) {
  const std::uint64_t seed = flags.number("seed", 1);
  Random random(seed);
  const std::uint64_t cap = flags.number("layer_cap", 4U << 20U);
  for (std::uint64_t i = 0; i < flags.number("pool", 200); ++i) {
    pool.push_back(with_digest({.seed = seed * 1'000'000'007 + i, .size = layer_size(random, cap)}));
  }
  const Zipf popular(pool.size(), 1.0);
  for (std::size_t repo = 0; repo < repos; ++repo) {
    for (std::size_t tag = 0; tag < tags; ++tag) {
      Image image{.repo = repo, .tag = fmt::format("v1.{}", tag)};
      const auto config_bytes = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(random.lognormal(3000, 0.5)),
                                                          Content::kConfigMin, 65536);
      image.config =
          with_digest({.seed = seed * 2'000'000'011 + repo * tags + tag, .size = config_bytes, .is_config = true});
      const auto count = std::clamp<std::size_t>(static_cast<std::size_t>(random.lognormal(8, 0.6)), 1, 40);
      std::vector<const Layer*> listed;
      for (std::size_t i = 0; i < count; ++i) {
        image.layers.push_back(popular(random));
        listed.push_back(&pool[image.layers.back()]);
      }
      image.manifest = manifest_of(image.config, listed, "population");
      image.digest = sha256_digest(image.manifest);
      images.push_back(std::move(image));
    }
  }
}

namespace {

// Clients share the work by index: client i of n takes items i, i + n, …
Task<> push_pool(Run& run, Population& population, std::size_t client, std::size_t clients) {
  ClientConnection connection(run.loop, run.endpoint);
  for (std::size_t i = client; i < population.pool.size(); i += clients) {
    const Layer& layer = population.pool[i];
    const std::string wrong = co_await push_blob(run, connection, "mix/base", layer.content, layer.digest, true, false);
    if (!wrong.empty()) run.recorder.error("fill", wrong);
  }
}

Task<std::string> mount_or_push(Run& run, ClientConnection& connection, std::string repo, Layer layer) {
  const std::string target = "/v2/" + repo + "/blobs/uploads/?mount=" + layer.digest + "&from=mix/base";
  const Response mounted = co_await connection.exchange({.method = "POST", .target = target}, {});
  if (mounted.status == kCreated) co_return "";
  if (mounted.status != kAccepted) co_return fmt::format("mount: {} {}", mounted.status, mounted.error);
  co_return co_await push_blob(run, connection, repo, layer.content, layer.digest, false, false);
}

Task<> push_repositories(Run& run, Population& population, std::size_t client, std::size_t clients) {
  ClientConnection connection(run.loop, run.endpoint);
  for (std::size_t repo = client; repo < population.repos; repo += clients) {
    const std::string name = population.repo_name(repo);
    std::vector<bool> there(population.pool.size());
    for (std::size_t tag = 0; tag < population.tags; ++tag) {
      const Image& image = population.image(repo, tag);
      std::string wrong =
          co_await push_blob(run, connection, name, image.config.content, image.config.digest, false, false);
      for (const std::size_t layer : image.layers) {
        if (!wrong.empty() || there[layer]) continue;
        wrong = co_await mount_or_push(run, connection, name, population.pool[layer]);
        there[layer] = true;
      }
      if (wrong.empty()) wrong = co_await put_manifest(run, connection, name, image.tag, image.manifest);
      if (!wrong.empty()) run.recorder.error("fill", wrong);
    }
  }
}

}  // namespace

std::string run_fill(Run& run) {
  Population population(run.flags);
  const std::uint64_t clients = run.flags.number("connections", 8);
  constexpr std::uint64_t kTenMinutes = 600'000'000'000;
  run.begin();
  for (std::uint64_t i = 0; i < clients; ++i) run.loop.spawn(push_pool(run, population, i, clients));
  run.loop.run(run.started + kTenMinutes);
  for (std::uint64_t i = 0; i < clients; ++i) run.loop.spawn(push_repositories(run, population, i, clients));
  run.loop.run(run.started + kTenMinutes);
  std::uint64_t bytes = 0;
  for (const Layer& layer : population.pool) bytes += layer.content.size;
  return run.finish(
      {{"pool_bytes", static_cast<double>(bytes)}, {"images", static_cast<double>(population.images.size())}});
}

}  // namespace berth::load
