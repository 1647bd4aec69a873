#include "loop.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>

namespace berth::load {

std::uint64_t now_ns() {
  // allowed(clock): the generator measures real time, and shares no code with the server
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
}

Loop::Loop() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {}
Loop::~Loop() { close(epoll_); }

void Loop::watch(int fd, Waiter& waiter) {
  epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data = {.ptr = &waiter}};
  epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
}

Spawned Loop::start(Task<> task) {
  co_await task;
  --active_;
}

void Loop::spawn(Task<> task) {
  ++active_;
  start(std::move(task));
}

void Loop::fire_timers() {
  while (!timers_.empty() && timers_.top().when <= now_ns()) {
    const auto handle = timers_.top().handle;
    timers_.pop();
    handle.resume();
  }
}

bool Loop::wait_for_events(std::uint64_t deadline_ns) {
  const std::uint64_t now = now_ns();
  if (now >= deadline_ns) return false;
  const std::uint64_t until = timers_.empty() ? deadline_ns : std::min(deadline_ns, timers_.top().when);
  const std::uint64_t left = until > now ? until - now : 0;
  // Nanoseconds, because epoll_wait's milliseconds would make every open-loop request late.
  const timespec timeout{.tv_sec = static_cast<time_t>(left / 1'000'000'000),
                         .tv_nsec = static_cast<long>(left % 1'000'000'000)};
  std::array<epoll_event, 256> events;
  const int count = epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()), &timeout, nullptr);
  for (int i = 0; i < count; ++i) {
    auto& waiter = *static_cast<Waiter*>(events[static_cast<std::size_t>(i)].data.ptr);
    if (const auto handle = std::exchange(waiter.handle_, {})) {
      handle.resume();
    } else {
      waiter.pending_ = true;
    }
  }
  return true;
}

std::size_t Loop::run(std::uint64_t deadline_ns) {
  while (active_ > 0) {
    fire_timers();
    if (active_ == 0 || !wait_for_events(deadline_ns)) break;
  }
  return active_;
}

}  // namespace berth::load
