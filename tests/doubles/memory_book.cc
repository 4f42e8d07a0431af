// DeliveryBook: leases, outcomes, cancelling.
#include <algorithm>

#include "doubles/memory_tables.h"
#include "model/errors.h"

namespace grapnel::doubles {

using namespace model;
using model::errc;

LeaseBatch MemoryTables::lease(const std::vector<LeaseWish>& wishes) {
  LeaseBatch out;
  for (const LeaseWish& wish : wishes) {
    std::vector<Seq> chosen;
    std::optional<Time> next;
    const auto waiting = waiting_.find(wish.action);
    if (waiting != waiting_.end() && !is_deleting(wish.action)) {
      for (const auto& [due, seq] : waiting->second) {
        if (deliveries_.at(seq).delivery.waits_for_order) continue;
        if (due > now_ || static_cast<int>(chosen.size()) >= wish.count) {
          next = due;
          break;
        }
        chosen.push_back(seq);
      }
    }
    for (const Seq seq : chosen) {
      StoredDelivery& row = deliveries_.at(seq);
      start_lease(row);
      out.leases.push_back({.delivery = row.delivery, .fence = row.fence});
    }
    out.next_due.emplace_back(wish.action, next);
  }
  return out;
}

std::vector<Settled> MemoryTables::settle(const std::vector<Settlement>& settlements) {
  std::vector<Settled> out;
  for (const Settlement& settlement : settlements) out.push_back(settle_one(settlement));
  return out;
}

Settled MemoryTables::settle_one(const Settlement& settlement) {
  const auto at = deliveries_.find(settlement.delivery);
  if (at == deliveries_.end()) return {.stale = true};
  StoredDelivery& row = at->second;
  Delivery& d = row.delivery;
  const bool stale = row.fence != settlement.fence && flaw_ != Flaw::stale_fence_accepted;
  if (d.state != DeliveryState::running || stale) {
    return {.stale = true, .state = d.state};
  }
  const bool ends_fanout = settlement.kind == Settlement::Kind::delivered && settlement.fanout;
  if (ends_fanout) {
    const SourcePtr source = snapshot_->find_source(d.source);
    if (!source || source->source.deleting) {
      end(row, DeliveryState::cancelled, EndReason::definition_deleted);
      return {.state = d.state};
    }
    if (settlement.fanout->plan.revision < source->source.revision) {
      return {.state = d.state, .stale_plan = true};
    }
  }
  if (settlement.attempt) note_attempt(row, *settlement.attempt);
  if (settlement.health) report_health(d.action, *settlement.health);
  switch (settlement.kind) {
    case Settlement::Kind::delivered:
      d.unknown_streak = 0;
      if (d.cancel_wished && flaw_ == Flaw::cancel_beats_success) {
        end(row, DeliveryState::cancelled, row.wish);
        break;
      }
      end(row, DeliveryState::delivered, EndReason::none);
      break;
    case Settlement::Kind::retry:
      d.unknown_streak = 0;
      ++d.tries_used;
      make_wait(row, DeliveryState::retrying, settlement.due);
      break;
    case Settlement::Kind::dead:
      d.unknown_streak = 0;
      ++d.tries_used;
      if (d.cancel_wished) {
        end(row, DeliveryState::cancelled, row.wish);
      } else {
        end(row, DeliveryState::dead, settlement.reason);
      }
      break;
    case Settlement::Kind::hand_back:
      make_wait(row, DeliveryState::pending, std::max(settlement.due, now_));
      break;
    case Settlement::Kind::unknown:
      if (!settlement.attempt) ++d.attempts;
      note_unknown(row);
      break;
  }
  Settled settled{.stale = false, .state = d.state};
  if (ends_fanout) settled.born = end_transform(row, *settlement.fanout);
  return settled;
}

void MemoryTables::note_attempt(StoredDelivery& row, Attempt attempt) {
  Delivery& d = row.delivery;
  attempt.number = ++d.attempts;
  if (attempt.result != AttemptResult::handed_back) {
    d.last_error = attempt.error;
    d.last_status = attempt.response_status;
  }
  row.attempts.push_back(std::move(attempt));
}

void MemoryTables::note_crash(StoredDelivery& row) {
  const ActionPtr action = snapshot_->find_action(row.delivery.action);
  Attempt attempt{.started = now_, .result = AttemptResult::unknown};
  const Seq name = next_seq();  // ids are names: any that was not there before will do
  for (std::size_t i = 0; i < sizeof name; ++i) {
    attempt.id.bytes[15 - i] = static_cast<std::uint8_t>(name >> (8 * i));
  }
  attempt.action_revision = action ? action->revision : 0;
  attempt.error = "the process ended before the outcome was known";
  note_attempt(row, std::move(attempt));
  note_unknown(row);
}

void MemoryTables::note_unknown(StoredDelivery& row) {
  Delivery& d = row.delivery;
  const ActionPtr action = snapshot_->find_action(d.action);
  ++d.unknown_streak;
  if (flaw_ == Flaw::unknown_is_final) {
    return end(row, DeliveryState::dead, EndReason::retries_exhausted);
  }
  if (d.unknown_streak <= kUnknownStreakMax || !action) {
    return make_wait(row, DeliveryState::pending, now_);
  }
  // It ran alone and still nobody knows: that counts as a failure.
  ++d.tries_used;
  if (d.tries_used < action->retry.tries()) {
    return make_wait(row, DeliveryState::retrying, now_ + action->retry.wait_after(d.tries_used));
  }
  if (d.cancel_wished) return end(row, DeliveryState::cancelled, row.wish);
  end(row, DeliveryState::dead, EndReason::retries_exhausted);
}

std::vector<Result<DeliveryState>> MemoryTables::cancel(const std::vector<DeliveryId>& ids) {
  std::vector<Result<DeliveryState>> out;
  for (const DeliveryId id : ids) {
    StoredDelivery* row = find(id);
    if (!row) {
      out.push_back(fail(errc::not_found));
    } else if (is_terminal(row->delivery.state)) {
      out.push_back(fail(errc::already_ended));
    } else if (row->delivery.state == DeliveryState::running) {
      row->delivery.cancel_wished = true;
      row->wish = EndReason::by_person;
      out.emplace_back(DeliveryState::running);
    } else {
      end(*row, DeliveryState::cancelled, EndReason::by_person);
      out.emplace_back(DeliveryState::cancelled);
    }
  }
  return out;
}

Result<Delivery> MemoryTables::retry_now(DeliveryId id) {
  StoredDelivery* row = find(id);
  if (!row) return fail(errc::not_found);
  if (is_terminal(row->delivery.state)) return fail(errc::already_ended);
  if (row->delivery.state != DeliveryState::retrying) {
    return fail(errc::conflict, "the delivery does not wait for a retry");
  }
  make_wait(*row, DeliveryState::pending, now_);
  return row->delivery;
}

Result<Delivery> MemoryTables::skip(DeliveryId id) {
  StoredDelivery* row = find(id);
  if (!row) return fail(errc::not_found);
  if (!blocks(*row) || !in_lane(*row)) {
    return fail(errc::conflict, "the delivery blocks no ordering key");
  }
  row->delivery.skipped = true;
  unblock(*find_lane(*row), row->stand);
  free_next(*find_lane(*row));
  return row->delivery;
}

OpenWork MemoryTables::open_work(ActionId action) const {
  const auto at = open_work_.find(action);
  return at == open_work_.end() ? OpenWork{} : at->second;
}

}  // namespace grapnel::doubles
