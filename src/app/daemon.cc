#include "app/daemon.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "app/certificate_reports.h"
#include "app/errors.h"
#include "app/keys.h"
#include "app/process_metrics.h"
#include "async/scope.h"
#include "base/version.h"
#include "crypto/token.h"
#include "drivers/http/client.h"
#include "drivers/http/server.h"
#include "drivers/js/sandbox_pool.h"
#include "drivers/sqlite/store.h"
#include "pipeline/pipeline.h"
#include "surface/api/handler.h"
#include "surface/api/ops_handler.h"
#include "telemetry/log.h"

namespace grapnel::app {
namespace {

/// Every connection and every attempt is a descriptor: take as many as the system gives.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

Result<> make_data_dir(const std::string& dir) {
  for (std::size_t at = dir.find('/', 1); at != std::string::npos; at = dir.find('/', at + 1)) {
    ::mkdir(dir.substr(0, at).c_str(), 0755);
  }
  if (::mkdir(dir.c_str(), 0700) != 0 && errno != EEXIST) {
    return fail(errc::file_failed,
                fmt::format("data_dir: cannot make {}: {}", dir, std::strerror(errno)));
  }
  return {};
}

/// A disk that hangs can hold the loop's own thread, when the store is closed: then the kernel's
/// alarm ends the process. What was acknowledged is durable, what runs is found as unknown.
void end_at_the_latest_in(Millis time) {
  std::signal(SIGALRM, [](int) {
    static constexpr std::string_view kLine =
        "grapnel: stopping took too long, the store does not answer; ended without it\n";
    [[maybe_unused]] const ssize_t told = ::write(STDERR_FILENO, kLine.data(), kLine.size());
    std::_Exit(EXIT_FAILURE);
  });
  ::alarm(static_cast<unsigned>(std::chrono::ceil<std::chrono::seconds>(time).count()));
}

http::ServerOptions server_options(const Config& config, const Endpoint& endpoint) {
  http::ServerOptions options;
  options.address = endpoint.address;
  options.port = endpoint.port;
  options.trusted_proxies = config.trusted_proxies;
  options.connections_max = config.limits.connections;
  options.body_bytes_in_flight_max = config.limits.body_bytes_in_flight;
  return options;
}

}  // namespace

/// The parts in the order in which they are made; they go in the opposite order.
class Daemon {
 public:
  explicit Daemon(const Config& config)
      : config_(config),
        log_(system_clock_, {.level = config.log.level, .format = config.log.format}),
        metrics_({.version = std::string(kVersion)}),
        certificates_(log_, metrics_),
        timers_(loop_.get_executor()),
        signals_(loop_, SIGTERM, SIGINT),
        scope_(loop_.get_executor()) {}
  /// Whatever could not start leaves tasks that never run.
  ~Daemon() { loop_.stop(); }
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  Result<> start() {
    raise_descriptor_limit();
    ::umask(0077);  // bodies and action headers are nobody else's to read
    std::signal(SIGPIPE, SIG_IGN);
    if (auto made = make_data_dir(config_.data_dir); !made) return made;
    auto store = sqlite::Store::open({.data_dir = config_.data_dir,
                                      .wal_bytes_max = config_.limits.wal_bytes,
                                      .on_commit = commit_observer(metrics_)},
                                     system_clock_, random_, loop_.get_executor());
    if (!store) return std::unexpected(store.error());
    store_ = std::move(*store);
    if (auto keys = take_keys(); !keys) return keys;
    make_parts();
    pipeline_->start();
    public_handler_->start();
    if (auto listening = listen(); !listening) return listening;
    scope_.spawn(wait_for_signals());
    log_.info("started", {{"version", kVersion},
                          {"epoch", store_->epoch()},
                          {"data_dir", config_.data_dir},
                          {"sources", store_->ports().registry.snapshot()->slugs.size()}});
    scope_.spawn(probe_sandbox());
    scope_.spawn(begin_serving());
    return {};
  }

  void run() { loop_.run(); }

 private:
  Result<> take_keys() {
    auto keys = open_keys(config_, *store_->ports().registry.snapshot(), random_);
    if (!keys) return std::unexpected(keys.error());
    if (!keys->made_file.empty()) {
      log_.info("made a master key; keep a copy of it elsewhere", {{"file", keys->made_file}});
    }
    box_.emplace(std::move(keys->box));
    digest_.emplace(std::move(keys->digest));
    const auto sealed = finish(seal_anew(*box_, store_->ports().registry, config_.data_dir));
    if (!sealed) {
      return fail(Error{sealed.error().code,
                        fmt::format("cannot seal the secrets anew: {}", sealed.error().message())});
    }
    if (*sealed > 0) {
      log_.info("sealed all secrets anew under the current master key; older keys are not needed",
                {{"secrets", *sealed}, {"key", box_->key_name()}});
    }
    return {};
  }

  /// Runs the loop until the task ends. At the start only, when nothing is served yet.
  template <class T>
  T finish(async::Task<T> task) {
    std::optional<T> value;
    scope_.spawn(keep_value(std::move(task), value));
    {
      const auto work = boost::asio::make_work_guard(loop_);
      while (!value) loop_.run_one();
    }
    loop_.restart();  // out of work it counts as stopped
    return std::move(*value);
  }
  template <class T>
  static async::Task<> keep_value(async::Task<T> task, std::optional<T>& value) {
    value.emplace(co_await std::move(task));
  }

  void make_parts() {
    const auto executor = loop_.get_executor();
    body_pool_.emplace(executor, kBodyThreads);
    metrics_pool_.emplace(executor, kMetricsThreads);
    resolver_.emplace(executor);
    client_.emplace(executor, *resolver_, http::EgressGuard(config_.egress_allow));
    sandbox_.emplace(executor, timers_,
                     js::SandboxOptions{.allow_without = config_.scripts.allow_without,
                                        .workers = config_.scripts.workers});
    ids_.emplace(store_->ports().clock, random_);
    pipeline_.emplace(pipeline::Pipeline::Parts{.executor = executor,
                                                .timers = timers_,
                                                .system_clock = system_clock_,
                                                .store = store_->ports(),
                                                .random = random_,
                                                .ids = *ids_,
                                                .sender = *client_,
                                                .sandbox = *sandbox_,
                                                .box = *box_,
                                                .digest = *digest_,
                                                .pool = &*body_pool_,
                                                .metrics = metrics_,
                                                .log_lines = log_,
                                                .retention = config_.retention});
    make_handlers();
  }

  void make_handlers() {
    const auto executor = loop_.get_executor();
    api::AuthOptions auth;
    auth.mode = config_.api_auth == ApiAuth::none ? api::AuthMode::none : api::AuthMode::keys;
    if (!config_.api_key.reveal().empty()) {
      auth.environment_key_hash = crypto::token_hash(config_.api_key.reveal());
    }
    if (auth.mode == api::AuthMode::none) {
      log_.warn("api.auth is none: whoever reaches the port may do everything", {});
    }
    public_handler_.emplace(api::PublicHandler::Parts{
        .executor = executor,
        .timers = timers_,
        .ports = {.store = store_->ports(),
                  .random = random_,
                  .ids = *ids_,
                  .box = *box_,
                  .digest = *digest_,
                  .wall = system_clock_,
                  .quarantine = pipeline_->quarantine(),
                  .sender = *client_,
                  .sandbox = *sandbox_,
                  .job_started = [this] { pipeline_->replayer().wake(); }},
        .ingest = pipeline_->ingest(),
        .journal = log_,
        .metrics = metrics_,
        .auth = auth});
    ops_handler_.emplace(api::OpsHandler::Parts{.metrics = metrics_,
                                                .pool = &*metrics_pool_,
                                                .why_not_ready = [this] { return not_ready(); }});
    process_metrics_.emplace(ProcessMetrics::Parts{.metrics = metrics_,
                                                   .client = *client_,
                                                   .resolver = *resolver_,
                                                   .store = *store_,
                                                   .sandbox = *sandbox_,
                                                   .log = log_});
    sampled_ops_handler_.emplace(*ops_handler_, [this] { process_metrics_->sample(); });
  }

  /// Whether scripts can run is told at the start, not by the first that cannot.
  async::Task<> probe_sandbox() {
    co_await sandbox_->probe();
    const auto health = sandbox_->health();
    if (!health.available) {
      log_.warn("scripts are refused: there is no sandbox for them", {{"reason", health.reason}});
    } else if (!health.reason.empty()) {
      log_.warn("scripts run in a part of their sandbox only", {{"reason", health.reason}});
    }
  }

  async::Task<> begin_serving() {
    const auto first =
        co_await make_first_key(store_->ports().registry, *ids_, random_, config_.data_dir);
    if (!first) {
      log_.error("the first admin key cannot be made", {{"error", first.error().message()}});
    } else if (*first) {
      log_.info("made the first admin key", {{"file", (*first)->file}});
      if (::isatty(STDERR_FILENO) != 0) {
        fmt::print(stderr, "admin key: {}\n", (*first)->token.reveal());
      }
    }
    ready_ = true;
  }

  Result<> listen() {
    auto options = server_options(config_, config_.listen);
    options.tls = config_.tls;
    options.on_tls_reload = [this](const Result<>& reload) { certificates_.note(reload); };
    api_server_.emplace(loop_.get_executor(), std::move(options), *public_handler_);
    if (auto started = api_server_->start(); !started) return started;
    process_metrics_->add_server(*api_server_, "api");
    tell_listening("api", config_.listen, api_server_->port());
    if (!config_.metrics_listen) return {};
    ops_server_.emplace(loop_.get_executor(), server_options(config_, *config_.metrics_listen),
                        *sampled_ops_handler_);
    if (auto started = ops_server_->start(); !started) return started;
    process_metrics_->add_server(*ops_server_, "ops");
    tell_listening("ops", *config_.metrics_listen, ops_server_->port());
    return {};
  }

  void tell_listening(std::string_view surface, Endpoint endpoint, std::uint16_t port) {
    endpoint.port = port;
    log_.info("listening", {{"surface", surface}, {"address", endpoint.str()}});
  }

  std::optional<std::string> not_ready() const {
    if (stopping_) return "shutting down";
    if (!ready_) return "starting";
    const auto health = store_->ports().upkeep.health();
    if (!health.writable) return health.reason;
    return std::nullopt;
  }

  async::Task<> wait_for_signals() {
    boost::system::error_code error;
    const int first =
        co_await signals_.async_wait(boost::asio::redirect_error(async::use_task, error));
    if (error) co_return;
    stopping_ = true;
    log_.info("stopping", {{"signal", first == SIGTERM ? "SIGTERM" : "SIGINT"}});
    // An interrupt comes from a person at a terminal, not from a balancer that must notice first.
    scope_.spawn(stop(first == SIGTERM ? config_.shutdown.grace : Millis{0}));
    // A second one ends the process at once, also when a disk holds the loop's thread. What was
    // acknowledged is durable; what runs is found as unknown at the next start.
    signals_.clear(error);
    for (const int signal : {SIGTERM, SIGINT}) {
      std::signal(signal, [](int) { std::_Exit(EXIT_FAILURE); });
    }
  }

  async::Task<> stop(Millis grace) {
    end_at_the_latest_in(config_.shutdown.drain + kStopOverrun);
    const Monotonic began = timers_.now();
    const async::Deadline drained(began + config_.shutdown.drain);
    co_await timers_.sleep_for(grace);
    api_server_->begin_drain();
    pipeline_->begin_drain();
    co_await api_server_->stop(drained.within(timers_.now(), kServerStopMax));
    co_await public_handler_->stop();
    co_await pipeline_->stop(drained);
    if (ops_server_) co_await ops_server_->stop(drained.within(timers_.now(), kServerStopMax));
    co_await client_->stop();
    co_await sandbox_->stop(async::Deadline(timers_.now() + kSandboxStopMax));
    store_->stop();
    log_.info("stopped");
    signals_.cancel();
    loop_.stop();
  }

  const Config& config_;
  SystemClock system_clock_;
  SystemRandom random_;
  telemetry::Log log_;
  telemetry::Metrics metrics_;
  CertificateReports certificates_;
  async::Loop loop_{1};
  async::SystemTimers timers_;
  std::unique_ptr<sqlite::Store> store_;
  std::optional<crypto::SecretBox> box_;
  std::optional<crypto::KeyedDigest> digest_;
  std::optional<async::BlockingPool> body_pool_;
  std::optional<async::BlockingPool> metrics_pool_;
  std::optional<http::Resolver> resolver_;
  std::optional<http::Client> client_;
  std::optional<js::SandboxPool> sandbox_;
  std::optional<IdSource> ids_;
  std::optional<pipeline::Pipeline> pipeline_;
  std::optional<api::PublicHandler> public_handler_;
  std::optional<api::OpsHandler> ops_handler_;
  std::optional<ProcessMetrics> process_metrics_;
  std::optional<SamplingHandler> sampled_ops_handler_;
  std::optional<http::Server> api_server_;
  std::optional<http::Server> ops_server_;
  boost::asio::basic_signal_set<async::Executor> signals_;
  bool ready_ = false;
  bool stopping_ = false;
  async::Scope scope_;
};

Result<> serve(const Config& config) {
  Daemon daemon(config);
  if (auto started = daemon.start(); !started) return started;
  daemon.run();
  return {};
}

}  // namespace grapnel::app
