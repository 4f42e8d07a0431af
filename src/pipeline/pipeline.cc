#include "pipeline/pipeline.h"

#include <algorithm>

#include "pipeline/limits.h"

namespace grapnel::pipeline {

Pipeline::Pipeline(Parts p)
    : parts_(p),
      metrics_(p.metrics),
      journal_(p.log_lines, p.system_clock),
      keyring_(p.box),
      attempter_({.clock = p.store.clock,
                  .random = p.random,
                  .ids = p.ids,
                  .keyring = keyring_,
                  .sender = p.sender,
                  .sandbox = p.sandbox}),
      dispatcher_({.executor = p.executor,
                   .timers = p.timers,
                   .clock = p.store.clock,
                   .random = p.random,
                   .registry = p.store.registry,
                   .log = p.store.log,
                   .book = p.store.book,
                   .ids = p.ids,
                   .attempter = attempter_,
                   .metrics = metrics_,
                   .log_lines = p.log_lines,
                   .journal = journal_,
                   .bounds = p.bounds}),
      quarantine_(p.ids, p.digest),
      ingest_({.executor = p.executor,
               .timers = p.timers,
               .clock = p.store.clock,
               .ids = p.ids,
               .registry = p.store.registry,
               .log = p.store.log,
               .book = p.store.book,
               .upkeep = p.store.upkeep,
               .adopter = dispatcher_,
               .digest = p.digest,
               .pool = p.pool,
               .metrics = metrics_,
               .random = p.random,
               .wall = p.system_clock,
               .box = p.box,
               .log_lines = p.log_lines,
               .quarantine = quarantine_}),
      releaser_({.executor = p.executor,
                 .timers = p.timers,
                 .ids = p.ids,
                 .registry = p.store.registry,
                 .log = p.store.log,
                 .book = p.store.book,
                 .upkeep = p.store.upkeep,
                 .metrics = metrics_,
                 .log_lines = p.log_lines}),
      replayer_({.executor = p.executor,
                 .timers = p.timers,
                 .ids = p.ids,
                 .book = p.store.book,
                 .log_lines = p.log_lines}),
      caretaker_({.executor = p.executor,
                  .timers = p.timers,
                  .clock = p.store.clock,
                  .registry = p.store.registry,
                  .book = p.store.book,
                  .catalog = p.store.catalog,
                  .upkeep = p.store.upkeep,
                  .retention = p.retention,
                  .metrics = metrics_,
                  .log_lines = p.log_lines}) {}

void Pipeline::start() {
  parts_.store.registry.watch(
      [this](const model::SnapshotPtr& snapshot) { on_definitions(snapshot); });
  dispatcher_.start();
  releaser_.start();
  replayer_.start();
  caretaker_.start();
}

async::Task<> Pipeline::stop(async::Deadline deadline) {
  begin_drain();
  const async::Deadline last(std::max(deadline.at(), parts_.timers.now()) + kStopExtra);
  // Ingest first: what it still appends is born leased, and the dispatcher must be there to hand it
  // back.
  co_await ingest_.stop(last);
  co_await releaser_.stop(last);
  co_await replayer_.stop(last);
  co_await caretaker_.stop(last);
  co_await dispatcher_.finish_attempts(deadline);
  co_await dispatcher_.stop(last);
}

void Pipeline::on_definitions(const model::SnapshotPtr& snapshot) {
  dispatcher_.on_definitions(snapshot);
  releaser_.wake();
  caretaker_.wake();
  metrics_.on_definitions(*snapshot);
}

}  // namespace grapnel::pipeline
