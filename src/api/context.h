#pragma once
// What an endpoint may use. Built once per request from services that live as long as the server.

#include "api/routes.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/random.h"
#include "oci/repo_name.h"
#include "registry/blobs.h"
#include "registry/listings.h"
#include "registry/manifests.h"
#include "registry/uploads.h"

#include <functional>
#include <string>
#include <vector>

namespace berth::api {

/// What callers without an account may do.
enum class Anonymous : std::uint8_t { off, read, write };

/// What a listener is for.
enum class Face : std::uint8_t {
  everything,
  registry,       // all but /metrics, which has an address of its own or none
  operator_only,  // health, readiness, metrics
};

class RequestObserver;

struct Services {
  registry::Uploads& uploads;
  registry::Blobs& blobs;
  registry::Manifests& manifests;
  registry::Listings& listings;
  const registry::Limits& limits;
  const Clock& clock;
  Random& random;
  const Log& log;
  Anonymous anonymous = Anonymous::off;
  Deletes deletes = Deletes::on;
  RequestObserver& observer;
  const Metrics& metrics;
  Face face = Face::everything;
  /// Why the server should get no traffic now, a sentence each; empty: it is ready. Must not block.
  std::function<std::vector<std::string>()> problems;
};

struct Context {
  Services& services;
  Route route;
};

}  // namespace berth::api
