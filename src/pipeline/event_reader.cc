#include "pipeline/event_reader.h"

#include <algorithm>
#include <utility>

#include "pipeline/limits.h"

namespace grapnel::pipeline {

async::Task<std::optional<EventReader::Events>> EventReader::try_read(
    std::vector<model::EventRun> runs) {
  auto events = co_await log_.read(std::move(runs));
  if (events) {
    fails_ = false;
    co_return std::move(*events);
  }
  if (!std::exchange(fails_, true)) {
    log_lines_.error("events cannot be read; their attempts wait",
                     {{"error", events.error().message()}});
  }
  co_return std::nullopt;
}

async::Task<std::optional<EventReader::Events>> EventReader::read(
    std::vector<model::EventRun> runs) {
  const Monotonic patience = timers_.now() + kEventReadWaitMax;
  for (Millis wait = kStoreRetryMin;; wait = std::min(wait * 2, kStoreRetryMax)) {
    if (auto events = co_await try_read(runs)) co_return events;
    if (!waits_ || timers_.now() >= patience) co_return std::nullopt;
    const auto slept = co_await timers_.sleep_for(wait);
    if (!slept || !waits_) co_return std::nullopt;
  }
}

async::Task<EventReader::Found> EventReader::read_ahead(std::vector<model::EventRun> runs) {
  std::ranges::sort(runs);
  runs.erase(std::ranges::unique(runs).begin(), runs.end());
  Found out;
  if (runs.empty()) co_return out;
  const auto events = co_await try_read(runs);
  for (std::size_t i = 0; events && i < runs.size(); ++i) {
    if ((*events)[i] && *(*events)[i]) out.emplace(runs[i], *(*events)[i]);
  }
  co_return out;
}

}  // namespace grapnel::pipeline
