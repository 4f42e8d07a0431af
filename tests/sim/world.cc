#include "sim/world.h"

#include "base/check.h"
#include "doubles/drive.h"
#include "sim/limits.h"

namespace grapnel::sim {

World::World(std::uint64_t seed, const Mutation& mutation, Trace::Keep keep,
             SimSender::Endpoints endpoints)
    : trace(keep),
      log(loop, store, judge, mutation.trick),
      book(store, log, timers, judge, mutation.trick),
      registry(store, mutation.trick),
      sender(timers, judge, std::move(endpoints), mutation.trick),
      random(seed) {
  store.watch_tables(&judge);
  store.plant(mutation.flaw);
  start_process();
}

World::~World() {
  if (!process) return;
  store.crash();
  end_process(async::Deadline(timers.now()));
}

void World::settle() { doubles::run_ready(loop); }

void World::pass(Millis time) {
  const Monotonic end = timers.now() + time;
  settle();
  for (auto next = timers.next_deadline(); next && *next <= end && !store.is_crashed();
       next = timers.next_deadline()) {
    timers.wake_next();
    settle();
  }
  if (!store.is_crashed() && timers.now() < end) system_clock.advance(end - timers.now());
}

void World::start_process() {
  process = std::make_unique<pipeline::Pipeline>(
      pipeline::Pipeline::Parts{.executor = loop.get_executor(),
                                .timers = timers,
                                .system_clock = system_clock,
                                .store = {.clock = store.clock(),
                                          .registry = registry,
                                          .log = log,
                                          .book = book,
                                          .catalog = store,
                                          .upkeep = store},
                                .random = random,
                                .ids = ids,
                                .sender = sender,
                                .sandbox = sandbox,
                                .box = box,
                                .digest = digest,
                                .pool = nullptr,
                                .metrics = metrics,
                                .log_lines = log_lines,
                                .retention = kRetention,
                                .bounds = kBounds});
  process->start();
}

async::Task<> World::stop_process(async::Deadline deadline) {
  co_await process->stop(deadline);
  stopped_ = true;
}

void World::end_process(async::Deadline deadline) {
  stopped_ = false;
  stops_.spawn(stop_process(deadline));
  settle();
  for (int turn = 0; turn < kStopTurns && !stopped_ && timers.wake_next(); ++turn) settle();
  store.crash();
  settle();
  end_naps();
  if (!stopped_) {
    judge.break_rule("a stop does not end");
    static_cast<void>(process.release());  // its tasks may still use it
  }
  process.reset();
  judge.died();
}

/// A planted bug may leave somebody asleep that a stop does not wait for.
void World::end_naps() {
  const Monotonic end = timers.now() + kNap;
  for (auto next = timers.next_deadline(); next && *next <= end; next = timers.next_deadline()) {
    timers.wake_next();
    settle();
  }
}

void World::reopen() {
  judge.begins();
  store.reopen();
  judge.began();
}

void World::restore(const std::string& backup) {
  judge.restored(backup);
  judge.begins();
  GRAPNEL_CHECK(store.restore(backup), backup);
  judge.began();
}

}  // namespace grapnel::sim
