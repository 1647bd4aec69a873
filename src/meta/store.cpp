#include "meta/store.h"

#include "meta/migrations.h"

#include <algorithm>
#include <future>
#include <utility>

namespace berth::meta {

Result<std::unique_ptr<Store>> Store::open(Options options, Hooks hooks, const Clock& clock, const Log& log) {
  std::unique_ptr<Store> store(new Store(std::move(options), std::move(hooks), clock, log));
  BERTH_TRYV(store->start());
  return store;
}

Store::Store(Options options, Hooks hooks, const Clock& clock, const Log& log)
    : options_(std::move(options)), hooks_(std::move(hooks)), clock_(clock), log_(log) {}

Store::~Store() { stop(); }

/// Even to look at a database takes some room: its log and the log's index are made anew after a clean stop.
Result<void> Store::start() {
  auto opened = open_writer();
  if (!opened && opened.error().code == Errc::no_space && hooks_.release_reserve) {
    hooks_.release_reserve();
    opened = open_writer();
  }
  if (!opened && opened.error().code == Errc::no_space) {
    return fail(Errc::no_space, "the disk is full: free some space on it, then try again", opened.error().cause);
  }
  BERTH_TRYV(opened);
  BERTH_TRYV(open_readers());
  read_pool_ = std::make_unique<io::BlockingPool>("db-read", options_.read_threads, options_.read_queue_max);
  thread_.start("db-write", [this] { writer_loop(); });
  return {};
}

Result<void> Store::open_writer() {
  BERTH_TRY(writer_, open_connection(sql::SqliteOptions::Mode::writer));
  return migrate(*writer_, clock_.now_ms());
}

Result<void> Store::open_readers() {
  const std::lock_guard lock(readers_mutex_);
  while (idle_readers_.size() < options_.readers_ready) {
    BERTH_TRY(auto connection, open_connection(sql::SqliteOptions::Mode::reader));
    idle_readers_.push_back(std::move(connection));
  }
  return {};
}

void Store::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
  if (read_pool_) read_pool_->stop();
  {
    const std::lock_guard lock(readers_mutex_);
    idle_readers_.clear();
  }
  writer_.reset();
}

Result<std::unique_ptr<sql::Connection>> Store::open_connection(sql::SqliteOptions::Mode mode) {
  BERTH_TRY(auto connection, sql::open_sqlite({.path = options_.path, .mode = mode}));
  if (hooks_.wrap) connection = hooks_.wrap(std::move(connection));
  return connection;
}

Store::Borrowed::Borrowed(Store& s, std::optional<std::uint64_t> m) : store(s), moment(m) {
  connection = store.take_idle_reader();
  if (!connection) {
    auto opened = store.open_connection(sql::SqliteOptions::Mode::reader);
    if (!opened) {
      error = fail(std::move(opened).error());
      return;
    }
    connection = *std::move(opened);
  }
  error = connection->look_at(moment);
}

Store::Borrowed::~Borrowed() {
  if (!connection || store.keep_idle(connection, moment)) return;
  connection->look_away();
  const std::lock_guard lock(store.readers_mutex_);
  store.idle_readers_.push_back(std::move(connection));
}

/// Puts it back with what it looks at, unless nobody can use that any more: then it is to look away first.
bool Store::keep_idle(std::unique_ptr<sql::Connection>& reader, std::optional<std::uint64_t> moment) {
  // The moment under the lock: maintain() raises it first, and then asks those that are idle to look away.
  const std::lock_guard lock(readers_mutex_);
  if (!moment || epochs_.moment() != moment) return false;
  idle_readers_.push_back(std::move(reader));
  return true;
}

std::unique_ptr<sql::Connection> Store::take_idle_reader() {
  const std::lock_guard lock(readers_mutex_);
  if (idle_readers_.empty()) return nullptr;
  auto out = std::move(idle_readers_.back());
  idle_readers_.pop_back();
  return out;
}

std::size_t Store::queue_depth() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

void Store::enqueue(Op op) {
  std::unique_lock lock(mutex_);
  if (!stopping_ && queue_.size() < options_.queue_max) {
    queue_.push_back(std::move(op));
    lock.unlock();  // or the writer would wake up only to wait for it
    wake_.notify_one();
    return;
  }
  lock.unlock();
  op.ack(fail(Errc::unavailable, "the server is busy; try again", "write queue full or stopping"));
}

Result<void> Store::run_blocking(WriteFn fn, WriteOptions options) {
  std::promise<Result<void>> promise;
  auto future = promise.get_future();
  enqueue(Op{std::move(fn), options, [&promise](Result<void> done) { promise.set_value(std::move(done)); }, {}});
  return future.get();
}

std::vector<Result<void>> Store::write_each_blocking(std::vector<WriteFn> fns, WriteOptions options) {
  std::vector<std::future<Result<void>>> answers;
  answers.reserve(fns.size());
  for (WriteFn& fn : fns) {
    std::promise<Result<void>> promise;
    answers.push_back(promise.get_future());
    enqueue(Op{std::move(fn),
               options,
               [promise = std::move(promise)](Result<void> done) mutable { promise.set_value(std::move(done)); },
               {}});
  }
  std::vector<Result<void>> out;
  out.reserve(answers.size());
  for (auto& answer : answers) out.push_back(answer.get());
  return out;
}

void Store::write_later(WriteFn fn, std::move_only_function<void()> then) {
  enqueue(Op{std::move(fn),
             {.ack = Ack::process, .touches = Touches::nothing()},
             [this, then = std::move(then)](const Result<void>& done) mutable {
               if (done && then) then();
               if (!done)
                 log_.warn("meta.write_later_failed",
                           {f("code", to_string(done.error().code)), f("err", done.error().cause)});
             },
             {}});
}

void Store::writer_loop() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    std::vector<Op> batch = take_batch();
    lock.unlock();
    run_batch(batch);
    batch.clear();  // what the closures own dies outside the lock
    maintain();     // after the answers: none of them depends on it
    lock.lock();
  }
}

/// From the front of the queue, at least one. Under the lock.
std::vector<Store::Op> Store::take_batch() {
  std::vector<Op> out;
  std::size_t bytes = 0;
  while (!queue_.empty() && out.size() < options_.batch_ops_max) {
    bytes += queue_.front().options.bytes;
    if (!out.empty() && bytes > options_.batch_bytes_max) break;
    out.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  return out;
}

void Store::run_batch(std::vector<Op>& batch) {
  const std::int64_t began_us = clock_.mono_us();
  std::vector<Op*> ops;
  ops.reserve(batch.size());
  for (Op& op : batch) ops.push_back(&op);
  Result<void> done = run_transaction(ops);
  if (done && hooks_.on_commit) hooks_.on_commit(ops.size(), clock_.mono_us() - began_us);
  if (!done && done.error().code == Errc::no_space) {
    // The disk is full: let through only what makes room, and give it the reserve.
    if (hooks_.on_no_space) hooks_.on_no_space();
    std::vector<Op*> reclaiming;
    for (Op* op : ops) {
      if (op->options.space == Space::reclaim) {
        reclaiming.push_back(op);
      } else {
        op->outcome = fail(Error(done.error()));
      }
    }
    if (!reclaiming.empty()) {
      if (hooks_.release_reserve) hooks_.release_reserve();
      done = run_transaction(reclaiming);
      if (!done) {
        for (Op* op : reclaiming) op->outcome = fail(Error(done.error()));
      }
    }
  } else if (!done) {
    for (Op* op : ops) op->outcome = fail(Error(done.error()));
    log_.error("meta.commit_failed", {f("code", to_string(done.error().code)), f("err", done.error().cause)});
  }
  for (Op& op : batch) op.ack(std::move(op.outcome));
}

/// One transaction over the closures. An error of a closure undoes that closure alone and is its outcome; a returned
/// error means that nothing at all was kept.
Result<void> Store::run_transaction(std::vector<Op*>& ops) {
  // After a failed sync the kernel may have dropped log pages that later commits would stand on: a commit that succeeds
  // after it could still be lost. Reads go on; writes wait for a restart, which writes the log anew (sql/sqlite_log.h).
  if (poisoned_)
    return fail(Errc::unavailable, "the registry's disk failed: it serves reads only until it is restarted");
  bool durable = false;
  bool staging = false;
  for (const Op* op : ops) {
    durable |= op->options.ack == Ack::durable;
    staging |= op->options.needs_staging_sync;
  }
  if (staging && hooks_.sync_staging) BERTH_TRYV(hooks_.sync_staging());
  BERTH_TRYV(writer_->set_durable_commits(durable));
  auto done = commit_all(ops);
  if (!done && writer_->in_transaction()) (void)writer_->rollback();
  if (const Error* failure = writer_->engine_failure(); failure != nullptr) note_failed_sync(*failure);
  return done;
}

Result<void> Store::commit_all(std::vector<Op*>& ops) {
  BERTH_TRYV(writer_->begin());
  for (Op* op : ops) BERTH_TRYV(run_op(*op));
  std::vector<Epochs::Stripe> stripes;
  bool everything = false;
  for (const Op* op : ops) {
    everything |= op->options.touches.is_everything();
    if (const auto stripe = op->options.touches.stripe()) stripes.push_back(*stripe);
  }
  std::ranges::sort(stripes);
  stripes.erase(std::ranges::unique(stripes).begin(), stripes.end());
  const Epochs::Change change(epochs_, std::move(stripes), everything);
  BERTH_TRYV(writer_->commit());
  commits_.fetch_add(1, std::memory_order_relaxed);
  return {};
}

/// Runs one closure in a savepoint and leaves what came of it in op.outcome. A returned error means that the
/// transaction itself is lost or cannot be told from a half-done one: the whole batch has to go.
Result<void> Store::run_op(Op& op) {
  BERTH_TRYV(writer_->execute("SAVEPOINT op"));
  op.outcome = op.fn(*writer_);
  // Without room nothing after it would work either, and what did so far cannot be committed for sure; after a failed
  // sync nothing can.
  if (const Error* failure = writer_->engine_failure(); failure != nullptr) return fail(Error(*failure));
  // An I/O error makes the engine drop the whole transaction, the earlier closures with it.
  if (!writer_->in_transaction()) {
    if (!op.outcome) return fail(Error(op.outcome.error()));
    return fail(Errc::io_failed, "the metadata store failed", "transaction lost");
  }
  if (!op.outcome) BERTH_TRYV(writer_->execute("ROLLBACK TO op"));
  BERTH_TRYV(writer_->execute("RELEASE op"));
  return {};
}

void Store::maintain() {
  if (poisoned_ || !writer_->needs_maintenance()) return;
  // What readers look at keeps the log from being begun anew. So nobody keeps what he looks at from here to the end, as
  // in a commit, and those who are idle let go of it.
  const Epochs::Change change(epochs_, {}, false);
  {
    const std::lock_guard lock(readers_mutex_);
    for (const auto& reader : idle_readers_) reader->look_away();
  }
  const auto done = writer_->maintain();
  if (done) return;
  log_.error("meta.maintenance_failed", {f("code", to_string(done.error().code)), f("err", done.error().cause)});
  note_failed_sync(done.error());
  // Nothing is lost: the log keeps it all, and grows until there is room in the database file.
  if (done.error().code == Errc::no_space && hooks_.on_no_space) hooks_.on_no_space();
}

void Store::note_failed_sync(const Error& error) {
  if (error.code != Errc::sync_failed || poisoned_.exchange(true)) return;
  log_.error("meta.read_only", {f("err", "a sync of the database failed: no writes until a restart; " + error.cause)});
}

}  // namespace berth::meta
