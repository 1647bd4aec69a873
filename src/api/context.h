#pragma once
// What an endpoint may use. Built once per request from services that live as long as the server.

#include "api/routes.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "oci/repo_name.h"
#include "registry/blobs.h"
#include "registry/listings.h"
#include "registry/manifests.h"
#include "registry/uploads.h"

namespace berth::api {

/// What callers without an account may do.
enum class Anonymous : std::uint8_t { off, read, write };

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
};

struct Context {
  Services& services;
  Route route;
};

}  // namespace berth::api
