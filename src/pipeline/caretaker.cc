#include "pipeline/caretaker.h"

#include "pipeline/limits.h"

namespace grapnel::pipeline {

using model::StepResult;

Caretaker::Caretaker(Parts parts)
    : parts_(parts),
      wall_offset_(parts.clock.wall_offset()),
      wanted_(parts.executor, parts.timers),
      scope_(parts.executor) {}

void Caretaker::start() {
  scope_.spawn(run_urgent());
  scope_.spawn(run_regular());
  scope_.spawn(run_gauges());
}

async::Task<> Caretaker::stop(async::Deadline deadline) {
  scope_.cancel();
  co_await scope_.join(parts_.timers, deadline);
}

async::Task<> Caretaker::run_urgent() {
  while (true) {
    co_await bury_all();
    co_await finish_deletions();
    co_await wanted_.wait();
  }
}

async::Task<> Caretaker::run_regular() {
  while (true) {
    co_await sweep();
    // A step that failed while the store was down is taken again here.
    wanted_.ring();
    co_await parts_.timers.sleep_for(kUpkeepEvery);
  }
}

async::Task<> Caretaker::run_gauges() {
  while (true) {
    look_at_wall_clock();
    co_await read_gauges();
    co_await parts_.timers.sleep_for(kGaugesEvery);
  }
}

async::Task<> Caretaker::bury_all() {
  const auto snapshot = parts_.registry.snapshot();
  for (const auto& [source, entry] : snapshot->sources) {
    for (const auto& action : entry->actions) {
      if (action->health != model::Health::gone || parts_.book.open_work(action->id).count() == 0)
        continue;
      auto step = StepResult::more;
      while (step == StepResult::more) {
        const auto buried = co_await parts_.upkeep.bury(action->id);
        if (!buried)
          co_return failed("deliveries of a gone endpoint cannot be ended now", buried.error());
        step = *buried;
      }
    }
  }
}

async::Task<> Caretaker::finish_deletions() {
  auto step = StepResult::more;
  while (step == StepResult::more) {
    const auto finished = co_await parts_.upkeep.finish_deletions();
    if (!finished) co_return failed("a deletion cannot go on now", finished.error());
    step = *finished;
  }
}

async::Task<> Caretaker::sweep() {
  auto step = StepResult::more;
  while (step == StepResult::more) {
    const auto swept = co_await parts_.upkeep.sweep(parts_.retention);
    if (!swept) co_return failed("retention cannot go on now", swept.error());
    step = swept->step;
    if (step == StepResult::more) co_await parts_.timers.sleep_for(kUpkeepPause);
  }
  step = StepResult::more;
  while (step == StepResult::more) {
    const auto dropped = co_await parts_.upkeep.drop_old_keys();
    if (!dropped) co_return failed("old idempotency keys cannot be dropped now", dropped.error());
    step = *dropped;
    if (step == StepResult::more) co_await parts_.timers.sleep_for(kUpkeepPause);
  }
}

async::Task<> Caretaker::read_gauges() {
  model::OpenWork total;
  const auto snapshot = parts_.registry.snapshot();
  for (const auto& [id, source] : snapshot->action_sources) {
    const auto work = parts_.book.open_work(id);
    total.pending += work.pending;
    total.running += work.running;
    total.retrying += work.retrying;
  }
  parts_.metrics.open_work(total);
  parts_.metrics.store(parts_.upkeep.health());
  const auto dead = co_await parts_.catalog.count_dead({}, {});
  if (dead) parts_.metrics.dead_letters(*dead);
}

void Caretaker::look_at_wall_clock() {
  const Millis offset = parts_.clock.wall_offset();
  const Millis jump = offset - wall_offset_;
  if (jump > kWallJump || jump < -kWallJump) {
    parts_.metrics.wall_jump();
    parts_.log_lines.warn("the wall clock jumped; due times and windows go on as before",
                          {{"jump_ms", jump.count()}});
  }
  wall_offset_ = offset;
}

void Caretaker::failed(std::string_view what, const Error& error) {
  parts_.log_lines.warn(what, {{"error", error.message()}});
}

}  // namespace grapnel::pipeline
