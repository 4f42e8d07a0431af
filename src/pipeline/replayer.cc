#include "pipeline/replayer.h"

#include <algorithm>
#include <optional>

#include "pipeline/limits.h"

namespace grapnel::pipeline {
namespace {

int step_size(double per_second) {
  if (per_second <= 0) return kReplayStep;
  const double wanted = per_second * static_cast<double>(kReplayStepTime.count()) / 1000;
  return static_cast<int>(std::clamp(wanted, 1.0, static_cast<double>(kReplayStep)));
}

std::chrono::nanoseconds pause_after(int steps, double per_second) {
  if (per_second <= 0) return std::chrono::nanoseconds{0};
  using Seconds = std::chrono::duration<double>;
  const auto pause = std::min(Seconds(steps / per_second), Seconds(kReplayPauseMax));
  return std::chrono::duration_cast<std::chrono::nanoseconds>(pause);
}

}  // namespace

Replayer::Replayer(Parts parts)
    : parts_(parts), wanted_(parts.executor, parts.timers), scope_(parts.executor) {}

void Replayer::start() { scope_.spawn(run()); }

async::Task<> Replayer::stop(async::Deadline deadline) {
  scope_.cancel();
  co_await scope_.join(parts_.timers, deadline);
}

async::Task<> Replayer::run() {
  while (true) {
    const auto next = co_await step_due();
    if (next) {
      co_await wanted_.wait_until(*next);
    } else {
      co_await wanted_.wait();
    }
  }
}

async::Task<std::optional<Monotonic>> Replayer::step_due() {
  const auto jobs = co_await parts_.book.jobs();
  if (!jobs) co_return parts_.timers.now() + kStoreRetryMax;
  std::map<model::JobId, Monotonic> next;
  std::optional<Monotonic> soonest;
  for (const auto& job : *jobs) {
    if (job.state != model::JobState::running) continue;
    const auto known = next_step_.find(job.id);
    Monotonic at = known == next_step_.end() ? parts_.timers.now() : known->second;
    if (at <= parts_.timers.now()) {
      const auto pause = co_await step(job);
      if (!pause) continue;
      at = parts_.timers.now() + *pause;
    }
    next.emplace(job.id, at);
    soonest = std::min(soonest.value_or(at), at);
  }
  next_step_ = std::move(next);
  co_return soonest;
}

async::Task<std::optional<std::chrono::nanoseconds>> Replayer::step(model::ReplayJob job) {
  const int size = step_size(job.per_second);
  std::vector<model::DeliveryId> ids(static_cast<std::size_t>(size));
  for (auto& id : ids) id = parts_.ids.make<model::DeliveryId>();
  const auto stepped = co_await parts_.book.step_job(job.id, std::move(ids));
  if (!stepped) {
    parts_.log_lines.warn("a bulk replay cannot go on now",
                          {{"job", job.id}, {"error", stepped.error().message()}});
    co_return kStoreRetryMax;
  }
  if (stepped->state != model::JobState::running) {
    parts_.log_lines.info(
        "a bulk replay ended",
        {{"job", job.id}, {"replayed", stepped->replayed}, {"skipped", stepped->skipped}});
    co_return std::nullopt;
  }
  co_return pause_after(size, job.per_second);
}

}  // namespace grapnel::pipeline
