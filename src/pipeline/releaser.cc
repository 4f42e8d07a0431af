#include "pipeline/releaser.h"

#include <algorithm>

#include "pipeline/limits.h"

namespace grapnel::pipeline {

using model::SourceMode;

Releaser::Releaser(Parts parts)
    : parts_(parts),
      planner_(parts.ids, parts.book, nullptr),
      wanted_(parts.executor, parts.timers),
      scope_(parts.executor) {}

void Releaser::start() { scope_.spawn(run()); }

async::Task<> Releaser::stop(async::Deadline deadline) {
  scope_.cancel();
  co_await scope_.join(parts_.timers, deadline);
}

async::Task<> Releaser::run() {
  while (true) {
    auto progress = Progress::idle;
    const auto snapshot = parts_.registry.snapshot();
    for (const auto& [id, entry] : snapshot->sources) {
      const auto mode = entry->source.mode;
      if (entry->source.deleting || mode == SourceMode::paused) continue;
      if (parts_.log.held_work(id).count == 0) continue;
      progress = std::max(progress, co_await step(entry));
    }
    if (progress == Progress::idle) {
      co_await wanted_.wait();
    } else if (progress == Progress::blocked) {
      co_await wanted_.wait_until(parts_.timers.now() + kStoreRetryMax);
    }
  }
}

async::Task<Releaser::Progress> Releaser::step(model::SourcePtr entry) {
  if (entry->source.mode == SourceMode::active) co_return co_await release(entry);
  const auto stepped = co_await parts_.upkeep.record_held(entry->source.id);
  if (!stepped) {
    parts_.log_lines.warn("held events cannot be recorded now",
                          {{"source", entry->source.slug}, {"error", stepped.error().message()}});
    co_return Progress::blocked;
  }
  co_return Progress::more;
}

async::Task<Releaser::Progress> Releaser::release(model::SourcePtr entry) {
  auto held = co_await parts_.log.held(entry->source.id, kReleaseStep);
  if (!held) co_return Progress::blocked;
  std::vector<model::FanoutDraft> drafts;
  for (const auto& event : *held) {
    auto plan = planner_.plan(*entry, event->type, event->body_size, model::keyed(*event));
    // An action that asks for refusal holds its source's events back until it has room again.
    if (!plan) break;
    drafts.push_back(
        {.event = event->seq, .run = model::FanoutDraft::Run::first, .plan = std::move(*plan)});
  }
  if (drafts.empty()) co_return held->empty() ? Progress::idle : Progress::blocked;
  const auto released = co_await parts_.log.fan_out(drafts);
  if (!released) {
    parts_.log_lines.warn("held events cannot be released now",
                          {{"source", entry->source.slug}, {"error", released.error().message()}});
    co_return Progress::blocked;
  }
  for (std::size_t i = 0; i < drafts.size(); ++i) {
    if ((*released)[i].admission == model::Admission::accepted) {
      parts_.metrics.fanned_out(drafts[i].plan);
    }
  }
  co_return Progress::more;
}

}  // namespace grapnel::pipeline
