// mix: an open loop of single operations over the population, in the shares of a production or a CI registry.
// herd: --connections clients pull the same image, their starts spread over --window_s.
// Every manifest is hashed; of the blobs every 16th is, the others are checked by status and length.

#include "population.h"

#include <fmt/format.h>

namespace berth::load {

namespace {

constexpr int kOk = 200, kPartial = 206, kNotFound = 404, kCreated = 201,
              kAccepted = 202;  // allowed(status): a client's side
constexpr std::string_view kAccept = "Accept: application/vnd.oci.image.manifest.v1+json\r\n";
constexpr std::uint64_t kHashOneIn = 16;

enum class Op { head_manifest, get_manifest, get_blob, head_blob, tags, referrers, catalog, push, mount, put, remove };
constexpr const char* kNames[] = {"HEAD manifest", "GET manifest", "GET blob",       "HEAD blob",
                                  "tags",          "referrers",    "catalog",        "push of a blob",
                                  "mount",         "PUT manifest", "DELETE manifest"};
// Percent, in the order of Op.
const std::vector<double> kProduction{22, 28, 37, 6, 2, 1, 0.05, 2.5, 0.5, 0.9, 0.05};
const std::vector<double> kCi{10, 15, 20, 18, 1, 2, 0, 22, 6, 5, 1};

struct Mix {
  Run& run;
  const Population& population;
  const std::vector<double>& shares;
  Arrivals arrivals;
  Random random;
  Zipf repositories{population.repos, 1.0};
  std::uint64_t nonce;                                         // of new content
  std::vector<std::pair<std::string, std::string>> removable;  // repository and digest of manifests this run pushed
  std::uint64_t blobs = 0;

  const Image& any_image() {
    constexpr double kLatest = 0.6;
    const std::size_t repo = repositories(random);
    const bool latest = random.unit() < kLatest;
    return population.image(repo, latest ? population.tags - 1 : random.below(population.tags));
  }
  const Layer& any_layer(const Image& image) {
    return population.pool[image.layers[random.below(image.layers.size())]];
  }
};

std::string outcome(const Response& response, int wanted) {
  if (!response.error.empty()) return response.error;
  return response.status == wanted ? "" : fmt::format("status {}", response.status);
}

Task<std::string> read_manifest(Mix& mix, ClientConnection& connection, bool head) {
  const Image& image = mix.any_image();
  constexpr double kByDigest = 0.6;
  const bool by_digest = !head && mix.random.unit() < kByDigest;
  Request request{
      .method = head ? "HEAD" : "GET",
      .target = "/v2/" + mix.population.repo_name(image.repo) + "/manifests/" + (by_digest ? image.digest : image.tag),
      .fields = std::string(kAccept)};
  const Response response = co_await connection.exchange(request, {.hash_body = !head});
  std::string wrong = outcome(response, kOk);
  if (wrong.empty() && response.digest != image.digest) wrong = "another digest: " + response.digest;
  if (wrong.empty() && !head && response.body_digest != image.digest) wrong = "other bytes";
  co_return wrong;
}

Task<std::string> get_blob(Mix& mix, ClientConnection& connection) {
  const Image& image = mix.any_image();
  const Layer& layer = mix.any_layer(image);
  const bool hash = ++mix.blobs % kHashOneIn == 0;
  constexpr double kRanges = 0.03;
  const std::uint64_t size = layer.content.size;
  const bool ranged = !hash && mix.random.unit() < kRanges;
  Request request{.method = "GET", .target = "/v2/" + mix.population.repo_name(image.repo) + "/blobs/" + layer.digest};
  const std::uint64_t want = ranged ? (size + 1) / 2 : size;
  if (ranged) request.fields = fmt::format("Range: bytes=0-{}\r\n", want - 1);
  const Response response = co_await connection.exchange(request, {.hash_body = hash, .discard_body = !hash});
  std::string wrong = outcome(response, ranged ? kPartial : kOk);
  if (wrong.empty() && response.body_bytes != want) wrong = fmt::format("{} of {} bytes", response.body_bytes, want);
  if (wrong.empty() && hash && response.body_digest != layer.digest) wrong = "other bytes";
  co_return wrong;
}

Task<std::string> simple(ClientConnection& connection, std::string method, std::string target, int wanted) {
  const Response response = co_await connection.exchange({.method = method, .target = std::move(target)}, {});
  co_return outcome(response, wanted);
}

// A registry may open an upload instead of mounting: noted under another name.
// borrows: `name` is the worker's, which awaits this
Task<std::string> mount(Mix& mix, ClientConnection& connection, std::string& name) {
  const Layer& layer = mix.any_layer(mix.any_image());
  const std::string repo = fmt::format("mix/mounts{}", mix.random.below(mix.population.repos));
  const std::string target = "/v2/" + repo + "/blobs/uploads/?mount=" + layer.digest + "&from=mix/base";
  const Response response = co_await connection.exchange({.method = "POST", .target = target}, {});
  if (response.status == kAccepted) {
    name += " (202)";
    co_return "";
  }
  co_return outcome(response, kCreated);
}

Task<std::string> put(Mix& mix, ClientConnection& connection) {
  const Image& image = mix.any_image();
  std::vector<const Layer*> listed;
  for (const std::size_t layer : image.layers) listed.push_back(&mix.population.pool[layer]);
  const std::uint64_t nonce = ++mix.nonce;
  const std::string manifest = manifest_of(image.config, listed, fmt::format("mix {}", nonce));
  const std::string repo = mix.population.repo_name(image.repo);
  std::string wrong = co_await put_manifest(mix.run, connection, repo, fmt::format("n{}", nonce), manifest);
  if (wrong.empty()) mix.removable.emplace_back(repo, sha256_digest(manifest));
  co_return wrong;
}

// Of a distribution without referrers the answer is a 404, which is noted under another name.
// borrows: `name` is the worker's, which awaits this
Task<std::string> referrers(Mix& mix, ClientConnection& connection, std::string& name) {
  const Image& image = mix.any_image();
  const std::string target = "/v2/" + mix.population.repo_name(image.repo) + "/referrers/" + image.digest;
  const Response response = co_await connection.exchange({.method = "GET", .target = target}, {});
  if (response.status == kNotFound) {
    name = "referrers (404)";
    co_return "";
  }
  co_return outcome(response, kOk);
}

// borrows: `name` is the worker's, which awaits this
Task<std::string> operate(Mix& mix, ClientConnection& connection, Op op, Layer fresh, std::string& name) {
  const Population& all = mix.population;
  switch (op) {
    case Op::head_manifest:
    case Op::get_manifest: co_return co_await read_manifest(mix, connection, op == Op::head_manifest);
    case Op::get_blob: co_return co_await get_blob(mix, connection);
    case Op::head_blob: {
      const Image& image = mix.any_image();
      const std::string target = "/v2/" + all.repo_name(image.repo) + "/blobs/" + mix.any_layer(image).digest;
      co_return co_await simple(connection, "HEAD", target, kOk);
    }
    case Op::tags:
      co_return co_await simple(connection, "GET", "/v2/" + all.repo_name(mix.any_image().repo) + "/tags/list?n=100",
                                kOk);
    case Op::referrers: co_return co_await referrers(mix, connection, name);
    case Op::catalog: co_return co_await simple(connection, "GET", "/v2/_catalog?n=100", kOk);
    case Op::push: {
      const std::string repo = all.repo_name(mix.repositories(mix.random));
      co_return co_await push_blob(mix.run, connection, repo, fresh.content, fresh.digest, true, false);
    }
    case Op::mount: co_return co_await mount(mix, connection, name);
    case Op::put: co_return co_await put(mix, connection);
    case Op::remove: {
      const auto [repo, digest] = mix.removable.back();
      mix.removable.pop_back();
      co_return co_await simple(connection, "DELETE", "/v2/" + repo + "/manifests/" + digest, kAccepted);
    }
  }
  co_return "no such operation";
}

Task<> worker(Mix& mix) {
  Run& run = mix.run;
  ClientConnection connection(run.loop, run.endpoint);
  constexpr std::uint64_t kNewBlobMax = 256U << 10U;  // hashing it must not delay the other clients
  for (;;) {
    const std::uint64_t start = run.started + mix.arrivals.next();
    if (start >= run.ends) break;
    Op op = static_cast<Op>(weighted(mix.random, mix.shares));
    Layer fresh;
    if (op == Op::push) {
      fresh.content = {.seed = ++mix.nonce, .size = layer_size(mix.random, kNewBlobMax)};
      fresh.digest = fresh.content.digest();
    }
    co_await run.loop.wait_until(start);
    if (op == Op::remove && mix.removable.empty()) op = Op::put;
    std::string name = kNames[static_cast<std::size_t>(op)];
    const std::string wrong = co_await operate(mix, connection, op, fresh, name);
    if (wrong.empty()) {
      run.recorder.record(name, start, now_ns());
    } else {
      run.recorder.error(name, wrong);
    }
  }
  run.bytes_in += connection.bytes_in;
  run.bytes_out += connection.bytes_out;
}

Task<> puller(Run& run, Population& population, Image image, std::uint64_t start) {
  co_await run.loop.wait_until(start);
  ClientConnection connection(run.loop, run.endpoint);
  const std::string base = "/v2/" + population.repo_name(image.repo);
  const Response there = co_await connection.exchange(
      {.method = "HEAD", .target = base + "/manifests/" + image.tag, .fields = std::string(kAccept)}, {});
  std::string wrong = outcome(there, kOk);
  if (wrong.empty()) {
    const Response manifest = co_await connection.exchange(
        {.method = "GET", .target = base + "/manifests/" + image.digest, .fields = std::string(kAccept)},
        {.hash_body = true});
    wrong = manifest.body_digest == image.digest ? "" : fmt::format("manifest: {} {}", manifest.status, manifest.error);
  }
  for (const std::size_t index : image.layers) {
    if (!wrong.empty()) break;
    const Layer& layer = population.pool[index];
    const Response blob = co_await connection.exchange({.method = "GET", .target = base + "/blobs/" + layer.digest},
                                                       {.discard_body = true});
    if (blob.body_bytes != layer.content.size) wrong = fmt::format("blob: {} {}", blob.status, blob.error);
  }
  if (wrong.empty()) {
    run.recorder.record("pull of an image", start, now_ns());
  } else {
    run.recorder.error("pull of an image", wrong);
  }
  run.bytes_in += connection.bytes_in;
}

}  // namespace

std::string run_mix(Run& run) {
  Population population(run.flags);
  const std::uint64_t salt = run.flags.number("round", 1);
  const Arrivals::Shape shape{.rate = run.flags.real("rate", 100),
                              .burst_factor = run.flags.real("burst_factor", 1),
                              .burst_s = run.flags.real("burst_s", 0),
                              .burst_every_s = run.flags.real("burst_every_s", 0)};
  Mix mix{.run = run,
          .population = population,
          .shares = run.flags.text("mix", "production") == "ci" ? kCi : kProduction,
          .arrivals = Arrivals(shape, salt),
          .random = Random(salt + 77),
          .nonce = salt << 32U};
  run.begin();
  for (std::uint64_t i = 0; i < run.flags.number("connections", 64); ++i) run.loop.spawn(worker(mix));
  return run.finish();
}

std::string run_herd(Run& run) {
  Population population(run.flags);
  const Image& image = population.images.at(run.flags.number("image", 0) % population.images.size());
  Random random(run.flags.number("round", 1));
  const double window_ns = run.flags.real("window_s", 5) * 1e9;
  run.begin();
  for (std::uint64_t i = 0; i < run.flags.number("connections", 500); ++i) {
    run.loop.spawn(puller(run, population, image, run.started + static_cast<std::uint64_t>(random.unit() * window_ns)));
  }
  return run.finish({{"layers", static_cast<double>(image.layers.size())}});
}

}  // namespace berth::load
