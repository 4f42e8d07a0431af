// The judge's rules of the rows: each durable change is looked at as it is made.
#include <algorithm>

#include "model/transform.h"
#include "sim/judge.h"

namespace grapnel::sim {

using model::AttemptResult;
using model::EndReason;

namespace {

bool last_attempt_was(const doubles::StoredDelivery& row, AttemptResult result) {
  return !row.attempts.empty() && row.attempts.back().result == result;
}

bool is_transform(const doubles::StoredDelivery& row) { return model::is_transform(row.delivery); }

/// The least that jitter leaves of a wait.
Millis least(Millis wait) { return wait * 8 / 10; }

}  // namespace

void Judge::appended(const doubles::StoredEvent& stored) {
  const model::Event& event = stored.event;
  trace_.note("event {} fanout {}", event.id.str(), static_cast<int>(event.fanout));
  ledger_.events.emplace(event.id, stored.body);
  const auto source = store_.snapshot()->find_source(event.source);
  if (event.fanout == model::FanoutState::held &&
      source->source.mode == model::SourceMode::active) {
    coverage_.count(History::release_races_new);
  }
  if (event.parent) coverage_.count(History::transform_split);
  if (event.idempotency_key.empty()) return;
  const auto [first, added] =
      ledger_.keys.try_emplace({event.source, event.idempotency_key}, event.id, event.received);
  if (!added && now() - first->second.received < model::kIdempotencyWindow) {
    break_rule("two events of one idempotency key: " + event.id.str());
  }
  first->second = {event.id, event.received};
}

void Judge::entered(const Row& row, std::optional<State> from) {
  const State to = row.delivery.state;
  trace_.note("{} {} -> {} reason {}", row.delivery.id.str(), from ? static_cast<int>(*from) : -1,
              static_cast<int>(to), static_cast<int>(row.delivery.reason));
  if (!from) {
    newborn_ = row.delivery.seq;
    return born(row);
  }
  if (to == State::running) return leased(row, *from);
  if (*from == State::running) return left_running(row);
  switch (to) {
    case State::pending:
      coverage_.count(Step::retry_asked);
      if (!retry_asked_.contains(row.delivery.id)) {
        break_rule("due again, and nobody asked: " + row.delivery.id.str());
      }
      ledger_.not_before.erase(row.delivery.id);
      return;
    case State::dead: return dead_waiting(row, *from);
    case State::cancelled: return cancelled(row, *from);
    default: break_rule("a state that cannot follow: " + row.delivery.id.str());
  }
}

void Judge::born(const Row& row) {
  const auto& d = row.delivery;
  if (row.key) ledger_.lanes[{d.action, *row.key}].push_back(d.seq);
  if (row.original != 0) {
    coverage_.count(Step::born_replay);
    if (is_transform(row)) coverage_.count(History::transform_again);
    new_replays_.push_back(d.action);
    const auto& original = store_.tables().deliveries().at(row.original);
    if (original.delivery.state == State::dead && original.replays.size() > 1) {
      break_rule("a dead delivery is replayed twice: " + original.delivery.id.str());
    }
    return;
  }
  coverage_.count(Step::born_pending);
  // Their fan-outs end in any order; check_scripted() counts them.
  if (is_scripted(d.source)) return born_scripted(row);
  model::Seq& newest = ledger_.newest_event[d.action];
  if (d.event_seq == newest) break_rule("two deliveries of " + d.event.str());
  if (d.event_seq < newest) break_rule("fanned out after a newer event: " + d.event.str());
  newest = std::max(newest, d.event_seq);
}

void Judge::born_scripted(const Row& row) {
  if (is_transform(row)) return;
  const auto& event = store_.tables().events().at(row.delivery.event_seq);
  if (!event.event.parent) coverage_.count(History::transformed);
}

void Judge::leased(const Row& row, State from) {
  const auto& d = row.delivery;
  coverage_.count(from == State::pending ? Step::pending_leased : Step::retrying_leased);
  newborn_.reset();
  const auto wait = ledger_.not_before.find(d.id);
  if (wait != ledger_.not_before.end() && now() < wait->second) {
    break_rule("tried again before its time: " + d.id.str());
  }
}

void Judge::left_running(const Row& row) {
  const auto& d = row.delivery;
  ledger_.not_before.erase(d.id);
  const bool wished = ledger_.wished.contains(d.id);
  if (wished && d.state != State::cancelled && d.state != State::delivered) {
    break_rule("a wish to cancel was forgotten: " + d.id.str());
  }
  switch (d.state) {
    case State::delivered:
      coverage_.count(wished ? Step::success_beats_wish : Step::delivered);
      if (is_transform(row)) {
        if (what_script_does(*ledger_.events.at(d.event)) == ScriptDoes::drops) {
          coverage_.count(History::transform_dropped);
        }
      } else if (!confirmed_.contains(d.id)) {
        break_rule("delivered, and nobody confirmed it: " + d.id.str());
      }
      break;
    case State::retrying: failed(row); break;
    case State::dead: died_running(row); break;
    case State::cancelled: cancelled(row, State::running); break;
    default:
      coverage_.count(recovering_ ? Step::unknown : Step::handed_back);
      if (recovering_ && is_transform(row)) coverage_.count(History::transform_unknown);
      if (!recovering_ || !row.key) break;
      const auto& lane = ledger_.lanes[{d.action, *row.key}];
      const bool another = std::ranges::any_of(lane, [&](model::Seq seq) {
        const auto at = store_.tables().deliveries().find(seq);
        return seq > d.seq && at != store_.tables().deliveries().end() &&
               !model::is_terminal(at->second.delivery.state);
      });
      if (another) coverage_.count(History::ordered_unknown);
  }
  answered_.erase(d.id);
}

/// running -> retrying.
void Judge::failed(const Row& row) {
  const auto& d = row.delivery;
  coverage_.count(recovering_ ? Step::unknown_counts : Step::retrying);
  ledger_.not_before[d.id] = d.due;
  if (recovering_) {
    if (d.unknown_streak <= model::kUnknownStreakMax) {
      break_rule("an unknown outcome counts as a failure: " + d.id.str());
    }
    return;
  }
  if (is_transform(row)) return;
  const auto answer = answered_.find(d.id);
  if (answer == answered_.end()) return break_rule("failed without an answer: " + d.id.str());
  if (answer->second.not_before && d.due < *answer->second.not_before) {
    break_rule("a Retry-After is not honoured: " + d.id.str());
  }
  const auto action = store_.snapshot()->find_action(d.action);
  if (!action || d.tries_used >= action->retry.tries()) return;
  if (d.due < answer->second.at + least(action->retry.wait_after(d.tries_used))) {
    break_rule("due before its schedule says: " + d.id.str());
  }
}

/// running -> dead.
void Judge::died_running(const Row& row) {
  const auto& d = row.delivery;
  const auto action = store_.snapshot()->find_action(d.action);
  if (is_transform(row)) coverage_.count(History::transform_dead);
  switch (d.reason) {
    case EndReason::endpoint_gone:
      coverage_.count(Step::dead_gone_running);
      if (action && action->health != model::Health::gone) {
        // The target may have changed since the answer, not before it.
        const auto answer = answered_.find(d.id);
        const bool said = answer != answered_.end() && answer->second.status == 410 &&
                          answer->second.of_current_target;
        if (!said) break_rule("dead because its endpoint is gone, which it is not: " + d.id.str());
      }
      break;
    case EndReason::retries_exhausted:
      coverage_.count(recovering_ ? Step::unknown_counts : Step::dead_no_tries);
      if (recovering_ && d.unknown_streak <= model::kUnknownStreakMax) {
        break_rule("an unknown outcome is a failure for good: " + d.id.str());
      }
      if (action && d.tries_used < action->retry.tries()) {
        break_rule("dead with tries left: " + d.id.str());
      }
      break;
    case EndReason::final_failure:
      coverage_.count(Step::dead_final);
      if (action && action->retry.policy != model::RetryOn::transient) {
        break_rule("a failure is final that the policy retries: " + d.id.str());
      }
      break;
    default: break_rule("dead for no reason: " + d.id.str());
  }
}

/// pending, retrying -> dead.
void Judge::dead_waiting(const Row& row, State from) {
  const auto& d = row.delivery;
  const bool is_new = newborn_ == d.seq;
  newborn_.reset();
  ledger_.not_before.erase(d.id);
  const auto action = store_.snapshot()->find_action(d.action);
  const bool gone = action && action->health == model::Health::gone;
  if (d.reason == EndReason::backlog_full && is_new) {
    coverage_.count(Step::born_dead_full);
  } else if (d.reason == EndReason::endpoint_gone && (gone || is_new)) {
    coverage_.count(is_new                   ? Step::born_dead_gone
                    : from == State::pending ? Step::pending_dead_gone
                                             : Step::retrying_dead_gone);
  } else {
    break_rule("dead while it waited: " + d.id.str());
  }
}

void Judge::cancelled(const Row& row, State from) {
  const auto& d = row.delivery;
  ledger_.not_before.erase(d.id);
  const bool by_person = d.reason == EndReason::by_person;
  if (from == State::running) {
    coverage_.count(by_person ? Step::running_cancelled : Step::running_deleted);
    if (last_attempt_was(row, AttemptResult::succeeded)) {
      break_rule("cancelled after it was confirmed: " + d.id.str());
    }
  } else if (from == State::pending) {
    coverage_.count(by_person ? Step::pending_cancelled : Step::pending_deleted);
  } else {
    coverage_.count(by_person ? Step::retrying_cancelled : Step::retrying_deleted);
  }
  const auto action = store_.snapshot()->find_action(d.action);
  const bool deleting = !action || action->deleting;
  if (by_person ? !cancel_asked_.contains(d.id) : !deleting) {
    break_rule("cancelled, and nobody asked: " + d.id.str());
  }
}

void Judge::erasing(const doubles::StoredEvent& stored) {
  const model::Event& event = stored.event;
  trace_.note("swept {}", event.id.str());
  coverage_.count(History::swept);
  ledger_.events.erase(event.id);
  ledger_.taken.insert(event.id);
  const auto open = [&](std::string_view why) {
    break_rule(fmt::format("retention removed {}, {}", event.id.str(), why));
  };
  if (event.fanout < model::FanoutState::done) return open("which is held");
  Time ended = stored.fanout_ended;
  Millis period = retention_.finished;
  for (const model::Seq seq : stored.deliveries) {
    const Row& row = store_.tables().deliveries().at(seq);
    const auto& d = row.delivery;
    if (!model::is_terminal(d.state)) return open("whose deliveries are open");
    ended = std::max(ended, *d.ended);
    if (d.state != State::dead || d.replayed_by) continue;
    period = retention_.dead;
    for (const auto& job : store_.tables().jobs()) {
      if (job.state == model::JobState::running && job.cursor < d.ended_seq &&
          d.ended_seq <= job.ceiling && (!job.filter.action || *job.filter.action == d.action)) {
        return open("which a bulk replay covers");
      }
    }
    const auto action = store_.snapshot()->find_action(d.action);
    if (row.key && action && action->on_dead == model::OnDead::block && !is_resolved(row)) {
      return open("which blocks its key");
    }
  }
  if (ended + period > now()) open("before its time");
  check_event(stored);
}

}  // namespace grapnel::sim
