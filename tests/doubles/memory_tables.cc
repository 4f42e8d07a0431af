#include "doubles/memory_tables.h"

#include <algorithm>

#include "base/check.h"
#include "doubles/limits.h"
#include "model/transform.h"

namespace grapnel::doubles {

using namespace model;

MemoryTables::MemoryTables() : snapshot_(std::make_shared<RegistrySnapshot>()) {}

void MemoryTables::begin(Time now) { now_ = std::max(now_, now); }

void MemoryTables::recover(Time now) {
  begin(now);
  ++epoch_;
  fence_ += kLeap;
  swept_to_ = 0;
  body_files_.clear();
  if (flaw_ != Flaw::none) recover_flawed();
  if (flaw_ == Flaw::leases_forgotten) return;
  const std::set<Seq> running = running_;
  for (const Seq seq : running) note_crash(deliveries_.at(seq));
  effects_ = {};
}

/// What the planted bug does at a start.
void MemoryTables::recover_flawed() {
  if (flaw_ == Flaw::keys_forgotten) keys_.clear();
  if (flaw_ == Flaw::held_forgotten) held_.clear();
  if (flaw_ == Flaw::jobs_forgotten) jobs_.clear();
  for (auto& [id, job] : jobs_) {
    if (flaw_ == Flaw::job_progress_lost && job.state == JobState::running) job.cursor = 0;
  }
  for (auto& [seq, row] : deliveries_) {
    Delivery& d = row.delivery;
    if (flaw_ == Flaw::cancel_wish_forgotten) d.cancel_wished = false;
    if (flaw_ == Flaw::due_times_forgotten && d.state == DeliveryState::retrying) {
      waiting_[d.action].erase({d.due, seq});
      d.due = now_;
      waiting_[d.action].emplace(now_, seq);
    }
    if (flaw_ == Flaw::job_progress_lost && d.replayed_by) {
      d.replayed_by.reset();
      dead_.emplace(d.ended_seq, seq);
    }
  }
}

void MemoryTables::start_generation(std::int64_t number) {
  if (flaw_ != Flaw::generation_kept) generation_ = number;
  seq_ += kLeap;
  fence_ += kLeap;
}

StoredDelivery& MemoryTables::add_delivery(StoredEvent& event, DeliveryId id, ActionId action,
                                           int run) {
  const Seq seq = next_seq();
  const auto [at, added] = deliveries_.try_emplace(seq);
  GRAPNEL_CHECK(added && delivery_ids_.emplace(id, seq).second, id.str());
  StoredDelivery& row = at->second;
  row.delivery.seq = seq;
  row.delivery.id = id;
  row.delivery.event_seq = event.event.seq;
  row.delivery.event = event.event.id;
  row.delivery.event_type = event.event.type;
  row.delivery.source = event.event.source;
  row.delivery.action = action;
  row.delivery.run = run;
  row.delivery.created = now_;
  row.delivery.due = now_;
  row.key = event.event.ordering_key;
  row.delivery.body_size = event.event.body_size;
  const auto result = event.results.find(run);
  if (result != event.results.end() && action != transform_of(event.event.source)) {
    if (result->second.type) row.delivery.event_type = *result->second.type;
    if (result->second.body) row.delivery.body_size = result->second.body_size;
  }
  row.bytes = static_cast<std::int64_t>(row.delivery.body_size);
  row.stand = seq;
  event.deliveries.push_back(seq);
  count(row, +1);
  waiting_[action].emplace(row.delivery.due, seq);
  return row;
}

void MemoryTables::tell(const StoredDelivery& row, std::optional<DeliveryState> from) const {
  if (watcher_) watcher_->entered(row, from);
}

const StoredDelivery* MemoryTables::find(DeliveryId id) const {
  const auto at = delivery_ids_.find(id);
  return at == delivery_ids_.end() ? nullptr : &deliveries_.at(at->second);
}

StoredDelivery* MemoryTables::find(DeliveryId id) {
  const auto at = delivery_ids_.find(id);
  return at == delivery_ids_.end() ? nullptr : &deliveries_.at(at->second);
}

void MemoryTables::count(const StoredDelivery& row, int by) {
  OpenWork& work = open_work_[row.delivery.action];
  switch (row.delivery.state) {
    case DeliveryState::pending: work.pending += by; break;
    case DeliveryState::running: work.running += by; break;
    case DeliveryState::retrying: work.retrying += by; break;
    default: return;
  }
  work.bytes += by * row.bytes;
}

void MemoryTables::enter(StoredDelivery& row, DeliveryState state) {
  const Delivery& d = row.delivery;
  GRAPNEL_CHECK(!is_terminal(d.state), d.id.str());
  count(row, -1);
  if (d.state == DeliveryState::running) {
    running_.erase(d.seq);
  } else {
    waiting_[d.action].erase({d.due, d.seq});
  }
  row.delivery.state = state;
  count(row, +1);
  if (state == DeliveryState::running) running_.insert(d.seq);
}

void MemoryTables::make_wait(StoredDelivery& row, DeliveryState state, Time due) {
  if (row.delivery.cancel_wished) return end(row, DeliveryState::cancelled, row.wish);
  if (!snapshot_->find_action(row.delivery.action)) {
    return end(row, DeliveryState::cancelled, EndReason::definition_deleted);
  }
  if (is_gone(row.delivery.action)) return end(row, DeliveryState::dead, EndReason::endpoint_gone);
  const DeliveryState from = row.delivery.state;
  enter(row, state);
  row.delivery.due = due;
  tell(row, from);
  waiting_[row.delivery.action].emplace(due, row.delivery.seq);
  hint(row);
}

void MemoryTables::start_lease(StoredDelivery& row) {
  const DeliveryState from = row.delivery.state;
  enter(row, DeliveryState::running);
  row.fence = ++fence_;
  tell(row, from);
}

void MemoryTables::end(StoredDelivery& row, DeliveryState state, EndReason reason) {
  const DeliveryState from = row.delivery.state;
  enter(row, state);
  Delivery& d = row.delivery;
  d.ended = now_;
  d.ended_seq = next_seq();
  d.reason = reason;
  d.cancel_wished = false;
  d.waits_for_order = false;
  if (state == DeliveryState::dead) dead_.emplace(d.ended_seq, d.seq);
  if (state != DeliveryState::delivered && d.action == transform_of(d.source)) {
    end_fanout(events_.at(d.event_seq),
               state == DeliveryState::dead ? FanoutState::dead : FanoutState::cancelled);
  }
  tell(row, from);
  Lane* lane = find_lane(row);
  if (!lane) return;
  if (lane->holder == d.seq) lane->holder = 0;
  if (state != DeliveryState::dead) lane->members.erase({row.stand, d.seq});
  if (state == DeliveryState::delivered) unblock(*lane, row.stand);
  free_next(*lane);
}

// --- ordered keys

bool MemoryTables::blocks(const StoredDelivery& row) const {
  if (flaw_ == Flaw::block_ignored) return false;
  const ActionPtr action = snapshot_->find_action(row.delivery.action);
  return row.delivery.state == DeliveryState::dead && !row.delivery.skipped && action &&
         action->on_dead == OnDead::block;
}

MemoryTables::Lane* MemoryTables::find_lane(const StoredDelivery& row) {
  if (!row.key) return nullptr;
  const auto lane = lanes_.find({row.delivery.action, *row.key});
  return lane == lanes_.end() ? nullptr : &lane->second;
}

bool MemoryTables::in_lane(const StoredDelivery& row) const {
  if (!row.key) return false;
  const auto lane = lanes_.find({row.delivery.action, *row.key});
  return lane != lanes_.end() && lane->second.members.contains({row.stand, row.delivery.seq});
}

bool MemoryTables::is_blocked(const Lane& lane, const StoredDelivery& row) const {
  for (const auto& [stand, seq] : lane.members) {
    if (stand >= row.stand) return false;  // so a replay never waits for its own original
    if (blocks(deliveries_.at(seq))) return true;
  }
  return false;
}

void MemoryTables::join_lane(StoredDelivery& row) {
  if (!row.key) return;
  Lane& lane = lanes_[{row.delivery.action, *row.key}];
  if (flaw_ == Flaw::order_ignored) return;
  lane.members.emplace(row.stand, row.delivery.seq);
  row.delivery.waits_for_order = lane.holder != 0 || is_blocked(lane, row);
  if (!row.delivery.waits_for_order) lane.holder = row.delivery.seq;
}

void MemoryTables::leave_lane(const StoredDelivery& row) {
  Lane* lane = find_lane(row);
  if (lane) lane->members.erase({row.stand, row.delivery.seq});
}

void MemoryTables::free_next(Lane& lane) {
  if (lane.holder != 0) return;
  for (const auto& [stand, seq] : lane.members) {
    StoredDelivery& next = deliveries_.at(seq);
    if (is_terminal(next.delivery.state)) continue;
    if (is_blocked(lane, next)) return;
    lane.holder = seq;
    next.delivery.waits_for_order = false;
    auto& waiting = waiting_[next.delivery.action];
    waiting.erase({next.delivery.due, seq});
    next.delivery.due = now_;
    waiting.emplace(now_, seq);
    return hint(next);
  }
}

void MemoryTables::free_lanes(ActionId action) {
  for (auto lane = lanes_.lower_bound({action, ""}); lane != lanes_.end(); ++lane) {
    if (lane->first.first != action) return;
    free_next(lane->second);
  }
}

void MemoryTables::unblock(Lane& lane, Seq stand) {
  std::erase_if(lane.members, [&](const auto& place) {
    return place.first == stand &&
           deliveries_.at(place.second).delivery.state == DeliveryState::dead;
  });
}

void MemoryTables::hint(const StoredDelivery& row) {
  if (is_deleting(row.delivery.action) || row.delivery.waits_for_order) return;
  const auto [at, added] = effects_.work.emplace(row.delivery.action, row.delivery.due);
  if (!added) at->second = std::min(at->second, row.delivery.due);
}

void MemoryTables::hint_action(ActionId action) {
  const auto waiting = waiting_.find(action);
  if (waiting == waiting_.end()) return;
  for (const auto& [due, seq] : waiting->second) {
    const StoredDelivery& row = deliveries_.at(seq);
    if (!row.delivery.waits_for_order) return hint(row);
  }
}

std::vector<WorkHint> MemoryTables::waiting_work() const {
  std::vector<WorkHint> out;
  for (const auto& [action, waiting] : waiting_) {
    if (is_deleting(action)) continue;
    const auto first = std::ranges::find_if(waiting, [this](const auto& place) {
      return !deliveries_.at(place.second).delivery.waits_for_order;
    });
    if (first != waiting.end()) out.push_back({.action = action, .due = first->first});
  }
  return out;
}

bool MemoryTables::is_gone(ActionId action) const {
  const ActionPtr found = snapshot_->find_action(action);
  return found && found->health == Health::gone;
}

bool MemoryTables::is_deleting(ActionId action) const {
  const ActionPtr found = snapshot_->find_action(action);
  return !found || found->deleting || snapshot_->find_source(found->source)->source.deleting;
}

}  // namespace grapnel::doubles
