#include "io/runtime.h"

#include <pthread.h>

#include <string>

namespace berth::io {

Runtime::Runtime(unsigned cores) {
  for (unsigned i = 0; i < cores; ++i) {
    contexts_.push_back(std::make_unique<asio::io_context>(1));
    guards_.emplace_back(contexts_.back()->get_executor());
  }
}

Runtime::~Runtime() { stop(); }

void Runtime::start() {
  for (unsigned i = 0; i < cores(); ++i) {
    threads_.emplace_back([context = contexts_[i].get()] { context->run(); });
    ::pthread_setname_np(threads_.back().native_handle(), ("io-" + std::to_string(i)).c_str());
  }
}

void Runtime::drain() {
  for (Guard& guard : guards_) guard.reset();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void Runtime::stop() {
  for (auto& context : contexts_) context->stop();
  drain();
}

}  // namespace berth::io
