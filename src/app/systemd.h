#pragma once
// The two things systemd and a service say to each other: "here are your listening sockets" (sd_listen_fds(3)) and "I
// am ready", "I am stopping" (sd_notify(3)). Both are environment variables and a datagram; without them nothing
// happens.

#include "base/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace berth::app {

/// A socket handed over, and what the unit calls it (FileDescriptorName=), "" if nothing.
struct InheritedSocket {
  int descriptor = -1;
  std::string name;
};

/// The sockets meant for this process, in the unit's order; empty without socket activation. The variables are removed,
/// so that no child takes them for its own. Errors: parameter_invalid for variables that make no sense.
Result<std::vector<InheritedSocket>> take_inherited_sockets();

/// Tells the service manager, if there is one: "READY=1", "STOPPING=1", "RELOADING=1". Never blocks, never fails.
void notify_service_manager(std::string_view state);

}  // namespace berth::app
