#pragma once
// Where Berth remembers: one writer, many readers, over a SQL engine.
//
// Writes are closures run by one writer thread that groups whatever is queued into one transaction, each closure in a
// savepoint of its own, and answers all of them after one COMMIT. No artificial delay: a batch is what queued up during
// the previous COMMIT. A closure must depend only on its inputs and may be run more than once; nothing in it suspends.
//
// Reads: peek() runs a point lookup at once on the calling core's thread (microseconds, from the page cache), read()
// runs anything that may touch many pages on the reading pool.

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "io/blocking_pool.h"
#include "io/suspend.h"
#include "io/worker.h"
#include "meta/epochs.h"
#include "sql/connection.h"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace berth::meta {

/// What an answer waits for.
enum class Ack : std::uint8_t {
  durable,  // COMMIT reached the disk: survives a power cut
  process,  // COMMIT reached the operating system: survives a kill, not a power cut
};

/// Which writes are still let through when the disk is full.
enum class Space : std::uint8_t { normal, reclaim };

struct WriteOptions {
  Ack ack = Ack::durable;
  Space space = Space::normal;
  /// The closure refers to files created in the staging folder: their names are synced before COMMIT.
  bool needs_staging_sync = false;
  /// About how much it writes, if that is much: what is queued behind it waits for that.
  std::size_t bytes = 0;
  /// What caches above must forget; see epochs.h.
  Touches touches = Touches::everything();
};

class Store {
 public:
  struct Hooks {
    /// Makes the names of staged files durable; called once before the COMMIT of a batch that asked for it.
    std::function<Result<void>()> sync_staging;
    /// The engine found the disk full, after open(): refuse what needs room before it gets here.
    std::function<void()> on_no_space;
    /// open() or a reclaiming write cannot go on without room: free what is kept aside for them. Nothing else asks for
    /// it: what another program takes at that moment is gone.
    std::function<void()> release_reserve;
    /// A batch of `ops` writes was committed; how long that took, syncs included.
    std::function<void(std::size_t ops, std::int64_t duration_us)> on_commit;
    /// Wraps every connection opened, for fault injection; empty in production.
    std::function<std::unique_ptr<sql::Connection>(std::unique_ptr<sql::Connection>)> wrap;
  };
  struct Options {
    std::string path;
    std::size_t queue_max = 20'000;
    std::size_t batch_ops_max = 512;
    std::size_t batch_bytes_max = 8 * 1024 * 1024;  // by WriteOptions::bytes; a larger operation is a batch of its own
    unsigned read_threads = 2;
    std::size_t read_queue_max = 10'000;
    std::size_t readers_ready = 0;  // opened at the start: an I/O thread should not wait for it; more as needed
  };
  using WriteFn = std::move_only_function<Result<void>(sql::Connection&)>;

  /// Opens or creates the database, migrates it, starts the writer. Errors: corrupt, io_failed, no_space, unavailable.
  static Result<std::unique_ptr<Store>> open(Options options, Hooks hooks, const Clock& clock, const Log& log);
  ~Store();  // stop()
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  /// Runs `fn(Connection&) -> Result<T>` in the writer's next batch; continues here when its COMMIT is as safe as
  /// options.ack says. Errors: fn's own (nothing of it was kept), unavailable (queue full, stopping), no_space,
  /// io_failed.
  template <class F>
  io::Task<std::invoke_result_t<F&, sql::Connection&>> write(F fn, WriteOptions options = {}) {
    using R = std::invoke_result_t<F&, sql::Connection&>;
    // shared: the closure may outlive this frame's interest only inside the writer; the slot carries the result back.
    auto slot = std::make_shared<std::optional<R>>();
    Result<void> done = co_await io::suspend<Result<void>>([&](std::move_only_function<void(Result<void>)> ack) {
      enqueue(Op{as_write(slot, std::move(fn)), options, std::move(ack), {}});
    });
    if (!done) co_return R(fail(std::move(done).error()));
    co_return std::move(**slot);
  }

  /// Runs `prepare() -> Result<WriteOptions>` on the pool, where it may block, and then, unless it failed, `fn` as
  /// above: from there the writer has it at once, without a turn on this core between. Errors: prepare's, too.
  template <class P, class F>
  io::Task<std::invoke_result_t<F&, sql::Connection&>> write_after(io::BlockingPool& pool, P prepare, F fn) {
    using R = std::invoke_result_t<F&, sql::Connection&>;
    auto slot = std::make_shared<std::optional<R>>();  // shared: as in write()
    Result<void> done = co_await io::suspend<Result<void>>([&](std::move_only_function<void(Result<void>)> ack) {
      auto op = std::make_shared<Op>(Op{as_write(slot, std::move(fn)), {}, std::move(ack), {}});
      const bool is_posted = pool.post([this, op, prepare = std::move(prepare)]() mutable {
        auto options = prepare();
        if (!options) return op->ack(fail(std::move(options).error()));
        op->options = *options;
        enqueue(std::move(*op));
      });
      if (!is_posted) op->ack(fail(Errc::unavailable, "the server is busy; try again"));
    });
    if (!done) co_return R(fail(std::move(done).error()));
    co_return std::move(**slot);
  }

  /// The same for threads that may block (housekeeping, start-up, tools). Never on an I/O thread.
  template <class F>
  std::invoke_result_t<F&, sql::Connection&> write_blocking(F fn, WriteOptions options = {}) {
    using R = std::invoke_result_t<F&, sql::Connection&>;
    std::optional<R> slot;
    const Result<void> done = run_blocking(
        [&](sql::Connection& db) -> Result<void> {
          slot = fn(db);
          if (!slot->has_value()) return fail(Error(slot->error()));
          return {};
        },
        options);
    if (!done) return R(fail(Error(done.error())));
    return std::move(*slot);
  }

  /// Many at once, each on its own (one that fails takes none of the others along), sharing as few commits as the
  /// batches allow. What came of them, in their order; at most `queue_max` of them. Blocks, as above.
  std::vector<Result<void>> write_each_blocking(std::vector<WriteFn> fns, WriteOptions options = {});

  /// Queues a write nobody waits for. Lost if the process dies first; failures are logged.
  /// `fn` touches nothing that a cache holds. `then`: called on the writer's thread once it is as safe as Ack::process.
  void write_later(WriteFn fn, std::move_only_function<void()> then = {});

  /// A point lookup on the calling thread: at most a few B-tree descents, all of one moment, which is no earlier than
  /// any commit that somebody was told of. `fn(Connection&) -> Result<T>`.
  template <class F>
  std::invoke_result_t<F&, sql::Connection&> peek(F fn) {
    return look(epochs_.moment(), fn);
  }

  /// A query of any size on the reading pool. Sees what is in the file, also if another program has changed it.
  template <class F>
  io::Task<std::invoke_result_t<F&, sql::Connection&>> read(F fn) {
    co_return co_await io::offload(*read_pool_,
                                   [this, fn = std::move(fn)]() mutable { return look(std::nullopt, fn); });
  }

  const Epochs& epochs() const { return epochs_; }

  /// A sync of the database failed: the last commits may or may not be there after a restart, and nothing is written
  /// until then. Whoever failed to commit must not clean up what the commit would have named.
  bool outcome_unknown() const { return poisoned_.load(); }
  /// Operations waiting for the writer.
  std::size_t queue_depth() const;
  /// Queries waiting for the reading pool.
  std::size_t read_queue_depth() const { return read_pool_->queue_depth(); }
  std::uint64_t commit_count() const { return commits_.load(std::memory_order_relaxed); }
  /// Runs what is queued, then joins. Idempotent.
  void stop();

 private:
  struct Op {
    WriteFn fn;
    WriteOptions options;
    std::move_only_function<void(Result<void>)> ack;
    Result<void> outcome;
  };
  struct Borrowed {
    Borrowed(Store& s, std::optional<std::uint64_t> moment);
    ~Borrowed();
    Store& store;
    std::optional<std::uint64_t> moment;  // of what it looks at; nullopt: of none that comes again
    std::unique_ptr<sql::Connection> connection;
    Result<void> error;
  };

  template <class F>
  std::invoke_result_t<F&, sql::Connection&> look(std::optional<std::uint64_t> moment, F& fn) {
    Borrowed reader(*this, moment);
    if (!reader.error.has_value()) return fail(Error(reader.error.error()));
    auto out = fn(*reader.connection);
    if (!out) reader.connection->look_away();  // what failed is not stood upon
    return out;
  }

  template <class R, class F>
  static WriteFn as_write(std::shared_ptr<std::optional<R>> slot, F fn) {
    return [slot = std::move(slot), fn = std::move(fn)](sql::Connection& db) mutable -> Result<void> {
      *slot = fn(db);
      if (!slot->value().has_value()) return fail(Error(slot->value().error()));
      return {};
    };
  }

  Store(Options options, Hooks hooks, const Clock& clock, const Log& log);
  Result<void> start();
  Result<void> open_writer();
  Result<void> open_readers();
  Result<std::unique_ptr<sql::Connection>> open_connection(sql::SqliteOptions::Mode mode);
  std::unique_ptr<sql::Connection> take_idle_reader();  // nullptr: all are in use
  bool keep_idle(std::unique_ptr<sql::Connection>& reader, std::optional<std::uint64_t> moment);
  void enqueue(Op op);
  Result<void> run_blocking(WriteFn fn, WriteOptions options);
  void writer_loop();
  std::vector<Op> take_batch();
  void run_batch(std::vector<Op>& batch);
  Result<void> run_transaction(std::vector<Op*>& ops);
  Result<void> commit_all(std::vector<Op*>& ops);
  Result<void> run_op(Op& op);
  void maintain();
  void note_failed_sync(const Error& error);

  Options options_;
  Hooks hooks_;
  const Clock& clock_;
  const Log& log_;
  std::unique_ptr<sql::Connection> writer_;
  Epochs epochs_;

  mutable std::mutex mutex_;  // guards: queue_, stopping_
  std::condition_variable wake_;
  std::deque<Op> queue_;
  bool stopping_ = false;
  io::Worker thread_;
  std::atomic<std::uint64_t> commits_{0};
  std::atomic<bool> poisoned_{false};  // set by the writer when a sync fails, for good; see run_transaction

  std::mutex readers_mutex_;  // guards: idle_readers_
  std::vector<std::unique_ptr<sql::Connection>> idle_readers_;
  std::unique_ptr<io::BlockingPool> read_pool_;
};

}  // namespace berth::meta
