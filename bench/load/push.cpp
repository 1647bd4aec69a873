// push: --connections clients, each pushing images of --layers layers of --layer_bytes, until --seconds are over.
// upload: one blob of --bytes; --style patch (POST, PATCH in chunks, PUT) or put (POST, PUT).
// hold: --connections sessions, each with half of a PATCH of --bytes sent; prints "holding", ends with its input.

#include "modes.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace berth::load {

namespace {

constexpr int kAccepted = 202, kCreated = 201, kNotFound = 404, kOk = 200;  // allowed(status): a client's side
constexpr std::string_view kOctets = "Content-Type: application/octet-stream\r\n";

std::string unexpected(std::string_view step, const Response& response) {
  return fmt::format("{}: {}", step, response.error.empty() ? std::to_string(response.status) : response.error);
}

}  // namespace

std::string manifest_of(const Layer& config, const std::vector<const Layer*>& layers, const std::string& note) {
  std::string text = fmt::format(
      R"({{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{}","size":{}}},"layers":[)",
      config.digest, config.content.size);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    text += fmt::format(R"({}{{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"{}","size":{}}})",
                        i > 0 ? "," : "", layers[i]->digest, layers[i]->content.size);
  }
  return text + fmt::format(R"(],"annotations":{{"org.example.note":"{}"}}}})", note);
}

Task<std::string> push_blob(Run& run, ClientConnection& connection, std::string repo, Content content,
                            std::string digest, bool head_first, bool detailed) {
  const auto step = [&](const char* name, std::uint64_t start) {
    if (detailed) run.recorder.record(name, start, now_ns());
  };
  const std::string base = "/v2/" + repo + "/blobs/";
  std::uint64_t start = now_ns();
  if (head_first) {
    const Response there = co_await connection.exchange({.method = "HEAD", .target = base + digest}, {});
    if (there.status == kOk) co_return "";
    if (there.status != kNotFound) co_return unexpected("HEAD blob", there);
    step("HEAD blob", start);
  }
  start = now_ns();
  const Response session = co_await connection.exchange({.method = "POST", .target = base + "uploads/"}, {});
  if (session.status != kAccepted) co_return unexpected("POST", session);
  step("POST", start);
  start = now_ns();
  const Response grown = co_await connection.exchange({.method = "PATCH",
                                                       .target = upload_target(session.location, ""),
                                                       .fields = std::string(kOctets),
                                                       .body = &content,
                                                       .chunked = true},
                                                      {});
  if (grown.status != kAccepted) co_return unexpected("PATCH", grown);
  step("PATCH", start);
  start = now_ns();
  const Response done =
      co_await connection.exchange({.method = "PUT", .target = upload_target(grown.location, digest)}, {});
  if (done.status != kCreated) co_return unexpected("PUT blob", done);
  if (!done.digest.empty() && done.digest != digest) co_return "PUT blob: another digest " + done.digest;
  step("PUT blob", start);
  co_return "";
}

Task<std::string> put_manifest(Run& run, ClientConnection& connection, std::string repo, std::string reference,
                               std::string body) {
  (void)run;
  const Response done =
      co_await connection.exchange({.method = "PUT",
                                    .target = "/v2/" + repo + "/manifests/" + reference,
                                    .fields = "Content-Type: application/vnd.oci.image.manifest.v1+json\r\n",
                                    .small_body = body},
                                   {});
  if (done.status != kCreated) co_return unexpected("PUT manifest", done);
  if (!done.digest.empty() && done.digest != sha256_digest(body))
    co_return "PUT manifest: another digest " + done.digest;
  co_return "";
}

namespace {

struct PushPlan {
  std::uint64_t layers, layer_bytes, seed;
  std::uint64_t images = 0;  // pushed by anybody
};

Layer layer(Content content) { return {.content = content, .digest = content.digest()}; }

Task<> pusher(Run& run, PushPlan& plan, std::uint64_t client) {
  ClientConnection connection(run.loop, run.endpoint);
  constexpr std::uint64_t kConfigBytes = 3000;
  for (std::uint64_t image = 0; now_ns() < run.ends; ++image) {
    // Made before the clock of this push starts: hashing is the client's work, not the server's.
    const std::uint64_t base = ((plan.seed * 4096 + client) * 1'000'000 + image) * 100;
    const std::string repo = fmt::format("team{}/app{}", client % 4, client);
    std::vector<Layer> layers;
    layers.push_back(layer({.seed = base, .size = kConfigBytes, .is_config = true}));
    for (std::uint64_t i = 1; i <= plan.layers; ++i)
      layers.push_back(layer({.seed = base + i, .size = plan.layer_bytes}));
    std::vector<const Layer*> listed;
    for (std::uint64_t i = 1; i <= plan.layers; ++i) listed.push_back(&layers[i]);
    const std::string manifest = manifest_of(layers[0], listed, "push");
    const std::uint64_t start = now_ns();
    std::string wrong;
    for (const Layer& one : layers) {
      if (wrong.empty()) wrong = co_await push_blob(run, connection, repo, one.content, one.digest, true, true);
    }
    if (wrong.empty()) {
      const std::uint64_t put = now_ns();
      wrong = co_await put_manifest(run, connection, repo, fmt::format("v{}-{}", plan.seed, image), manifest);
      if (wrong.empty()) run.recorder.record("PUT manifest", put, now_ns());
    }
    if (wrong.empty()) {
      run.recorder.record("push of an image", start, now_ns());
      ++plan.images;
    } else {
      run.recorder.error("push of an image", wrong);
    }
  }
  run.bytes_out += connection.bytes_out;
}

}  // namespace

std::string run_push(Run& run) {
  PushPlan plan{.layers = run.flags.number("layers", 10),
                .layer_bytes = run.flags.number("layer_bytes", 16'384),
                .seed = run.flags.number("seed", 1)};
  run.begin();
  for (std::uint64_t i = 0; i < run.flags.number("connections", 16); ++i) run.loop.spawn(pusher(run, plan, i));
  std::string line = run.finish();
  return fmt::format("{{\"images\": {}, {}", plan.images, line.substr(1));
}

namespace {

Task<> uploader(Run& run, Content content, std::string digest, bool in_one_put) {
  ClientConnection connection(run.loop, run.endpoint);
  const std::uint64_t start = now_ns();
  std::string wrong;
  if (in_one_put) {
    const Response session =
        co_await connection.exchange({.method = "POST", .target = "/v2/big/blob/blobs/uploads/"}, {});
    const Response done = co_await connection.exchange({.method = "PUT",
                                                        .target = upload_target(session.location, digest),
                                                        .fields = std::string(kOctets),
                                                        .body = &content},
                                                       {});
    if (done.status != kCreated) wrong = unexpected("PUT", done);
  } else {
    wrong = co_await push_blob(run, connection, "big/blob", content, digest, false, true);
  }
  if (wrong.empty()) {
    run.recorder.record("upload", start, now_ns());
  } else {
    run.recorder.error("upload", wrong);
  }
  run.bytes_out += connection.bytes_out;
}

// borrows: `kept` is of run_hold, which waits for every holder
Task<> holder(Run& run, Content content, std::vector<std::unique_ptr<ClientConnection>>& kept, std::string repo) {
  auto connection = std::make_unique<ClientConnection>(run.loop, run.endpoint);
  const Response session =
      co_await connection->exchange({.method = "POST", .target = "/v2/" + repo + "/blobs/uploads/"}, {});
  if (session.status != kAccepted) {
    run.recorder.error("hold", unexpected("POST", session));
    co_return;
  }
  const Response none = co_await connection->exchange({.method = "PATCH",
                                                       .target = upload_target(session.location, ""),
                                                       .fields = std::string(kOctets),
                                                       .body = &content,
                                                       .rest_held = content.size / 2},
                                                      {});
  if (none.error.empty()) {
    run.recorder.record("hold", run.started, now_ns());
  } else {
    run.recorder.error("hold", none.error);
  }
  kept.push_back(std::move(connection));
}

}  // namespace

std::string run_upload(Run& run) {
  const Layer blob = layer({.seed = run.flags.number("seed", 1), .size = run.flags.number("bytes", 1U << 30U)});
  run.begin();
  run.loop.spawn(uploader(run, blob.content, blob.digest, run.flags.text("style", "patch") == "put"));
  return run.finish();
}

std::string run_hold(Run& run) {
  std::vector<std::unique_ptr<ClientConnection>> kept;
  const Content content{.seed = run.flags.number("seed", 1), .size = run.flags.number("bytes", 1U << 20U)};
  run.begin();
  for (std::uint64_t i = 0; i < run.flags.number("connections", 1000); ++i) {
    run.loop.spawn(holder(run, content, kept, fmt::format("hold/app{}", i % 16)));
  }
  std::string line = run.finish();
  std::printf("holding\n");  // allowed(print): the parent measures the server now
  std::fflush(stdout);
  char byte = 0;
  while (read(STDIN_FILENO, &byte, 1) > 0) {
  }
  return line;
}

}  // namespace berth::load
