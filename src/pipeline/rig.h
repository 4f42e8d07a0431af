// A whole pipeline for tests: memory store, manual clock, scripted endpoints, seeded randomness.
// A test can let the process die and start another over the same store.
#pragma once

#include <gtest/gtest.h>

#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "crypto/secret_box.h"
#include "doubles/drive.h"
#include "doubles/manual_clock.h"
#include "doubles/manual_timers.h"
#include "doubles/memory_store.h"
#include "doubles/scripted_sandbox.h"
#include "doubles/scripted_sender.h"
#include "pipeline/pipeline.h"

namespace grapnel::pipeline {

/// The store's event log, whose reads can be made to fail and are counted.
class WatchedLog final : public model::EventLog {
 public:
  explicit WatchedLog(model::EventLog& log) : log_(log) {}

  void fail_reads(bool fail) { reads_fail_ = fail; }
  /// Events read so far.
  std::size_t reads() const { return reads_; }

  async::Task<Result<std::vector<model::Appended>>> append(
      std::vector<model::EventDraft> drafts) override {
    return log_.append(std::move(drafts));
  }
  async::Task<Result<std::string>> write_body(std::shared_ptr<const std::string> body) override {
    return log_.write_body(std::move(body));
  }
  void drop_body(const std::string& name) override { log_.drop_body(name); }
  async::Task<Result<std::vector<model::EventPtr>>> held(model::SourceId source,
                                                         int limit) override {
    return log_.held(source, limit);
  }
  async::Task<Result<std::vector<model::Appended>>> fan_out(
      std::vector<model::FanoutDraft> drafts) override {
    return log_.fan_out(std::move(drafts));
  }
  async::Task<Result<std::vector<Result<model::EventPtr>>>> read(
      std::vector<model::EventRun> events) override {
    if (reads_fail_) co_return fail(model::errc::store_unavailable);
    reads_ += events.size();
    co_return co_await log_.read(std::move(events));
  }
  model::HeldWork held_work(model::SourceId source) const override {
    return log_.held_work(source);
  }

 private:
  model::EventLog& log_;
  bool reads_fail_ = false;
  std::size_t reads_ = 0;
};

struct RigOptions {
  std::uint64_t seed = 7;
  AttemptBounds bounds{};
  model::RetentionPolicy retention{};
};

/// What outlives a process.
struct World {
  explicit World(RigOptions wanted = {}) : options(wanted) {}

  RigOptions options;
  async::Loop loop;
  doubles::ManualClock system_clock;
  doubles::ManualTimers timers{loop, system_clock};
  doubles::MemoryStore store{loop, system_clock};
  WatchedLog event_log{store};
  SeededRandom random{options.seed};
  IdSource ids{store.clock(), random};
  telemetry::Metrics registry{{.version = "test"}};
  telemetry::Log log{system_clock, {.level = telemetry::Level::off}};
  crypto::SecretBox box{random, crypto::MasterKey::make(random)};
  crypto::KeyedDigest digest{crypto::Secret(std::string("a key of digests"))};
  doubles::ScriptedSender sender{timers};
  doubles::ScriptedSandbox sandbox{timers};
};

struct Rig : World {
  explicit Rig(RigOptions wanted = {}) : World(wanted) { start_process(); }
  ~Rig() {
    if (process) end_process();
  }

  const Dispatcher& dispatcher() const { return process->dispatcher(); }
  Ingest& ingest() { return process->ingest(); }

  void stop(async::Deadline deadline) { doubles::run(loop, process->stop(deadline)); }
  /// As on SIGTERM with no time left.
  void end_process() { stop(async::Deadline(timers.now())); }
  /// As on SIGKILL: nothing that is not durable by now ever will be.
  void crash() {
    store.crash();
    end_process();
    process.reset();
  }
  void start_again() {
    store.reopen();
    start_process();
  }
  void crash_and_start_again() {
    crash();
    start_again();
    settle();
  }

  model::Source make_source(const std::string& slug,
                            model::SourceMode mode = model::SourceMode::active) {
    model::Source source;
    source.id = ids.make<model::SourceId>();
    source.slug = slug;
    source.mode = mode;
    return put(source);
  }
  model::Source put(model::Source source) {
    const auto known = store.snapshot()->find_source(source.id);
    const auto done = doubles::run(
        loop, store.commit({model::PutSource{source, known ? known->source.revision : 0}}));
    EXPECT_TRUE(done) << done.error().message();
    return (*done)->find_source(source.id)->source;
  }
  model::Action make_action(const model::Source& source, const std::string& name) {
    model::Action action;
    action.id = ids.make<model::ActionId>();
    action.source = source.id;
    action.name = name;
    action.target_url = "http://endpoint.test/" + name;
    return put(action);
  }
  model::Action put(model::Action action) {
    const auto known = store.snapshot()->find_action(action.id);
    const auto done =
        doubles::run(loop, store.commit({model::PutAction{action, known ? known->revision : 0}}));
    EXPECT_TRUE(done) << done.error().message();
    return *(*done)->find_action(action.id);
  }
  model::Action action(model::ActionId id) { return *store.snapshot()->find_action(id); }
  model::Source current(model::SourceId id) { return store.snapshot()->find_source(id)->source; }

  static model::HttpRequest request(const std::string& slug, std::string body = "{}",
                                    model::HeaderList headers = {}) {
    model::HttpRequest request;
    request.method = "POST";
    request.target = "/webhooks/" + slug;
    request.headers = std::move(headers);
    request.body = std::move(body);
    return request;
  }
  std::expected<Receipt, Refusal> receive(const std::string& slug, std::string body = "{}",
                                          model::HeaderList headers = {}) {
    return doubles::run(loop,
                        ingest().receive(slug, request(slug, std::move(body), std::move(headers))));
  }
  std::vector<model::Delivery> deliveries() {
    auto page = doubles::run(loop, store.deliveries({.limit = model::kPageMax}));
    EXPECT_TRUE(page);
    return page ? page->items : std::vector<model::Delivery>{};
  }
  model::Delivery only_delivery() {
    const auto all = deliveries();
    EXPECT_EQ(all.size(), 1U);
    return all.empty() ? model::Delivery{} : all.front();
  }
  model::Delivery delivery(model::DeliveryId id) {
    const auto found = doubles::run(loop, store.delivery(id));
    EXPECT_TRUE(found && *found);
    return found && *found ? **found : model::Delivery{};
  }
  int count(model::DeliveryState state) {
    int count = 0;
    for (const auto& [seq, row] : store.tables().deliveries()) {
      count += row.delivery.state == state ? 1 : 0;
    }
    return count;
  }
  /// Calls that went to the action of that name.
  int calls_to(std::string_view name) const {
    int count = 0;
    for (const auto& call : sender.calls()) count += call.call.url.ends_with(name) ? 1 : 0;
    return count;
  }
  void settle() { doubles::run_ready(loop); }
  void advance(Millis time) {
    timers.advance(time);
    settle();
  }

  std::unique_ptr<Pipeline> process;  ///< what dies with a process

 private:
  void start_process() {
    process = std::make_unique<Pipeline>(Pipeline::Parts{.executor = loop.get_executor(),
                                                         .timers = timers,
                                                         .system_clock = system_clock,
                                                         .store = {.clock = store.clock(),
                                                                   .registry = store,
                                                                   .log = event_log,
                                                                   .book = store,
                                                                   .catalog = store,
                                                                   .upkeep = store},
                                                         .random = random,
                                                         .ids = ids,
                                                         .sender = sender,
                                                         .sandbox = sandbox,
                                                         .box = box,
                                                         .digest = digest,
                                                         .pool = nullptr,
                                                         .metrics = registry,
                                                         .log_lines = log,
                                                         .retention = options.retention,
                                                         .bounds = options.bounds});
    process->start();
  }
};

}  // namespace grapnel::pipeline
