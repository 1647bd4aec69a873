#pragma once
// What the generator can do. Each mode returns the JSON line of its run; flags are listed in main.cpp.

#include "connection.h"
#include "recorder.h"

#include <map>
#include <string>

namespace berth::load {

/// --key value pairs; a missing one has the default its reader names.
class Flags {
 public:
  Flags(int count, char** words);
  std::string text(const std::string& name, std::string otherwise = {}) const;
  std::uint64_t number(const std::string& name, std::uint64_t otherwise) const;
  double real(const std::string& name, double otherwise) const;
  const std::string& problem() const { return problem_; }  // empty: fine

 private:
  std::map<std::string, std::string> values_;
  std::string problem_;
};

/// What every mode needs; lives until the process ends.
struct Run {
  explicit Run(const Flags& given);
  const Flags& flags;
  Loop loop;
  Endpoint endpoint;
  Recorder recorder;
  std::uint64_t started = 0, ends = 0;  // Loop's clock; `ends`: no new request after it
  std::uint64_t bytes_in = 0, bytes_out = 0;

  void begin();
  /// Waits for the spawned clients; 60 s after `ends` those still running count as errors.
  std::string finish(std::vector<std::pair<std::string, double>> extra = {});
};

std::string run_trace(Run& run);   // requests of a file, closed loop, or open at a rate or at the file's own times
std::string run_push(Run& run);    // clients that push images of small layers as docker does
std::string run_upload(Run& run);  // one large blob
std::string run_fill(Run& run);    // pushes the population that `mix` and `herd` assume
std::string run_mix(Run& run);     // production or CI mix, open loop
std::string run_herd(Run& run);    // many clients pull one image at once
std::string run_hold(Run& run);    // uploads that are half sent and stay so

// -- shared by the modes

/// Docker's push of one blob: HEAD, POST, PATCH, PUT. Returns what went wrong, or nothing. Steps are recorded by name
/// when `detailed`.
Task<std::string> push_blob(Run& run, ClientConnection& connection, std::string repo, Content content,
                            std::string digest, bool head_first, bool detailed);
Task<std::string> put_manifest(Run& run, ClientConnection& connection, std::string repo, std::string reference,
                               std::string body);

/// `location` may be absolute or have a query.
std::string upload_target(const std::string& location, const std::string& digest);

struct Layer {
  Content content;
  std::string digest;
};
std::string manifest_of(const Layer& config, const std::vector<const Layer*>& layers, const std::string& note);

}  // namespace berth::load
