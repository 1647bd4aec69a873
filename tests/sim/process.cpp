// What happens to the process and its disk.
#include "lifecycle/recovery.h"
#include "sim/simulation.h"

namespace berth::sim {

bool Simulation::start_process() {
  if (const auto started = world_.try_start(); !started) {
    fail_with("the start failed: " + started.error().message + " " + started.error().cause);
    return false;
  }
  database_.opened(world_.database());
  const auto recovered = recover();
  const bool struck = world_.fs.struck();
  if (!recovered && !struck) fail_with("the recovery failed: " + recovered.error().cause);
  return recovered.has_value();
}

/// As a server does, and what it leaves to the background at once.
Result<void> Simulation::recover() {
  const lifecycle::RecoveryDeps deps{*world_.store, *world_.blob_store, world_.clock, world_.log};
  BERTH_TRY(auto report, lifecycle::recover(deps, "boot " + std::to_string(boot_)));
  lifecycle::review_strays(deps, report.strays, [](std::size_t) { return true; }, report);
  return {};
}

/// Waits for the writes nobody waits for, so that the seed alone decides what there is to be lost.
void Simulation::drain() {
  (void)world_.store->write_blocking([](sql::Connection&) -> Result<void> { return {}; }, {.ack = meta::Ack::process});
}

void Simulation::housekeeping() {
  const auto placed = lifecycle::place_pending({*world_.store, *world_.blob_store, world_.clock, world_.log}, 1000);
  settle("place", {}, outcome(placed));
  settle("expire", {}, outcome(world_.uploads->expire(1000)));
}

/// A request meets a fault; then, perhaps, the process ends.
void Simulation::arm_fault() {
  static constexpr void (Simulation::* kVictims[])() = {&Simulation::push_blob,      &Simulation::append_to_session,
                                                        &Simulation::push_image,     &Simulation::finish_session,
                                                        &Simulation::finish_session, &Simulation::housekeeping,
                                                        &Simulation::look,           &Simulation::delete_manifest};
  const std::uint64_t n = 1 + below(9);
  const Errc error = one_in(2) ? Errc::io_failed : Errc::no_space;
  const bool lasting = one_in(3);
  note((lasting ? "no disk from operation " : "fault at operation ") + std::to_string(n));
  if (lasting) {
    world_.fs.fail_from(n, error);
  } else {
    world_.fs.fail_at(n, error);
  }
  (this->*kVictims[below(std::size(kVictims))])();
  world_.fs.heal();
  if (!failure_.empty()) return;
  if (one_in(3)) return cut_power();
  if (one_in(4)) restart();
}

/// The process is killed: what it wrote stays, what it knew is gone.
void Simulation::restart() {
  note("restart");
  world_.fs.heal();
  world_.stop();
  (void)start_process();
}

void Simulation::cut_power() {
  note("power cut");
  drain();
  const std::string name = "meta" + std::to_string(++databases_);
  database_.cut_power(world_.dir / (name + ".db"), choice_);
  world_.stop();
  std::filesystem::remove(world_.database());
  world_.database_name = name;
  const bool keeps_some = !one_in(3);
  keeps_some ? world_.fs.cut_power_keeping_some(choice_.u64()) : world_.fs.cut_power();
  ++boot_;
  for (Session& session : sessions_) session.may_be_gone = session.may_start_over = true;
  if (one_in(3)) {
    // The power goes again during the recovery.
    const std::uint64_t n = 1 + below(8);
    note("no disk from operation " + std::to_string(n) + " of the start");
    world_.fs.fail_from(n, Errc::io_failed);
    const auto started = world_.try_start();
    if (started) {
      database_.opened(world_.database());
      (void)recover();
    }
    world_.stop();
    world_.fs.cut_power_keeping_some(choice_.u64());
    ++boot_;
  }
  // Whoever was uploading soon comes back.
  if (start_process() && one_in(2)) finish_session();
}

void Simulation::pass_time() {
  static constexpr std::int64_t kMinuteMs = 60'000;
  static constexpr std::int64_t kHourMs = 60 * kMinuteMs;
  switch (below(24)) {
    case 0: world_.clock.advance_ms(25 * kHourMs); break;                           // idle sessions expire
    case 1: world_.clock.set_wall_ms(world_.clock.now_ms() - 48 * kHourMs); break;  // the wall clock jumps
    case 2: world_.clock.set_wall_ms(world_.clock.now_ms() + 48 * kHourMs); break;
    default: world_.clock.advance_ms(static_cast<std::int64_t>(below(kMinuteMs))); break;
  }
  note("clock " + std::to_string(world_.clock.now_ms()));
}

}  // namespace berth::sim
