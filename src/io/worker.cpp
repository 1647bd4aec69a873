#include "io/worker.h"

#include <pthread.h>

namespace berth::io {

void Worker::start(const std::string& name, std::function<void()> loop) {
  thread_ = std::thread(std::move(loop));
  ::pthread_setname_np(thread_.native_handle(), name.substr(0, 15).c_str());
}

void Worker::join() {
  if (thread_.joinable()) thread_.join();
}

}  // namespace berth::io
