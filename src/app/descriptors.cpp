#include "app/descriptors.h"

#include <sys/resource.h>

#include <algorithm>
#include <string>

namespace berth::app {

namespace {

// Folders of the blob store (517), the database with its readers, log, listeners, polls.
constexpr std::size_t kFixed = 640;

}  // namespace

Result<DescriptorPlan> plan_descriptors(std::size_t limit) {
  if (limit < kDescriptorsMin) {
    return fail(Errc::parameter_invalid, "the limit of open files is " + std::to_string(limit) + "; a registry needs " +
                                             std::to_string(kDescriptorsMin) +
                                             " at least: raise it with ulimit -n, or LimitNOFILE= in its systemd unit");
  }
  DescriptorPlan plan;
  plan.open_files.read_max = std::clamp<std::size_t>(limit / 16, 16, 4096);
  plan.open_files.staged_max = plan.open_files.read_max;
  const std::size_t left = limit - kFixed - plan.open_files.read_max - plan.open_files.staged_max;
  // Every other connection may be in the middle of an upload or a download with a file of its own.
  plan.connections_max = left / 3 * 2;
  return plan;
}

std::size_t raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return kDescriptorsMin;
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = before;
  return static_cast<std::size_t>(std::min<rlim_t>(limit.rlim_cur, 1U << 20));
}

}  // namespace berth::app
