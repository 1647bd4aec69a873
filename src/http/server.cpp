#include "http/server.h"

#include "base/assert.h"
#include "http/core.h"
#include "http/listener.h"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <vector>

namespace berth::http {

struct Server::Impl {
  Impl(Deps deps, ServerLimits limits, Handler handler, ErrorResponder on_error)
      : runtime(deps.runtime),
        context{.clock = deps.clock,
                .log = deps.log,
                .limits = limits,
                .handler = std::move(handler),
                .on_error = std::move(on_error)} {
    for (unsigned i = 0; i < runtime.cores(); ++i) {
      cores.push_back(std::make_unique<Core>(context, runtime.context(i), [this] { on_done(); }));
    }
  }

  void on_done() {
    const std::lock_guard lock(mutex);
    --busy_count;
    idle.notify_all();  // under the lock: whoever waits may destroy us as soon as it is released
  }

  bool is_runtime_gone() const {
    for (const auto& core : cores) {
      if (!core->context().stopped()) return false;
    }
    return true;
  }

  /// Runs fn(core) on each core, soon. Counts as work until it has.
  template <class F>
  void on_every_core(F fn) {
    {
      const std::lock_guard lock(mutex);
      busy_count += cores.size();
    }
    for (const auto& core : cores) {
      asio::post(core->context(), [this, core = core.get(), fn] {
        fn(*core);
        on_done();
      });
    }
  }

  /// True once every core is idle; false after timeout_ms, or if the runtime has been stopped under us.
  bool wait_until_idle(std::int64_t timeout_ms) {
    constexpr std::int64_t kStepMs = 100;
    std::unique_lock lock(mutex);
    for (std::int64_t left_ms = timeout_ms; left_ms > 0 && !is_runtime_gone(); left_ms -= kStepMs) {
      const std::chrono::milliseconds step(std::min(left_ms, kStepMs));
      if (idle.wait_for(lock, step, [this] { return busy_count == 0; })) return true;
    }
    return busy_count == 0;
  }

  io::Runtime& runtime;
  ServerContext context;
  std::vector<std::unique_ptr<Core>> cores;
  std::uint16_t port = 0;
  bool is_listening = false;
  bool is_stopped = false;

  std::mutex mutex;  // guards: busy_count
  std::condition_variable idle;
  std::size_t busy_count = 0;  // cores not idle yet, and calls on their way to a core
};

Server::Server(Deps deps, ServerLimits limits, Handler handler, ErrorResponder on_error)
    : impl_(std::make_unique<Impl>(deps, limits, std::move(handler), std::move(on_error))) {}

Server::~Server() { stop(0); }

Result<void> Server::listen(const std::string& host, std::uint16_t port) {
  BERTH_ASSERT(!impl_->is_stopped, "a stopped server does not listen again");
  BERTH_TRY(const asio::ip::address address, parse_host(host));
  asio::ip::tcp::endpoint endpoint(address, port);
  BERTH_TRYV(check_free(impl_->cores.front()->context(), endpoint));

  std::vector<Acceptor> acceptors;
  for (const auto& core : impl_->cores) {
    BERTH_TRY(Acceptor acceptor, open_acceptor(core->context(), endpoint));
    endpoint.port(acceptor.local_endpoint().port());  // the others share what the first one picked
    acceptors.push_back(std::move(acceptor));
  }
  for (std::size_t i = 0; i < acceptors.size(); ++i) {
    Core& core = *impl_->cores[i];
    asio::post(core.context(),
               [&core, acceptor = std::move(acceptors[i])]() mutable { core.add_listener(std::move(acceptor)); });
  }
  if (!impl_->is_listening) impl_->port = endpoint.port();
  impl_->is_listening = true;
  impl_->context.log.info("http.listening", {f("address", to_text(endpoint))});
  return {};
}

std::uint16_t Server::port() const { return impl_->port; }

void Server::stop(std::int64_t drain_ms) {
  if (std::exchange(impl_->is_stopped, true) || !impl_->is_listening) return;
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->busy_count += impl_->cores.size();
  }
  impl_->on_every_core([](Core& core) { core.stop(); });
  if (impl_->wait_until_idle(drain_ms)) return;
  impl_->on_every_core([](Core& core) { core.abort(); });
  constexpr std::int64_t kForMinutes = 60'000;
  while (!impl_->wait_until_idle(kForMinutes) && !impl_->is_runtime_gone()) {
    impl_->context.log.warn("http.stop_waits", {f("connections", connection_count())});
  }
}

std::size_t Server::connection_count() const { return impl_->context.connection_count.load(); }

}  // namespace berth::http
