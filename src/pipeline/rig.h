// A whole pipeline for tests: memory store, manual clock, scripted endpoints, seeded randomness.
#pragma once

#include <gtest/gtest.h>

#include <expected>
#include <string>
#include <vector>

#include "crypto/secret_box.h"
#include "doubles/drive.h"
#include "doubles/manual_clock.h"
#include "doubles/manual_timers.h"
#include "doubles/memory_store.h"
#include "doubles/scripted_sender.h"
#include "pipeline/dispatch.h"
#include "pipeline/ingest.h"
#include "pipeline/releaser.h"
#include "pipeline/replayer.h"

namespace grapnel::pipeline {

struct Rig {
  Rig() {
    store.watch([this](const model::SnapshotPtr& snapshot) {
      dispatcher.on_definitions(snapshot);
      releaser.wake();
    });
    dispatcher.start();
    releaser.start();
    replayer.start();
  }
  ~Rig() { doubles::run(loop, stop()); }

  async::Task<> stop() {
    co_await ingest.stop();
    co_await releaser.stop();
    co_await replayer.stop();
    co_await dispatcher.stop(async::Deadline(timers.now()));
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
    const auto current = store.snapshot()->find_source(source.id);
    const auto done = doubles::run(
        loop, store.commit({model::PutSource{source, current ? current->source.revision : 0}}));
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
    const auto current = store.snapshot()->find_action(action.id);
    const auto done = doubles::run(
        loop, store.commit({model::PutAction{action, current ? current->revision : 0}}));
    EXPECT_TRUE(done) << done.error().message();
    return *(*done)->find_action(action.id);
  }
  model::Action action(model::ActionId id) { return *store.snapshot()->find_action(id); }

  std::expected<Receipt, Refusal> receive(const std::string& slug, std::string body = "{}",
                                          model::HeaderList headers = {}) {
    model::HttpRequest request;
    request.method = "POST";
    request.target = "/webhooks/" + slug;
    request.headers = std::move(headers);
    request.body = std::move(body);
    return doubles::run(loop, ingest.receive(slug, std::move(request)));
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
  void settle() { doubles::run_ready(loop); }
  void advance(Millis time) {
    timers.advance(time);
    doubles::run_ready(loop);
  }

  async::Loop loop;
  doubles::ManualClock system_clock;
  doubles::ManualTimers timers{loop, system_clock};
  doubles::MemoryStore store{loop, system_clock};
  SeededRandom random{7};
  IdSource ids{store.clock(), random};
  telemetry::Metrics registry{{.version = "test", .revision = ""}};
  telemetry::Log log{system_clock, {.level = telemetry::Level::off}};
  Metrics metrics{registry};
  AttemptJournal journal{log, system_clock};
  crypto::SecretBox box{random, crypto::MasterKey::make(random)};
  crypto::KeyedDigest digest{crypto::Secret(std::string("a key of digests"))};
  doubles::ScriptedSender sender{timers};
  Keyring keyring{box};
  Attempter attempter{
      {.clock = store.clock(), .random = random, .ids = ids, .keyring = keyring, .sender = sender}};
  Dispatcher dispatcher{{.executor = loop.get_executor(),
                         .timers = timers,
                         .clock = store.clock(),
                         .random = random,
                         .registry = store,
                         .log = store,
                         .book = store,
                         .attempter = attempter,
                         .metrics = metrics,
                         .log_lines = log,
                         .journal = journal}};
  Ingest ingest{{.executor = loop.get_executor(),
                 .timers = timers,
                 .clock = store.clock(),
                 .ids = ids,
                 .registry = store,
                 .log = store,
                 .book = store,
                 .adopter = dispatcher,
                 .digest = digest,
                 .pool = nullptr,
                 .metrics = metrics,
                 .random = random}};
  Releaser releaser{{.executor = loop.get_executor(),
                     .timers = timers,
                     .ids = ids,
                     .registry = store,
                     .log = store,
                     .book = store,
                     .upkeep = store,
                     .log_lines = log}};
  Replayer replayer{{.executor = loop.get_executor(),
                     .timers = timers,
                     .ids = ids,
                     .book = store,
                     .log_lines = log}};
};

}  // namespace grapnel::pipeline
