#include "http/server.h"

#include "base/assert.h"
#include "http/core.h"
#include "http/listener.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <vector>

namespace berth::http {

struct Server::Impl {
  Impl(Deps deps, const ServerLimits& limits, Handler handler, ErrorResponder on_error)
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

  /// One acceptor per core on an address of their own, by SO_REUSEPORT.
  Result<std::vector<Acceptor>> bind(const ListenAddress& address) {
    BERTH_TRY(const asio::ip::address host, parse_host(address.host));
    Protocol::endpoint endpoint(asio::ip::tcp::endpoint(host, address.port));
    BERTH_TRYV(check_free(cores.front()->context(), endpoint));
    std::vector<Acceptor> acceptors;
    for (const auto& core : cores) {
      BERTH_TRY(Acceptor acceptor, open_acceptor(core->context(), endpoint));
      endpoint = acceptor.local_endpoint();  // the others share the port that the first one picked
      acceptors.push_back(std::move(acceptor));
    }
    return acceptors;
  }

  Result<std::vector<Acceptor>> share(int descriptor) {
    std::vector<Acceptor> acceptors;
    for (const auto& core : cores) {
      BERTH_TRY(Acceptor acceptor, share_acceptor(core->context(), descriptor));
      acceptors.push_back(std::move(acceptor));
    }
    return acceptors;
  }

  io::Runtime& runtime;
  ServerContext context;
  std::vector<std::unique_ptr<Core>> cores;
  std::uint16_t port = 0;
  bool is_listening = false;
  bool is_stopped = false;
  std::vector<std::string> unix_paths;  // to be removed at the end

  std::mutex mutex;  // guards: busy_count
  std::condition_variable idle;
  std::size_t busy_count = 0;  // cores not idle yet, and calls on their way to a core
};

Server::Server(Deps deps, const ServerLimits& limits, Handler handler, ErrorResponder on_error)
    : impl_(std::make_unique<Impl>(deps, limits, std::move(handler), std::move(on_error))) {}

Server::~Server() { stop(0); }

Result<std::uint16_t> Server::listen(const ListenAddress& address) {
  BERTH_ASSERT(!impl_->is_stopped, "a stopped server does not listen again");
  BERTH_ASSERT(!address.tls || impl_->context.tls_now() != nullptr, "set_tls comes first");
  std::vector<Acceptor> acceptors;
  std::string where;
  if (!address.unix_path.empty() || address.descriptor >= 0) {
    int descriptor = address.descriptor;
    if (!address.unix_path.empty()) {
      BERTH_TRY(descriptor, open_unix_socket(address.unix_path));
      impl_->unix_paths.push_back(address.unix_path);
    }
    auto shared = impl_->share(descriptor);
    ::close(descriptor);
    BERTH_TRY(acceptors, std::move(shared));
    where = address.unix_path.empty() ? to_text(acceptors.front().local_endpoint()) : "unix:" + address.unix_path;
  } else {
    BERTH_TRY(acceptors, impl_->bind(address));
    where = to_text(acceptors.front().local_endpoint());
  }
  const std::uint16_t port = port_of(acceptors.front().local_endpoint());
  if (impl_->port == 0) impl_->port = port;
  const ListenerTraits traits{.tls = address.tls, .proxy_protocol = address.proxy_protocol};
  for (std::size_t i = 0; i < acceptors.size(); ++i) {
    Core& core = *impl_->cores[i];
    asio::post(core.context(), [&core, traits, acceptor = std::move(acceptors[i])]() mutable {
      core.add_listener(std::move(acceptor), traits);
    });
  }
  impl_->is_listening = true;
  impl_->context.log.info("http.listening", {f("address", where), f("tls", address.tls)});
  return port;
}

void Server::set_tls(std::shared_ptr<const crypto::TlsContext> tls) { impl_->context.set_tls(std::move(tls)); }

std::uint16_t Server::port() const { return impl_->port; }

void Server::stop(std::int64_t drain_ms) {
  if (std::exchange(impl_->is_stopped, true) || !impl_->is_listening) return;
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->busy_count += impl_->cores.size();
  }
  impl_->on_every_core([](Core& core) { core.stop(); });
  for (const std::string& path : impl_->unix_paths) ::unlink(path.c_str());
  if (!impl_->wait_until_idle(drain_ms)) {
    impl_->on_every_core([](Core& core) { core.abort(); });
    constexpr std::int64_t kForMinutes = 60'000;
    while (!impl_->wait_until_idle(kForMinutes) && !impl_->is_runtime_gone()) {
      impl_->context.log.warn("http.stop_waits", {f("connections", connection_count())});
    }
  }
  impl_->context.write(impl_->context.floods.rest(counts()));
}

Server::Counts Server::counts() const { return impl_->context.counts(); }

std::size_t Server::connection_count() const { return impl_->context.connection_count.load(); }

}  // namespace berth::http
