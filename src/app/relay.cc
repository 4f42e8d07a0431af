#include "app/relay.h"

namespace grapnel::app {

Relay::Relay(Parts p)
    : parts_(p),
      ids_(p.clock, p.random),
      metrics_(p.metrics),
      journal_(p.log_lines, p.system_clock),
      keyring_(p.box),
      attempter_({.clock = p.clock,
                  .random = p.random,
                  .ids = ids_,
                  .keyring = keyring_,
                  .sender = p.sender}),
      dispatcher_({.executor = p.executor,
                   .timers = p.timers,
                   .clock = p.clock,
                   .random = p.random,
                   .registry = p.registry,
                   .log = p.log,
                   .book = p.book,
                   .attempter = attempter_,
                   .metrics = metrics_,
                   .log_lines = p.log_lines,
                   .journal = journal_}),
      ingest_({.executor = p.executor,
               .timers = p.timers,
               .clock = p.clock,
               .ids = ids_,
               .registry = p.registry,
               .log = p.log,
               .book = p.book,
               .adopter = dispatcher_,
               .digest = p.digest,
               .pool = &p.pool,
               .metrics = metrics_,
               .random = p.random}),
      releaser_({.executor = p.executor,
                 .timers = p.timers,
                 .ids = ids_,
                 .registry = p.registry,
                 .log = p.log,
                 .book = p.book,
                 .upkeep = p.upkeep,
                 .log_lines = p.log_lines}),
      replayer_({.executor = p.executor,
                 .timers = p.timers,
                 .ids = ids_,
                 .book = p.book,
                 .log_lines = p.log_lines}),
      caretaker_({.executor = p.executor,
                  .timers = p.timers,
                  .clock = p.clock,
                  .registry = p.registry,
                  .book = p.book,
                  .catalog = p.catalog,
                  .upkeep = p.upkeep,
                  .retention = p.retention,
                  .metrics = metrics_,
                  .log_lines = p.log_lines}) {}

void Relay::start() {
  parts_.registry.watch([this](const model::SnapshotPtr& snapshot) { on_definitions(snapshot); });
  dispatcher_.start();
  releaser_.start();
  replayer_.start();
  caretaker_.start();
}

async::Task<> Relay::stop(async::Deadline deadline) {
  co_await ingest_.stop();
  co_await releaser_.stop();
  co_await replayer_.stop();
  co_await caretaker_.stop();
  co_await dispatcher_.stop(deadline);
}

void Relay::on_definitions(const model::SnapshotPtr& snapshot) {
  dispatcher_.on_definitions(snapshot);
  releaser_.wake();
  caretaker_.wake();
}

}  // namespace grapnel::app
