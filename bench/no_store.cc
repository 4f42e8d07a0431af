// The relay with the store left out: the same server, ingest, dispatch and client, over a log and a
// book that keep what is under way in memory and make nothing durable. What the relay reaches here
// is what the store can take from it at most (bench/relay.py).
//
//   bench_no_store TARGET_URL active|paused    prints its port; ends with its standard input and
//                                              prints how many deliveries ended
#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <optional>
#include <thread>
#include <unordered_map>

#include "async/deadline.h"
#include "async/scope.h"
#include "crypto/secret_box.h"
#include "drivers/http/client.h"
#include "drivers/http/server.h"
#include "drivers/js/sandbox_pool.h"
#include "drivers/sqlite/store.h"
#include "model/errors.h"
#include "pipeline/pipeline.h"
#include "surface/api/handler.h"

namespace grapnel {
namespace {

/// Everything under way, in memory. On the loop's thread.
class Nothing final : public model::EventLog, public model::DeliveryBook {
 public:
  Nothing(async::Executor executor, const Clock& clock) : executor_(executor), clock_(clock) {}

  /// Deliveries that nobody leases are forgotten: their action is paused.
  void forget_pending() { forgets_ = true; }
  std::int64_t ended() const { return ended_; }

  async::Task<Result<std::vector<model::Appended>>> append(
      std::vector<model::EventDraft> drafts) override {
    co_await boost::asio::post(executor_, async::use_task);
    std::vector<model::Appended> out;
    out.reserve(drafts.size());
    model::ActionId waits;
    for (auto& draft : drafts) {
      model::Appended done{.event = draft.event.id, .seq = ++seq_};
      for (const auto& plan : draft.plan.deliveries) {
        model::BornDelivery born{.id = plan.id, .seq = ++seq_};
        if (plan.birth == model::Birth::leased) {
          born.fence = ++fence_;
        } else if (!forgets_) {
          waits = plan.action;
          keep(draft.event, done.seq, plan, born.seq);
        }
        done.deliveries.push_back(born);
      }
      out.push_back(std::move(done));
    }
    if (!pending_.empty() && watcher_) watcher_({{.action = waits, .due = clock_.wall()}});
    co_return out;
  }
  async::Task<Result<std::vector<Result<model::EventPtr>>>> read(
      std::vector<model::EventRun> events) override {
    std::vector<Result<model::EventPtr>> out;
    for (const auto& [seq, run] : events) {
      auto kept = events_.extract(seq);
      out.emplace_back(kept ? std::move(kept.mapped()) : nullptr);
    }
    co_return out;
  }
  async::Task<Result<model::LeaseBatch>> lease(std::vector<model::LeaseWish> wishes) override {
    co_await boost::asio::post(executor_, async::use_task);
    model::LeaseBatch out;
    for (const auto& wish : wishes) {
      for (int i = 0; i < wish.count && !pending_.empty(); ++i) {
        out.leases.push_back({.delivery = std::move(pending_.front()), .fence = ++fence_});
        pending_.pop_front();
      }
      out.next_due.emplace_back(
          wish.action, pending_.empty() ? std::nullopt : std::optional(pending_.front().due));
    }
    co_return out;
  }
  async::Task<Result<std::vector<model::Settled>>> settle(
      std::vector<model::Settlement> settlements) override {
    co_await boost::asio::post(executor_, async::use_task);
    ended_ += std::ranges::count(settlements, model::Settlement::Kind::delivered,
                                 &model::Settlement::kind);
    co_return std::vector<model::Settled>(settlements.size());
  }
  void watch_work(std::function<void(const std::vector<model::WorkHint>&)> watcher) override {
    watcher_ = std::move(watcher);
  }

  // What this benchmark never asks for.
  async::Task<Result<std::string>> write_body(std::shared_ptr<const std::string>) override {
    co_return none();
  }
  void drop_body(const std::string&) override {}
  async::Task<Result<std::vector<model::EventPtr>>> held(model::SourceId, int) override {
    co_return none();
  }
  async::Task<Result<std::vector<model::Appended>>> fan_out(
      std::vector<model::FanoutDraft>) override {
    co_return none();
  }
  model::HeldWork held_work(model::SourceId) const override { return {}; }
  async::Task<Result<std::vector<Result<model::DeliveryState>>>> cancel(
      std::vector<model::DeliveryId>) override {
    co_return none();
  }
  async::Task<Result<model::Delivery>> retry_now(model::DeliveryId) override { co_return none(); }
  async::Task<Result<model::Delivery>> skip(model::DeliveryId) override { co_return none(); }
  async::Task<Result<std::vector<Result<model::Delivery>>>> replay(
      std::vector<model::ReplayWish>) override {
    co_return none();
  }
  async::Task<Result<model::ReplayJob>> start_job(model::ReplayJob) override { co_return none(); }
  async::Task<Result<model::ReplayJob>> step_job(model::JobId,
                                                 std::vector<model::DeliveryId>) override {
    co_return none();
  }
  async::Task<Result<model::ReplayJob>> cancel_job(model::JobId) override { co_return none(); }
  async::Task<Result<std::vector<model::ReplayJob>>> jobs() override {
    co_return std::vector<model::ReplayJob>();
  }
  model::OpenWork open_work(model::ActionId) const override { return {}; }

 private:
  static std::unexpected<Error> none() { return fail(model::errc::not_found); }
  void keep(const model::Event& event, model::Seq event_seq, const model::DeliveryPlan& plan,
            model::Seq seq) {
    auto copy = std::make_shared<model::Event>(event);
    copy->seq = event_seq;
    events_[event_seq] = std::move(copy);
    model::Delivery delivery{.id = plan.id};
    delivery.seq = seq;
    delivery.event = event.id;
    delivery.event_seq = event_seq;
    delivery.action = plan.action;
    delivery.source = event.source;
    delivery.state = model::DeliveryState::running;
    delivery.body_size = event.body_size;
    delivery.due = clock_.wall();
    pending_.push_back(std::move(delivery));
  }

  async::Executor executor_;
  const Clock& clock_;
  bool forgets_ = false;
  model::Seq seq_ = 0;
  model::Fence fence_ = 0;
  std::int64_t ended_ = 0;
  std::deque<model::Delivery> pending_;
  std::unordered_map<model::Seq, model::EventPtr> events_;
  std::function<void(const std::vector<model::WorkHint>&)> watcher_;
};

/// One source "bench" whose only action is `target`.
std::vector<model::RegistryChange> definitions(IdSource& ids, const std::string& target,
                                               model::DesiredState desired) {
  model::Source source{.id = ids.make<model::SourceId>(), .slug = "bench", .name = "bench"};
  model::Action action{.id = ids.make<model::ActionId>(), .source = source.id, .name = "bench"};
  action.target_url = target;
  action.desired = desired;
  action.max_in_flight = 64;
  return {model::PutSource{source, 0}, model::PutAction{action, 0}};
}

class Bench {
 public:
  Bench(std::string folder, std::string target, model::DesiredState desired)
      : folder_(std::move(folder)), target_(std::move(target)), desired_(desired) {}
  ~Bench() { loop_.stop(); }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  int run() {
    auto opened = sqlite::Store::open({.data_dir = folder_}, clock_, random_, loop_.get_executor());
    if (!opened) {
      fmt::print(stderr, "bench_no_store: {}\n", opened.error().message());
      return EXIT_FAILURE;
    }
    store_ = std::move(*opened);
    ids_.emplace(store_->ports().clock, random_);
    if (desired_ == model::DesiredState::paused) nothing_.forget_pending();
    scope_.spawn(start());
    std::thread([this] {  // ends with our standard input
      while (std::getchar() != EOF) {
      }
      boost::asio::post(loop_, [this] { scope_.spawn(stop()); });
    })
        .detach();
    loop_.run();
    fmt::print("{}\n", nothing_.ended());
    store_->stop();
    return EXIT_SUCCESS;
  }

 private:
  /// Of a store, but what a commit does.
  model::StorePorts ports() {
    model::StorePorts all = store_->ports();
    return {.clock = all.clock,
            .registry = all.registry,
            .log = nothing_,
            .book = nothing_,
            .catalog = all.catalog,
            .upkeep = all.upkeep};
  }

  async::Task<> start() {
    const auto made =
        co_await store_->ports().registry.commit(definitions(*ids_, target_, desired_));
    if (!made) std::abort();
    pipeline_.emplace(pipeline::Pipeline::Parts{.executor = loop_.get_executor(),
                                                .timers = timers_,
                                                .system_clock = clock_,
                                                .store = ports(),
                                                .random = random_,
                                                .ids = *ids_,
                                                .sender = client_,
                                                .sandbox = sandbox_,
                                                .box = box_,
                                                .digest = digest_,
                                                .pool = nullptr,
                                                .metrics = metrics_,
                                                .log_lines = log_});
    pipeline_->start();
    handler_.emplace(api::PublicHandler::Parts{.executor = loop_.get_executor(),
                                               .timers = timers_,
                                               .ports = {.store = ports(),
                                                         .random = random_,
                                                         .ids = *ids_,
                                                         .box = box_,
                                                         .digest = digest_,
                                                         .wall = clock_,
                                                         .quarantine = pipeline_->quarantine(),
                                                         .sender = client_,
                                                         .sandbox = sandbox_,
                                                         .job_started = [] {}},
                                               .ingest = pipeline_->ingest(),
                                               .journal = log_,
                                               .metrics = metrics_,
                                               .auth = {}});
    server_.emplace(loop_.get_executor(), http::ServerOptions{.address = "127.0.0.1", .port = 0},
                    *handler_);
    if (auto started = server_->start(); !started) std::abort();
    fmt::print("{}\n", server_->port());
    std::fflush(stdout);
  }

  async::Task<> stop() {
    const auto soon = async::Deadline(timers_.now() + Millis{2'000});
    pipeline_->begin_drain();
    co_await server_->stop(soon);
    co_await handler_->stop();
    co_await pipeline_->stop(soon);
    co_await client_.stop();
    loop_.stop();
  }

  const std::string folder_;
  const std::string target_;
  const model::DesiredState desired_;
  SystemClock clock_;
  SystemRandom random_;
  async::Loop loop_{1};
  async::SystemTimers timers_{loop_.get_executor()};
  telemetry::Log log_{clock_, {.level = telemetry::Level::error}};
  telemetry::Metrics metrics_{{.version = "bench"}};
  crypto::SecretBox box_{random_, crypto::MasterKey::make(random_)};
  crypto::KeyedDigest digest_{crypto::Secret(std::string("a key of digests"))};
  http::Resolver resolver_{loop_.get_executor()};
  js::SandboxPool sandbox_{loop_.get_executor(), timers_, {}};
  http::Client client_{loop_.get_executor(), resolver_, http::EgressGuard::allow_all()};
  Nothing nothing_{loop_.get_executor(), clock_};
  std::unique_ptr<sqlite::Store> store_;
  std::optional<IdSource> ids_;
  std::optional<pipeline::Pipeline> pipeline_;
  std::optional<api::PublicHandler> handler_;
  std::optional<http::Server> server_;
  async::Scope scope_{loop_.get_executor()};
};

}  // namespace
}  // namespace grapnel

int main(int argc, char** argv) {
  const std::string_view mode = argc == 3 ? argv[2] : "";
  if (mode != "active" && mode != "paused") {
    fmt::print(stderr, "usage: bench_no_store TARGET_URL active|paused\n");
    return EXIT_FAILURE;
  }
  std::string folder = std::filesystem::temp_directory_path() / "grapnel-bench-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) return EXIT_FAILURE;
  const int code = [&] {
    grapnel::Bench bench(folder, argv[1],
                         mode == "paused" ? grapnel::model::DesiredState::paused
                                          : grapnel::model::DesiredState::active);
    return bench.run();
  }();
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  return code;
}
