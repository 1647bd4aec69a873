#include "http/core.h"

#include <boost/asio/co_spawn.hpp>
#include <signal.h>

#include <exception>

namespace berth::http {

namespace {

constexpr std::chrono::milliseconds kAcceptPause{100};
// Refused connections that are told so; beyond, they are closed without a word: a flood is not worth an answer each.
constexpr std::size_t kRefusedMax = 256;

/// On this thread only: sendfile to a peer that is gone raises SIGPIPE, which would end the process, and unlike send it
/// has no flag against that.
void block_broken_pipe_signal() {
  ::sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

bool is_out_of_descriptors(const boost::system::error_code& error) {
  using Code = boost::system::errc::errc_t;
  return error == Code::too_many_files_open || error == Code::too_many_files_open_in_system ||
         error == Code::no_buffer_space || error == Code::not_enough_memory;
}

}  // namespace

Server::Counts ServerContext::counts() const {
  return {.accepted = accepted.load(),
          .refused = refused.load(),
          .timed_out = timed_out.load(),
          .malformed = malformed.load(),
          .tls_full = tls_full.load(),
          .tls_resumed = tls_resumed.load(),
          .tls_failed = tls_failed.load(),
          .accept_failed = accept_failed.load(),
          .proxy_invalid = proxy_invalid.load()};
}

void ServerContext::write(const std::vector<FloodLog::Line>& lines) const {
  for (const FloodLog::Line& line : lines) {
    log.write(line.level, line.event, {f("count", line.count), f("err", line.what)});
  }
}

Core::Core(ServerContext& server, asio::io_context& context, std::function<void()> on_idle)
    : server_(server),
      io_(context),
      on_idle_(std::move(on_idle)),
      context_{.server = server},
      tick_timer_(context),
      accept_timer_(context) {}

void Core::add_listener(Acceptor acceptor, ListenerTraits traits) {
  block_broken_pipe_signal();
  listeners_.push_back({std::move(acceptor), traits});
  ++task_count_;
  start_tick();
  asio::co_spawn(io_, accept_loop(listeners_.back()), [this](const std::exception_ptr& thrown) {
    if (thrown) std::rethrow_exception(thrown);  // a bug: nothing there throws
    on_task_end();
  });
}

void Core::stop() {
  context_.stopping = true;
  accept_timer_.cancel();
  for (Listener& listener : listeners_) {
    boost::system::error_code ignored;
    listener.acceptor.close(ignored);
  }
  for (Connection& connection : connections_) connection.stop_if_idle();
  ++task_count_;  // so that a core where nothing runs becomes idle too
  on_task_end();
}

void Core::abort() {
  for (Connection& connection : connections_) connection.abort();
}

io::Task<void> Core::accept_loop(Listener& listener) {
  while (listener.acceptor.is_open()) {
    Socket socket(io_);
    Protocol::endpoint peer;
    const auto [error] = co_await listener.acceptor.async_accept(socket, peer, kAwait);
    if (!error) {
      admit(std::move(socket), peer, listener.traits);
    } else if (is_out_of_descriptors(error)) {
      ++server_.accept_failed;
      co_await pause_accepting();
    }
    // Otherwise the peer gave up before we came to it, or stop() closed the acceptor.
  }
}

/// Without descriptors every accept fails at once: trying again only burns the core.
io::Task<void> Core::pause_accepting() {
  if (context_.stopping) co_return;
  accept_timer_.expires_after(kAcceptPause);
  static_cast<void>(co_await accept_timer_.async_wait(kAwait));
}

void Core::admit(Socket socket, const Protocol::endpoint& peer, ListenerTraits traits) {
  if (context_.stopping) return;
  Connection::Admission admission = Connection::Admission::served;
  if (server_.connection_count.fetch_add(1) >= server_.limits.connections_max) {
    --server_.connection_count;
    ++server_.refused;
    admission = Connection::Admission::refused;
    if (refused_count_ >= kRefusedMax) return;
    ++refused_count_;
  }
  ++server_.accepted;
  const auto connection =
      connections_.emplace(connections_.end(), context_, std::move(socket), peer, traits, admission);
  ++task_count_;
  asio::co_spawn(io_, connection->serve(), [this, connection](const std::exception_ptr& thrown) {
    if (thrown) std::rethrow_exception(thrown);  // a bug: serve() catches what handlers throw
    on_connection_end(connection);
  });
}

void Core::on_connection_end(ConnectionList::iterator connection) {
  if (connection->admission() == Connection::Admission::refused) {
    --refused_count_;
  } else {
    --server_.connection_count;
  }
  connections_.erase(connection);
  on_task_end();
}

void Core::on_task_end() {
  --task_count_;
  if (!context_.stopping || task_count_ > 0) return;
  if (is_ticking_) {
    tick_timer_.cancel();  // it is the last to go
  } else {
    on_idle_();
  }
}

void Core::start_tick() {
  if (is_ticking_) return;
  is_ticking_ = true;
  asio::co_spawn(io_, tick_loop(), [this](const std::exception_ptr& thrown) {
    if (thrown) std::rethrow_exception(thrown);  // a bug: nothing there throws
    is_ticking_ = false;
    on_idle_();
  });
}

/// The one timer of all timeouts: ends when the core has stopped and nothing is left to watch.
io::Task<void> Core::tick_loop() {
  while (!context_.stopping || task_count_ > 0) {
    tick_timer_.expires_after(std::chrono::milliseconds(server_.limits.tick_interval_ms));
    static_cast<void>(co_await tick_timer_.async_wait(kAwait));
    const std::int64_t now_ms = server_.clock.mono_ms();
    for (Connection& connection : connections_) connection.expire(now_ms);
    server_.write(server_.floods.due(server_.counts(), now_ms));
  }
}

}  // namespace berth::http
