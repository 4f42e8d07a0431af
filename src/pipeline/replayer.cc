#include "pipeline/replayer.h"

#include <algorithm>
#include <optional>

#include "pipeline/limits.h"

namespace grapnel::pipeline {
namespace {

int step_size(double per_second) {
  if (per_second <= 0) return kReplayStep;
  const double wanted = per_second * static_cast<double>(kReplayStepTime.count()) / 1000;
  return std::clamp(static_cast<int>(wanted), 1, kReplayStep);
}

}  // namespace

Replayer::Replayer(Parts parts) : parts_(parts), wanted_(parts.executor), scope_(parts.executor) {}

void Replayer::start() { scope_.spawn(run()); }

async::Task<> Replayer::stop() {
  scope_.cancel();
  wanted_.notify_all();
  co_await scope_.join();
}

async::Task<> Replayer::run() {
  while (true) {
    const auto jobs = co_await parts_.book.jobs();
    if (!jobs) {
      co_await parts_.timers.sleep_for(kStoreRetryMax);
      continue;
    }
    // The oldest job runs to its end before the next: its rate is what its owner asked for.
    std::optional<model::ReplayJob> oldest;
    for (const auto& job : *jobs) {
      if (job.state == model::JobState::running && (!oldest || job.created < oldest->created))
        oldest = job;
    }
    if (oldest) {
      co_await step(*oldest);
    } else {
      co_await wanted_.wait();
    }
  }
}

async::Task<> Replayer::step(const model::ReplayJob& job) {
  const int size = step_size(job.per_second);
  std::vector<model::DeliveryId> ids(static_cast<std::size_t>(size));
  for (auto& id : ids) id = parts_.ids.make<model::DeliveryId>();
  const auto stepped = co_await parts_.book.step_job(job.id, std::move(ids));
  if (!stepped) {
    parts_.log_lines.warn("a bulk replay cannot go on now",
                          {{"job", job.id}, {"error", stepped.error().message()}});
    co_await parts_.timers.sleep_for(kStoreRetryMax);
    co_return;
  }
  if (stepped->state != model::JobState::running) {
    parts_.log_lines.info(
        "a bulk replay ended",
        {{"job", job.id}, {"replayed", stepped->replayed}, {"skipped", stepped->skipped}});
    co_return;
  }
  const double seconds = job.per_second > 0 ? size / job.per_second : 0;
  co_await parts_.timers.sleep_for(
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds)));
}

}  // namespace grapnel::pipeline
