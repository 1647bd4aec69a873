#include "io/periodic.h"

#include <pthread.h>

#include <chrono>

namespace berth::io {

Periodic::Periodic(std::string name, std::int64_t interval_ms, std::function<void(Periodic&)> work)
    : interval_ms_(interval_ms), work_(std::move(work)), thread_([this] { run(); }) {
  ::pthread_setname_np(thread_.native_handle(), name.substr(0, 15).c_str());
}

Periodic::~Periodic() { stop(); }

void Periodic::wake() {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  signal_.notify_all();
}

void Periodic::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  signal_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool Periodic::stopping() {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

bool Periodic::pause_ms(std::int64_t duration_ms) {
  std::unique_lock lock(mutex_);
  return !signal_.wait_for(lock, std::chrono::milliseconds(duration_ms), [this] { return stopping_; });
}

void Periodic::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    signal_.wait_for(lock, std::chrono::milliseconds(interval_ms_), [this] { return stopping_ || woken_; });
    if (stopping_) return;
    woken_ = false;
    lock.unlock();
    work_(*this);
    lock.lock();
  }
}

}  // namespace berth::io
