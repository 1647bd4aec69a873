#include "app/server.h"

#include "api/error_response.h"
#include "api/request_observer.h"
#include "api/server_handler.h"
#include "app/account_services.h"
#include "app/certificate_watch.h"
#include "app/data_dir.h"
#include "app/descriptors.h"
#include "app/server_metrics.h"
#include "app/settings.h"
#include "blob/fs_store.h"
#include "io/periodic.h"
#include "io/worker.h"
#include "lifecycle/recovery.h"
#include "lifecycle/reserve.h"
#include "lifecycle/scrub.h"
#include "meta/kept_calls.h"
#include "meta/settings.h"
#include "meta/usage.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <thread>

namespace berth::app {

namespace {

constexpr std::int64_t kHousekeepingMs = 1'000;
constexpr std::int64_t kLogFlushMs = 200;
constexpr std::int64_t kTotalsMs = 60'000;
constexpr std::int64_t kForgetMs = 60'000;
constexpr std::int64_t kForgetMax = 1'000;
constexpr std::int64_t kDeadTokensMs = 30LL * 24 * 60 * 60 * 1000;  // shown as ended for a while
constexpr std::size_t kPlaceMax = 1'000;
constexpr std::size_t kExpireMax = 1'000;
constexpr std::size_t kDiskQueueMax = 10'000;
constexpr std::size_t kReadersReadyMax = 16;      // each costs a start half a millisecond
constexpr std::int64_t kScrubDelayMs = 60'000;    // after a start, and after a failure
constexpr std::int64_t kScrubRestMs = 3'600'000;  // between whole passes: a small store need not be read all day

unsigned io_threads(const ServeConfig& config) {
  return config.threads != 0 ? config.threads : std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace

// Members are built top to bottom and destroyed bottom to top: what is used stands above who uses it.
struct Server::Parts {
  ServeConfig config;      // its Live members may change while running
  ServeConfig configured;  // as it was asked for: the server bounds some of config itself
  DescriptorPlan descriptors;
  ServerSeams seams;
  SystemClock system_clock;
  SystemRandom system_random;
  Log log;
  const Clock& clock;
  Random& random;
  Metrics metrics;
  Sightings sightings;
  registry::SpaceGuard space;
  registry::SpaceMarks marks;
  std::atomic<bool> ballast_spent{false};  // set by the writer, cleared by housekeeping
  std::unique_ptr<DataDir> data;
  std::unique_ptr<io::FileSystem> wrapped_files;
  std::unique_ptr<io::BlockingPool> disk;
  std::unique_ptr<blob::FsStore> blobs;
  std::unique_ptr<meta::Store> store;
  std::unique_ptr<AccountServices> accounts;
  std::unique_ptr<auth::SubjectBudgets> budgets;
  std::unique_ptr<registry::Uploads> uploads;
  std::unique_ptr<registry::Blobs> blob_service;
  std::unique_ptr<registry::Manifests> manifests;
  std::unique_ptr<registry::Listings> listings;
  std::unique_ptr<api::RequestObserver> observer;
  std::unique_ptr<api::ServerHandler> handler;
  std::unique_ptr<api::ServerHandler> operator_handler;
  std::unique_ptr<io::Runtime> runtime;
  std::shared_ptr<const crypto::TlsContext> tls;  // shared: sessions outlive a reload
  CertificateWatch certificate_watch{clock, log};
  std::unique_ptr<http::Server> http;
  std::unique_ptr<http::Server> operator_http;  // of the metrics, if they have an address of their own
  std::vector<std::uint16_t> ports;             // of config.listen
  std::uint16_t metrics_port = 0;
  std::unique_ptr<io::Periodic> housekeeping;
  std::unique_ptr<io::Periodic> scrubbing;
  std::unique_ptr<io::Periodic> log_flushing;
  std::int64_t totals_due_ms = 0;
  std::int64_t forget_due_ms = 0;
  lifecycle::RecoveryReport recovered;  // its strays are reviewed in the background
  std::atomic<bool> stopping{false};
  io::Worker reviewing;
  meta::BlobId scrub_position = 0;

  Parts(ServeConfig c, ServerSeams s)
      : config(std::move(c)),
        configured(config),
        seams(std::move(s)),
        log(config.log_level, config.log_format),
        clock(seams.clock != nullptr ? *seams.clock : system_clock),
        random(seams.random != nullptr ? *seams.random : system_random) {}

  io::FileSystem& files() { return wrapped_files ? *wrapped_files : data->files(); }
  lifecycle::RecoveryDeps recovery() { return {*store, *blobs, clock, log}; }

  void bound(ServeConfig& wanted) const;
  Result<void> open_storage();
  void review_strays();
  void build_services();
  std::unique_ptr<http::Server> make_server(api::ServerHandler& door);
  Result<std::vector<int>> inherited_sockets(const ListenAddress& address) const;
  Result<std::uint16_t> listen_on(http::Server& server, const ListenAddress& address);
  Result<void> listen_everywhere();
  Result<std::shared_ptr<const crypto::TlsContext>> load_tls(const ServeConfig& from) const;
  void use_tls(std::shared_ptr<const crypto::TlsContext> next);
  Result<void> listen();
  void start_background();
  void check_space();
  void look_at_totals();
  std::vector<std::string> problems() const;
  void forget_old();
  void keep_house();
  void scrub(io::Periodic& self);
};

/// Of connections no more than there are descriptors left for.
void Server::Parts::bound(ServeConfig& wanted) const {
  wanted.http.connections_max = std::min(wanted.http.connections_max.get(), descriptors.connections_max);
}

Result<void> Server::Parts::open_storage() {
  BERTH_TRY(data, DataDir::open(config.data_dir, DataDir::Create::if_missing, random));
  if (seams.wrap_files) {
    BERTH_TRY(auto real, io::open_posix_file_system(config.data_dir));
    wrapped_files = seams.wrap_files(std::move(real));
  }
  disk = std::make_unique<io::BlockingPool>("disk", config.disk_threads, kDiskQueueMax);
  auto& syncs = metrics.histogram("berth_blob_sync_duration_seconds", "Syncs of uploaded files and of their folders.");
  BERTH_TRY(blobs, blob::FsStore::open_store(files(), *disk, descriptors.open_files, {&clock, &syncs}));
  meta::Store::Hooks hooks;
  hooks.sync_staging = [this] { return blobs->sync_staging(); };
  hooks.on_no_space = [this] {
    space.set(registry::SpaceLevel::stop);
    log.error("disk.full", {f("err", "the metadata store found no space; only deletes are accepted")});
  };
  hooks.release_reserve = [this] {
    ballast_spent = true;
    space.set(registry::SpaceLevel::stop);
    (void)lifecycle::drop_ballast(files());
    log.error("disk.reserve_released", {f("err", "the disk is full; the reserve is given to deletes")});
  };
  auto& commits = metrics.histogram("berth_meta_tx_duration_seconds", "Transactions of the database, syncs included.");
  auto& writes = metrics.counter("berth_meta_writes_total", "Writes committed.");
  hooks.on_commit = [&commits, &writes](std::size_t ops, std::int64_t duration_us) {
    commits.observe_us(duration_us);
    writes.add(ops);
  };
  hooks.wrap = seams.wrap_connection;
  const std::size_t readers =
      std::min<std::size_t>(io_threads(config) + 1, kReadersReadyMax);  // one more for housekeeping
  BERTH_TRY(store,
            meta::Store::open({.path = data->database_path(), .readers_ready = readers}, std::move(hooks), clock, log));
  // SQLite syncs the folder for its log, not for the database file itself.
  BERTH_TRYV(files().sync_dir("."));
  BERTH_TRYV(lifecycle::claim_store(*store, data->store_id(), config.data_dir));
  BERTH_TRY(recovered, lifecycle::recover(recovery(), read_boot_id()));
  const auto& r = recovered;
  if (r.placed + r.sessions_kept + r.sessions_restarted + r.files_removed + r.strays.size() > 0) {
    log.info("recovery.done",
             {f("placed", r.placed), f("sessions_kept", r.sessions_kept), f("sessions_restarted", r.sessions_restarted),
              f("files_removed", r.files_removed), f("strays", r.strays.size())});
  }
  return {};
}

void Server::Parts::review_strays() {
  lifecycle::RecoveryReport report;
  lifecycle::review_strays(recovery(), recovered.strays, [this](std::size_t) { return !stopping.load(); }, report);
  log.info("recovery.strays_reviewed", {f("placed", report.placed), f("files_removed", report.files_removed)});
}

void Server::Parts::build_services() {
  budgets =
      std::make_unique<auth::SubjectBudgets>(auth::SubjectBudgets::Deps{config.subject_limits, clock, random, metrics});
  uploads = std::make_unique<registry::Uploads>(
      registry::Uploads::Deps{*store, *blobs, *blobs, *disk, space, clock, random, log, config.limits});
  blob_service = std::make_unique<registry::Blobs>(
      registry::Blobs::Deps{*store, *blobs, *blobs, *disk, clock, log, config.limits});
  manifests =
      std::make_unique<registry::Manifests>(registry::Manifests::Deps{*store, *disk, space, clock, log, config.limits});
  listings = std::make_unique<registry::Listings>(*store, config.limits);
  register_metrics(metrics, {log, *disk, accounts->passwords(), accounts->outbound(), accounts->provider(), *store,
                             *uploads, *blob_service, *manifests, space, sightings});
  observer = std::make_unique<api::RequestObserver>(
      api::RequestObserver::Deps{clock, random, log, metrics, config.http.trusted_proxies, config.access_log});
  const auto services = [this](api::Face face) {
    return api::Services{.uploads = *uploads,
                         .blobs = *blob_service,
                         .manifests = *manifests,
                         .listings = *listings,
                         .limits = config.limits,
                         .budgets = *budgets,
                         .auth = accounts->auth(),
                         .admin = accounts->admin(),
                         .clock = clock,
                         .random = random,
                         .log = log,
                         .anonymous = config.anonymous.value_or(api::Anonymous::write),
                         .deletes = config.deletes,
                         .observer = *observer,
                         .metrics = metrics,
                         .face = face,
                         .problems = [this] { return problems(); }};
  };
  const bool alone = config.metrics != MetricsMode::with_the_rest;
  handler = std::make_unique<api::ServerHandler>(services(alone ? api::Face::registry : api::Face::everything));
  operator_handler = std::make_unique<api::ServerHandler>(services(api::Face::operator_only));
}

/// Why the server should get no traffic at the moment.
std::vector<std::string> Server::Parts::problems() const {
  std::vector<std::string> out;
  if (stopping) out.emplace_back("the server is stopping");
  if (store->outcome_unknown()) out.emplace_back("the disk of the database failed: reads only until a restart");
  if (space.level() == registry::SpaceLevel::hard)
    out.emplace_back("the disk is nearly full: uploads are refused until space is freed");
  if (space.level() == registry::SpaceLevel::stop)
    out.emplace_back("the disk is full: only deletes are accepted until space is freed");
  return out;
}

void Server::Parts::look_at_totals() {
  if (clock.mono_ms() < totals_due_ms) return;
  totals_due_ms = clock.mono_ms() + kTotalsMs;
  const auto totals = store->peek([](sql::Connection& db) { return meta::store_totals(db); });
  if (!totals) return;
  sightings.repositories = totals->repositories;
  sightings.tags = totals->tags;
  sightings.manifests = totals->manifests;
  sightings.used_bytes = totals->used_bytes;
}

std::unique_ptr<http::Server> Server::Parts::make_server(api::ServerHandler& door) {
  return std::make_unique<http::Server>(
      http::Server::Deps{*runtime, clock, log}, config.http,
      [&door](http::Exchange& exchange) { return door.handle(exchange); },
      [](const Error& error) { return api::error_response(error); });
}

/// The sockets of the service manager that an address of the kind "systemd" means.
Result<std::vector<int>> Server::Parts::inherited_sockets(const ListenAddress& address) const {
  std::vector<int> out;
  for (const InheritedSocket& socket : config.inherited) {
    if (address.host.empty() || socket.name == address.host) out.push_back(socket.descriptor);
  }
  if (!out.empty()) return out;
  return fail(Errc::unavailable, "cannot listen on " + to_text(address) +
                                     ": the service manager handed over no such socket (is the .socket unit active?)");
}

Result<std::uint16_t> Server::Parts::listen_on(http::Server& server, const ListenAddress& address) {
  http::ListenAddress wanted{.tls = uses_tls(config, address), .proxy_protocol = config.proxy_protocol};
  switch (address.kind) {
    case ListenAddress::Kind::tcp:
      wanted.host = address.host;
      wanted.port = address.port;
      break;
    case ListenAddress::Kind::unix_socket: wanted.unix_path = address.host; break;
    case ListenAddress::Kind::inherited: {
      BERTH_TRY(const auto sockets, inherited_sockets(address));
      for (const int descriptor : sockets) {
        wanted.descriptor = descriptor;
        BERTH_TRYV(server.listen(wanted));
      }
      return std::uint16_t{0};  // as the service manager was told
    }
  }
  return server.listen(wanted);
}

Result<std::shared_ptr<const crypto::TlsContext>> Server::Parts::load_tls(const ServeConfig& from) const {
  if (from.tls_certificates.empty()) return nullptr;
  return crypto::TlsContext::load(tls_files(from), tls.get(), from.tls_clients);
}

void Server::Parts::use_tls(std::shared_ptr<const crypto::TlsContext> next) {
  if (!next) return;
  std::int64_t first_ms = INT64_MAX;
  for (const auto& certificate : next->certificates()) first_ms = std::min(first_ms, certificate.not_after_ms);
  sightings.certificate_expiry_ms = first_ms;
  certificate_watch.use(next->certificates());
  tls = std::move(next);
  http->set_tls(tls);
  if (operator_http) operator_http->set_tls(tls);
}

Result<void> Server::Parts::listen() {
  runtime = std::make_unique<io::Runtime>(io_threads(config));
  bound(config);
  http = make_server(*handler);
  if (config.metrics == MetricsMode::own_address) operator_http = make_server(*operator_handler);
  BERTH_TRY(auto context, load_tls(config));
  use_tls(std::move(context));
  register_connections(metrics, *http);
  const auto listening = listen_everywhere();
  // If the second address failed, the first one listens already: only its running core can close it again.
  runtime->start();
  return listening;
}

Result<void> Server::Parts::listen_everywhere() {
  for (const ListenAddress& address : config.listen) {
    BERTH_TRY(const std::uint16_t port, listen_on(*http, address));
    ports.push_back(port);
  }
  if (operator_http) {
    BERTH_TRY(metrics_port, listen_on(*operator_http, config.metrics_listen));
  }
  return {};
}

void Server::Parts::check_space() {
  auto now = files().space();
  if (!now) return;
  sightings.disk_total_bytes = now->total_bytes;
  sightings.disk_free_bytes = now->free_bytes;
  auto level = registry::space_level(*now, marks);
  if (level == registry::SpaceLevel::fine) {
    const auto kept = lifecycle::ensure_ballast(files());
    if (!kept) log.warn("disk.ballast_failed", {f("err", kept.error().cause)});
    if (kept && *kept) ballast_spent = false;
    now = files().space();  // a reserve made just now has taken of the room
    if (!now) return;
  }
  // What the reserve gave back is for deletes: until it is whole again nothing else may eat it.
  if (ballast_spent) level = registry::SpaceLevel::stop;
  if (level != space.level()) {
    log.warn("disk.level", {f("free_bytes", now->free_bytes), f("level", static_cast<int>(level))});
  }
  space.set_room(registry::upload_room_bytes(*now, marks));
  space.set(level);
}

/// Once a minute, a little at a time: entries of the audit log that are old enough, and secrets that ended long
/// ago, keys of calls that were done.
void Server::Parts::forget_old() {
  if (clock.mono_ms() < forget_due_ms || !accounts->directory().has_accounts()) return;
  forget_due_ms = clock.mono_ms() + kForgetMs;
  const std::int64_t now_ms = clock.now_ms();
  store->write_later([before_ms = now_ms - config.audit_keep_ms](sql::Connection& db) -> Result<void> {
    BERTH_TRYV(meta::forget_audit(db, before_ms, kForgetMax));
    return {};
  });
  store->write_later([before_ms = now_ms - kDeadTokensMs](sql::Connection& db) -> Result<void> {
    BERTH_TRYV(meta::forget_dead_tokens(db, before_ms, kForgetMax));
    return {};
  });
  store->write_later([before_ms = now_ms - meta::kKeptCallMs](sql::Connection& db) {
    return meta::forget_kept_calls(db, before_ms, kForgetMax);
  });
}

void Server::Parts::keep_house() {
  check_space();
  certificate_watch.look();
  look_at_totals();
  accounts->directory().look_for_accounts();
  forget_old();
  if (const auto placed = lifecycle::place_pending(recovery(), kPlaceMax, meta::Space::normal); !placed) {
    log.warn("housekeeping.place_failed", {f("err", placed.error().cause)});
  }
  if (const auto expired = uploads->expire(kExpireMax); !expired) {
    log.warn("housekeeping.expire_failed", {f("err", expired.error().cause)});
  }
}

void Server::Parts::scrub(io::Periodic& self) {
  std::uint64_t rate = config.scrub_bytes_per_second;
  if (rate == 0) return;
  lifecycle::Throttle throttle(rate);
  const blob::BlobMaintenance::Pace pace = [&](std::size_t bytes) {
    const std::uint64_t now = config.scrub_bytes_per_second;
    if (now == 0) return false;
    if (now != std::exchange(rate, now)) throttle = lifecycle::Throttle(now);  // a reload
    return self.pause_ms(throttle.pause_ms(bytes));
  };
  const auto whole = lifecycle::scrub_pass(
      {*store, *blobs, clock, log}, scrub_position, pace, [this](const lifecycle::ScrubReport& report) {
        sightings.scrubbed_blobs += report.checked;
        sightings.damaged_blobs += report.bad;
        scrub_position = report.position;
        store->write_later([text = std::to_string(report.position)](sql::Connection& db) {
          return meta::put_setting(db, "scrub_position", text);
        });
      });
  if (!whole) log.warn("scrub.failed", {f("err", whole.error().cause)});
  if (whole && *whole) self.pause_ms(kScrubRestMs);
}

void Server::Parts::start_background() {
  if (!recovered.strays.empty()) reviewing.start("strays", [this] { review_strays(); });
  log_flushing = std::make_unique<io::Periodic>("log", kLogFlushMs, [this](io::Periodic&) { log.flush_lines(); });
  if (!seams.housekeeping) return;
  housekeeping =
      std::make_unique<io::Periodic>("housekeeping", kHousekeepingMs, [this](io::Periodic&) { keep_house(); });
  accounts->start_background();
  // Goes on where the last process stopped: a store that is restarted often is walked to its end all the same.
  const auto saved = store->peek([](sql::Connection& db) { return meta::get_setting(db, "scrub_position"); });
  if (saved && *saved) std::from_chars((*saved)->data(), (*saved)->data() + (*saved)->size(), scrub_position);
  scrubbing = std::make_unique<io::Periodic>("scrub", kScrubDelayMs, [this](io::Periodic& self) { scrub(self); });
}

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Server::~Server() { stop(); }

Result<std::unique_ptr<Server>> Server::start(ServeConfig config, ServerSeams seams) {
  BERTH_TRYV(validate(config));
  std::unique_ptr<Server> server(new Server(std::make_unique<Parts>(std::move(config), std::move(seams))));
  Parts& p = *server->parts_;
  BERTH_TRY(p.descriptors, plan_descriptors(p.config.descriptors_max));
  BERTH_TRY(p.config.http.trusted_proxies, http::Networks::parse(p.config.trusted_proxies));
  if (!DataDir::exists(p.config.data_dir)) BERTH_TRYV(check_openness(p.config));
  BERTH_TRYV(p.open_storage());
  if (p.seams.lend_store) p.seams.lend_store(*p.store);
  p.check_space();
  BERTH_TRY(p.accounts, AccountServices::make({.config = p.config,
                                               .data_dir = p.data->path(),
                                               .store = *p.store,
                                               .clock = p.clock,
                                               .random = p.random,
                                               .log = p.log,
                                               .stopping = p.stopping}));
  p.build_services();
  BERTH_TRYV(p.listen());
  p.start_background();
  return server;
}

void Server::stop() {
  Parts& p = *parts_;
  if (!p.stopping.exchange(true) && p.http) {
    p.log.info("server.stopping", {f("connections", static_cast<std::uint64_t>(p.http->connection_count()))});
  }
  if (p.http) p.http->stop(p.config.drain_ms);
  if (p.operator_http) p.operator_http->stop(0);
  if (p.scrubbing) p.scrubbing->stop();
  if (p.accounts) p.accounts->stop_background();
  if (p.housekeeping) p.housekeeping->stop();
  p.reviewing.join();
  // Handlers may still be suspended on the pools: those finish first, then their cores.
  if (p.store) p.store->stop();
  if (p.disk) p.disk->stop();
  if (p.accounts) p.accounts->stop();
  if (p.runtime) p.runtime->stop();
  if (p.log_flushing) p.log_flushing->stop();
  p.log.flush_lines();
}

Result<Server::ReloadReport> Server::reload(const ServeConfig& next) {
  Parts& p = *parts_;
  BERTH_TRYV(validate(next));
  BERTH_TRY(auto accounts, p.accounts->prepare(next));
  BERTH_TRY(auto context, p.load_tls(next));
  ServeConfig bounded = next;
  p.bound(bounded);
  ReloadReport report;
  for (const Setting& setting : settings()) {
    const auto value = setting.get(next);
    if (value == setting.get(p.configured)) continue;
    if (!setting.reloadable) {
      report.need_restart.push_back(setting.key);
      continue;
    }
    BERTH_TRYV(setting.set(p.config, setting.get(bounded)));
    BERTH_TRYV(setting.set(p.configured, value));
    report.applied.push_back(setting.key);
  }
  p.use_tls(std::move(context));
  p.accounts->use(std::move(accounts));
  p.log.set_level(p.config.log_level);
  return report;
}

const Log& Server::log() const { return parts_->log; }
std::uint16_t Server::port() const { return parts_->http->port(); }

const std::vector<std::uint16_t>& Server::ports() const { return parts_->ports; }

std::uint16_t Server::metrics_port() const { return parts_->metrics_port; }
const ServeConfig& Server::config() const { return parts_->config; }
const std::string& Server::setup_secret() const { return parts_->accounts->setup_secret(); }
bool Server::has_accounts() const { return parts_->accounts->directory().has_accounts(); }
void Server::run_housekeeping() { parts_->keep_house(); }

}  // namespace berth::app
