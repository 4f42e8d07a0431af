// Upkeep: burying, deletions, retention, each in steps of at most kStepRows rows.
#include <algorithm>

#include "doubles/limits.h"
#include "doubles/memory_tables.h"

namespace grapnel::doubles {

using namespace model;

StepResult MemoryTables::bury(ActionId action) {
  if (!is_gone(action)) return StepResult::done;
  int budget = kStepRows;
  auto& waiting = waiting_[action];
  while (!waiting.empty() && budget-- > 0) {
    end(deliveries_.at(waiting.begin()->second), DeliveryState::dead, EndReason::endpoint_gone);
  }
  return waiting.empty() ? StepResult::done : StepResult::more;
}

StepResult MemoryTables::finish_deletions() {
  int budget = kStepRows;
  if (cancel_open_of_deleting(budget)) return StepResult::more;
  remove_deleted_definitions();
  return StepResult::done;
}

bool MemoryTables::cancel_open_of_deleting(int& budget) {
  for (const auto& [id, entry] : snapshot_->sources) {
    auto& held = held_[id];
    while (entry->source.deleting && !held.empty()) {
      if (budget-- == 0) return true;
      end_fanout(events_.at(*held.begin()), FanoutState::cancelled);
      held.erase(held.begin());
    }
    for (const auto& action : entry->actions) {
      if (!action->deleting && !entry->source.deleting) continue;
      auto& waiting = waiting_[action->id];
      while (!waiting.empty()) {
        if (budget-- == 0) return true;
        end(deliveries_.at(waiting.begin()->second), DeliveryState::cancelled,
            EndReason::definition_deleted);
      }
      for (const Seq seq : running_) {
        StoredDelivery& row = deliveries_.at(seq);
        if (row.delivery.action != action->id || row.delivery.cancel_wished) continue;
        row.delivery.cancel_wished = true;
        row.wish = EndReason::definition_deleted;
      }
    }
  }
  return false;
}

Swept MemoryTables::sweep(const RetentionPolicy& policy) {
  Swept out;
  int budget = kStepRows;
  for (auto at = events_.upper_bound(swept_to_); at != events_.end();) {
    if (budget-- == 0) {
      out.step = StepResult::more;
      return out;
    }
    const StoredEvent& row = (at++)->second;  // it may be erased
    swept_to_ = row.event.seq;
    const bool open = flaw_ != Flaw::open_work_swept && has_open_work(row);
    if (open || !is_expired(row, policy)) continue;
    erase(row.event.seq);
    ++out.events;
  }
  swept_to_ = 0;
  return out;
}

bool MemoryTables::has_open_work(const StoredEvent& event) const {
  if (event.event.fanout < FanoutState::done) return true;
  return std::ranges::any_of(event.deliveries, [this](Seq seq) {
    const StoredDelivery& row = deliveries_.at(seq);
    if (!is_terminal(row.delivery.state) || covered_by_job(row)) return true;
    return blocks(row) && in_lane(row);
  });
}

bool MemoryTables::is_expired(const StoredEvent& event, const RetentionPolicy& policy) const {
  Time finished = event.fanout_ended;
  Millis period = policy.finished;
  for (const Seq seq : event.deliveries) {
    const Delivery& d = deliveries_.at(seq).delivery;
    finished = std::max(finished, d.ended.value_or(d.created));
    if (d.state == DeliveryState::dead && !d.replayed_by) period = policy.dead;
  }
  if (flaw_ == Flaw::swept_early) period /= 10;
  return finished + period <= now_;
}

void MemoryTables::erase(Seq event) {
  const auto at = events_.find(event);
  if (watcher_) watcher_->erasing(at->second);
  for (const Seq seq : at->second.deliveries) {
    const StoredDelivery& row = deliveries_.at(seq);
    leave_lane(row);
    dead_.erase(row.delivery.ended_seq);
    waiting_[row.delivery.action].erase({row.delivery.due, seq});  // of a planted bug alone
    running_.erase(seq);
    delivery_ids_.erase(row.delivery.id);
    deliveries_.erase(seq);
  }
  event_ids_.erase(at->second.event.id);
  events_.erase(at);
}

StepResult MemoryTables::record_held(SourceId source) {
  const SourcePtr entry = snapshot_->find_source(source);
  if (!entry || entry->source.mode != SourceMode::record) return StepResult::done;
  int budget = kStepRows;
  auto& held = held_[source];
  while (!held.empty() && budget-- > 0) {
    end_fanout(events_.at(*held.begin()), FanoutState::recorded);
    held.erase(held.begin());
  }
  return held.empty() ? StepResult::done : StepResult::more;
}

}  // namespace grapnel::doubles
