// DeliveryBook: replays and the jobs that make many of them.
#include <algorithm>
#include <functional>

#include "doubles/limits.h"
#include "doubles/memory_tables.h"
#include "model/errors.h"
#include "model/transform.h"

namespace grapnel::doubles {

using namespace model;
using model::errc;

std::vector<Result<Delivery>> MemoryTables::replay(const std::vector<ReplayWish>& wishes) {
  std::vector<Result<Delivery>> out;
  for (const ReplayWish& wish : wishes) {
    auto made = replay_one(wish);
    if (made) {
      out.emplace_back((*made)->delivery);
    } else {
      out.push_back(fail(made.error()));
    }
  }
  return out;
}

Result<StoredDelivery*> MemoryTables::replay_one(const ReplayWish& wish) {
  StoredDelivery* original = find(wish.original);
  if (!original) return fail(errc::not_found);
  Delivery& d = original->delivery;
  if (!is_terminal(d.state)) return fail(errc::not_terminal);
  if (d.replayed_by) return fail(errc::already_replayed);
  if (is_deleting(d.action)) return fail(errc::action_deleted);
  if (is_gone(d.action)) return fail(errc::endpoint_gone);
  const auto event = events_.find(d.event_seq);
  if (event == events_.end() || !event->second.body) return fail(errc::body_gone);

  int run = d.run;
  if (d.action == transform_of(d.source)) {  // the event's next run
    Event& parent = event->second.event;
    if (parent.fanout < FanoutState::done) return fail(errc::not_terminal);
    run = ++parent.run;
    parent.fanout = FanoutState::waiting;
  }
  StoredDelivery& made = add_delivery(event->second, wish.replay, d.action, run);
  made.original = d.seq;
  made.stand = original->stand;
  made.delivery.replay_of = d.id;
  original->replays.push_back(made.delivery.seq);
  if (d.state == DeliveryState::dead) {
    d.replayed_by = wish.replay;
    dead_.erase(d.ended_seq);
  }
  tell(made, std::nullopt);
  join_lane(made);
  hint(made);
  return &made;
}

bool MemoryTables::matches(const DeadFilter& filter, const StoredDelivery& row) const {
  const Delivery& d = row.delivery;
  return (!filter.source || d.source == *filter.source) &&
         (!filter.action || d.action == *filter.action) &&
         (!filter.reason || d.reason == *filter.reason) &&
         (!filter.ended_from || *d.ended >= *filter.ended_from) &&
         (!filter.ended_to || *d.ended < *filter.ended_to);
}

Result<ReplayJob> MemoryTables::start_job(ReplayJob job) {
  const auto running = std::ranges::count_if(
      jobs_, [](const auto& entry) { return entry.second.state == JobState::running; });
  if (static_cast<std::size_t>(running) >= kRunningJobsMax) {
    return fail(errc::too_many, "too many replay jobs are running");
  }
  job.state = JobState::running;
  job.ceiling = seq_;
  job.cursor = 0;
  job.created = now_;
  job.ended = std::nullopt;
  job.replayed = 0;
  job.skipped = 0;
  job.matched = std::ranges::count_if(
      dead_, [&](const auto& entry) { return matches(job.filter, deliveries_.at(entry.second)); });
  jobs_.emplace(job.id, job);
  return job;
}

Result<ReplayJob> MemoryTables::step_job(JobId id, const std::vector<DeliveryId>& ids) {
  const auto at = jobs_.find(id);
  if (at == jobs_.end()) return fail(errc::not_found);
  ReplayJob& job = at->second;
  if (job.state != JobState::running) return job;
  std::size_t looked_at = 0;
  auto next = dead_.upper_bound(job.cursor);
  while (next != dead_.end() && next->first <= job.ceiling) {
    const auto [ended_seq, seq] = *next++;  // a replay takes it off the list
    const StoredDelivery& row = deliveries_.at(seq);
    if (!matches(job.filter, row)) continue;
    if (looked_at == ids.size()) return job;
    const auto made = replay_one({.original = row.delivery.id, .replay = ids[looked_at++]});
    ++(made ? job.replayed : job.skipped);
    job.cursor = ended_seq;
  }
  job.cursor = job.ceiling;
  job.state = JobState::done;
  job.ended = now_;
  return job;
}

Result<ReplayJob> MemoryTables::cancel_job(JobId id) {
  const auto at = jobs_.find(id);
  if (at == jobs_.end()) return fail(errc::not_found);
  if (at->second.state == JobState::running) {
    at->second.state = JobState::cancelled;
    at->second.ended = now_;
  }
  return at->second;
}

std::vector<ReplayJob> MemoryTables::jobs() const {
  std::vector<ReplayJob> out;
  for (const auto& [id, job] : jobs_) out.push_back(job);
  std::ranges::sort(out, std::ranges::greater{}, &ReplayJob::created);
  return out;
}

bool MemoryTables::covered_by_job(const StoredDelivery& row) const {
  const Delivery& d = row.delivery;
  if (d.state != DeliveryState::dead || d.replayed_by) return false;
  return std::ranges::any_of(jobs_, [&](const auto& entry) {
    const ReplayJob& job = entry.second;
    return job.state == JobState::running && d.ended_seq > job.cursor &&
           d.ended_seq <= job.ceiling && matches(job.filter, row);
  });
}

}  // namespace grapnel::doubles
