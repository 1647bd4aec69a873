#pragma once
// What one core of the server owns: its listeners, its connections, its tick. All of it runs on that core's thread.

#include "http/connection.h"
#include "http/listener.h"

#include <boost/asio/basic_waitable_timer.hpp>

#include <chrono>
#include <functional>
#include <list>

namespace berth::http {

class Core {
 public:
  /// on_idle runs once, on this core, when stop() has been called and everything that ran here has ended; the core may
  /// be destroyed during the call.
  Core(ServerContext& server, asio::io_context& context, std::function<void()> on_idle);

  asio::io_context& context() { return io_; }
  /// Takes over a bound acceptor and starts accepting. Before stop().
  void add_listener(Acceptor acceptor, ListenerTraits traits);
  /// No new connections or requests; those that are running finish.
  void stop();
  /// Ends what is still running.
  void abort();

 private:
  using Timer =
      asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, io::Executor>;
  using ConnectionList = std::list<Connection>;

  struct Listener {
    Acceptor acceptor;
    ListenerTraits traits;
  };

  io::Task<void> accept_loop(Listener& listener);
  io::Task<void> pause_accepting();
  io::Task<void> tick_loop();
  void start_tick();
  void admit(Socket socket, const Protocol::endpoint& peer, ListenerTraits traits);
  void on_connection_end(ConnectionList::iterator connection);
  void on_task_end();

  ServerContext& server_;
  asio::io_context& io_;
  std::function<void()> on_idle_;
  CoreContext context_;
  std::list<Listener> listeners_;
  ConnectionList connections_;
  std::size_t refused_count_ = 0;
  std::size_t task_count_ = 0;  // accept loops and connections
  Timer tick_timer_;
  Timer accept_timer_;
  bool is_ticking_ = false;
};

}  // namespace berth::http
