#include "sim/judge.h"

#include <algorithm>

#include "pipeline/limits.h"
#include "sim/limits.h"

namespace grapnel::sim {

using model::ActionId;
using model::DeliveryId;
using model::EventId;

void Judge::break_rule(std::string rule) {
  trace_.note("BROKEN {}", rule);
  broken_.push_back(std::move(rule));
}

// --- what senders and people are told

void Judge::acknowledged(const pipeline::Receipt& receipt, const Ledger::Key& key) {
  const EventId event = receipt.event;
  acknowledged_.insert(event);
  const bool known = ledger_.events.contains(event) || ledger_.taken.contains(event);
  if (!known && !rolled_back_.contains(event)) {
    break_rule("acknowledged and not durable: " + event.str());
  }
  if (receipt.admission != model::Admission::duplicate) return;
  coverage_.count(History::duplicate);
  const auto first = ledger_.keys.find(key);
  if (first == ledger_.keys.end() || first->second.event != event) {
    break_rule("a copy is not answered with the first event's id: " + event.str());
  }
}

void Judge::refused(const pipeline::Refusal& refusal) {
  using pipeline::RefusalKind;
  const bool full =
      refusal.kind == RefusalKind::backlog_full || refusal.kind == RefusalKind::held_full;
  if (full) coverage_.count(History::refused_full);
  if (!full && refusal.kind != RefusalKind::store_down) {
    break_rule("refused for no reason: " + refusal.detail);
  }
  if (refusals_ == Refusals::unexpected) break_rule("refused in peace: " + refusal.detail);
}

void Judge::cancel_answered(DeliveryId id, model::DeliveryState state) {
  if (state != model::DeliveryState::running) return;
  const Row* row = store_.tables().find(id);
  if (row && row->delivery.state == model::DeliveryState::running) ledger_.wished.insert(id);
}

// --- endpoints

std::optional<int> Judge::call_started(const model::HttpCall& call) {
  if (store_.is_crashed()) return std::nullopt;
  const auto name = model::find_header(call.headers, "X-Grapnel-Delivery").value_or("");
  const auto id = DeliveryId::parse(name);
  trace_.note("{} call {} {}", clock_.monotonic().time_since_epoch().count(), call.url, name);
  const int number = ++calls_made_;
  const Row* row = id ? store_.tables().find(*id) : nullptr;
  if (!row) {
    break_rule(fmt::format("an attempt of no delivery: {}", name));
    calls_.emplace(number, Call{});
    return number;
  }
  Call made{.delivery = *id, .action = row->delivery.action};
  made.alone = row->delivery.unknown_streak >= model::kUnknownStreakMax;
  if (row->delivery.state != State::running) break_rule(fmt::format("{} has no lease", name));
  check_body(call, *row);
  check_lane(*row);
  if (const auto action = store_.snapshot()->find_action(made.action)) {
    made.target = action->target_revision;
    check_bounds(*row, *action);
  }
  const auto attempt = model::find_header(call.headers, "X-Grapnel-Attempt").value_or("");
  if (attempt != fmt::format("{}", row->delivery.attempts + 1)) {
    break_rule(fmt::format("{} goes out as attempt {}", name, attempt));
  }
  if (made.alone) coverage_.count(History::ran_alone);
  const auto is_alone = [](const auto& other) { return other.second.alone; };
  if ((made.alone && !calls_.empty()) || std::ranges::any_of(calls_, is_alone)) {
    break_rule(fmt::format("{} runs beside another, and one of them runs alone", name));
  }
  calls_.emplace(number, made);
  return number;
}

void Judge::check_body(const model::HttpCall& call, const Row& row) {
  const auto& d = row.delivery;
  if (model::find_header(call.headers, "webhook-id") != d.event.str()) {
    break_rule(fmt::format("{} goes out under another event's id", d.id.str()));
  }
  const auto known = ledger_.events.find(d.event);
  if (known == ledger_.events.end()) {
    break_rule(fmt::format("{} is of no event", d.id.str()));
  } else if (call.body != expected_body(row, *known->second)) {
    break_rule(fmt::format("{} goes out with another body", d.id.str()));
  }
}

/// What the script of the source makes of it; of a split, that is what it was made as.
std::string Judge::expected_body(const Row& row, const std::string& received) const {
  const auto event = store_.tables().events().find(row.delivery.event_seq);
  const bool is_split = event != store_.tables().events().end() && event->second.event.parent;
  if (!is_scripted(row.delivery.source) || is_split) return received;
  return what_script_does(received) == ScriptDoes::passes ? received : made_of(received);
}

bool Judge::is_scripted(model::SourceId source) const {
  const auto entry = store_.snapshot()->find_source(source);
  return entry && entry->source.script;
}

/// Of a key, one at a time and in order.
void Judge::check_lane(const Row& row) {
  if (!row.key) return;
  const auto lane = ledger_.lanes.find({row.delivery.action, *row.key});
  if (lane == ledger_.lanes.end()) return;
  const auto action = store_.snapshot()->find_action(row.delivery.action);
  const bool blocks = action && action->on_dead == model::OnDead::block;
  for (const model::Seq seq : lane->second) {
    const auto at = store_.tables().deliveries().find(seq);
    if (at == store_.tables().deliveries().end() || seq == row.delivery.seq) continue;
    const Row& other = at->second;
    const auto name = [&] { return row.delivery.id.str(); };
    if (other.delivery.state == State::running) {
      break_rule("two of one ordering key at once: " + name());
    }
    // A replay stands at its original's place, and may come when the later ones went on already.
    if (other.stand >= row.stand || other.original != 0) continue;
    if (!model::is_terminal(other.delivery.state)) {
      break_rule("an ordering key's next before the former ended: " + name());
    }
    if (blocks && row.original == 0 && other.delivery.state == State::dead && !is_resolved(other)) {
      break_rule("a key goes on past a dead delivery that blocks it: " + name());
    }
  }
}

/// Whether a dead delivery blocks nothing any more: it, or one in its place, was skipped or
/// delivered.
bool Judge::is_resolved(const Row& row) const {
  const auto& tables = store_.tables();
  const auto event = tables.events().find(row.delivery.event_seq);
  if (row.delivery.skipped || event == tables.events().end()) return row.delivery.skipped;
  return std::ranges::any_of(event->second.deliveries, [&](model::Seq seq) {
    const Row& other = tables.deliveries().at(seq);
    return other.stand == row.stand &&
           (other.delivery.skipped || other.delivery.state == State::delivered);
  });
}

/// Whether something that began at that moment must be known by now to whoever starts an attempt.
/// In the same moment it may not be; and an attempt may have waited for an event that could not be
/// read.
bool Judge::is_late_start(Monotonic since) const {
  const bool waited = read_failed_ && clock_.monotonic() - *read_failed_ <=
                                          pipeline::kEventReadWaitMax + kReadSlack;
  return clock_.monotonic() > since && !waited;
}

void Judge::check_bounds(const Row& row, const model::Action& action) {
  const auto name = row.delivery.id.str();
  const auto beside = std::ranges::count_if(
      calls_, [&](const auto& call) { return call.second.action == action.id; });
  const Bound& bound = bounds_[action.id];
  const int most = is_late_start(bound.since) ? action.max_in_flight : bound.most;
  if (beside >= most) break_rule("more attempts than max_in_flight: " + name);
  if (calls_.size() >= static_cast<std::size_t>(kBounds.attempts_max)) {
    break_rule("more attempts than the process may make: " + name);
  }
  const auto closed = closed_.find(action.id);
  if (closed != closed_.end() && is_late_start(closed->second)) {
    break_rule("an attempt for an action that may not run: " + name);
  }
  if (store_down_ && is_late_start(*store_down_)) {
    break_rule("an attempt while the store cannot commit: " + name);
  }
}

void Judge::call_answered(int number, int status, std::optional<int> retry_after, Answer when) {
  const auto at = calls_.find(number);
  if (at == calls_.end()) return;
  const Call call = at->second;
  calls_.erase(at);
  ++coverage_.answers;
  if (when == Answer::late) coverage_.count(History::late_answer);
  trace_.note("{} answer {} {}", clock_.monotonic().time_since_epoch().count(), call.delivery.str(),
              status);
  Answered answer{.at = now(), .status = status};
  if (retry_after) answer.not_before = now() + std::chrono::seconds{*retry_after};
  const auto action = store_.snapshot()->find_action(call.action);
  answer.of_current_target = action && action->target_revision == call.target;
  answered_[call.delivery] = answer;
  if (status >= 200 && status <= 299) confirmed_.insert(call.delivery);
  if (status != 410) return;
  gone_said_.emplace(call.action, call.target);
  if (action && !answer.of_current_target) coverage_.count(History::late_gone);
}

// --- the store and the process

void Judge::store_answered(Store how) {
  if (how == Store::works) {
    store_down_.reset();
  } else if (!store_down_) {
    store_down_ = clock_.monotonic();
  }
}

void Judge::committed() {
  ++coverage_.commits;
  new_replays_.clear();
  newborn_.reset();
  if (ledger_.events.size() != store_.tables().events().size()) break_rule("an event vanished");
  look_at_definitions();
}

void Judge::look_at_definitions() {
  if (definitions_ == store_.snapshot()) return;
  definitions_ = store_.snapshot();
  std::map<ActionId, Monotonic> closed;
  for (const auto& [id, entry] : definitions_->sources) {
    for (const auto& action : entry->actions) {
      note_bound(*action);
      const bool gone = action->health == model::Health::gone;
      if (gone && !gone_said_.contains({action->id, action->target_revision})) {
        break_rule(fmt::format("{} is gone, and its target never said so", action->name));
      }
      const bool open = !action->deleting && !entry->source.deleting && !gone &&
                        action->desired == model::DesiredState::active;
      if (open) continue;
      const auto known = closed_.find(action->id);
      closed[action->id] = known == closed_.end() ? clock_.monotonic() : known->second;
    }
  }
  closed_ = std::move(closed);
}

/// An attempt that was on its way when a bound became smaller may still start.
void Judge::note_bound(const model::Action& action) {
  Bound& bound = bounds_[action.id];
  const int before = std::exchange(bound.now, action.max_in_flight);
  if (before == bound.now) return;
  const bool same_moment = bound.since == clock_.monotonic();
  bound.most = std::max({before, bound.now, same_moment ? bound.most : 0});
  bound.since = clock_.monotonic();
}

void Judge::died() {
  calls_.clear();
  answered_.clear();
  store_down_.reset();
  read_failed_.reset();
}

void Judge::began() {
  recovering_ = false;
  look_at_definitions();
}

void Judge::restored(const std::string& backup) {
  Ledger before = std::exchange(ledger_, backups_.at(backup));
  const auto forgive = [this](const EventId& event) {
    if (!ledger_.events.contains(event) && !ledger_.taken.contains(event)) {
      rolled_back_.insert(event);
    }
  };
  for (const auto& [event, body] : before.events) forgive(event);
  for (const EventId& event : before.taken) forgive(event);
  definitions_.reset();
}

// --- the end

void Judge::calm() {
  for (const auto& [id, entry] : store_.snapshot()->sources) {
    for (const auto& action : entry->actions) {
      if (action->deleting) break_rule("a deletion does not end: " + action->name);
      if (!closed_.contains(action->id)) continue;
      const auto work = store_.open_work(action->id);
      // What began before it closed may still be under way.
      const auto calls = std::ranges::count_if(
          calls_, [&](const auto& call) { return call.second.action == action->id; });
      if (work.running > calls) break_rule("leases of an action that may not run: " + action->name);
      if (action->health == model::Health::gone && work.count() > calls) {
        break_rule("open work of an action that is gone: " + action->name);
      }
    }
  }
}

void Judge::stopped() {
  for (const auto& [seq, row] : store_.tables().deliveries()) {
    if (row.delivery.state != State::running) continue;
    break_rule("a stop leaves a lease: " + row.delivery.id.str());
  }
}

std::int64_t Judge::open_work() const {
  const auto& tables = store_.tables();
  std::int64_t open = 0;
  for (const auto& [seq, event] : tables.events()) {
    open += event.event.fanout < model::FanoutState::done ? 1 : 0;
  }
  for (const auto& [seq, row] : tables.deliveries()) {
    open += model::is_terminal(row.delivery.state) ? 0 : 1;
  }
  for (const auto& job : tables.jobs()) open += job.state == model::JobState::running ? 1 : 0;
  return open;
}

void Judge::end() {
  if (const auto open = open_work(); open > 0) break_rule(fmt::format("{} are stuck", open));
  const auto& tables = store_.tables();
  for (const EventId& event : acknowledged_) {
    const bool kept = ledger_.events.contains(event) || ledger_.taken.contains(event);
    if (!kept && !rolled_back_.contains(event)) {
      break_rule("an acknowledged event is lost: " + event.str());
    }
  }
  if (tables.body_files() > 0) break_rule("bodies are left that no event has");
  std::set<model::JobId> jobs;
  for (const auto& job : tables.jobs()) jobs.insert(job.id);
  for (const model::JobId id : ledger_.jobs) {
    if (!jobs.contains(id)) break_rule("a bulk replay is lost: " + id.str());
  }
  for (const auto& [seq, event] : tables.events()) check_event(event);
  for (const auto& [seq, row] : tables.deliveries()) {
    trace_.note("end {} {} {}", row.delivery.id.str(), static_cast<int>(row.delivery.state),
                row.delivery.attempts);
  }
}

/// Exactly one original delivery per matching action, and none of what was only recorded.
void Judge::check_event(const doubles::StoredEvent& event) {
  if (is_scripted(event.event.source)) return check_scripted(event);
  std::map<ActionId, int> originals;
  for (const auto seq : event.deliveries) {
    const Row& row = store_.tables().deliveries().at(seq);
    if (row.original == 0) ++originals[row.delivery.action];
  }
  const bool done = event.event.fanout == model::FanoutState::done;
  for (const ActionId id : permanent_) {
    const auto action = store_.snapshot()->find_action(id);
    if (!action || action->source != event.event.source) continue;
    if (originals[id] == (done ? 1 : 0)) continue;
    break_rule(fmt::format("{} has {} deliveries of {}", action->name, originals[id],
                           event.event.id.str()));
  }
}

/// Each run has at most one original delivery per action, and the newest exactly one where it came
/// to its end; what was dropped or split has none.
void Judge::check_scripted(const doubles::StoredEvent& event) {
  std::map<std::pair<ActionId, int>, int> originals;
  for (const auto seq : event.deliveries) {
    const Row& row = store_.tables().deliveries().at(seq);
    if (row.original == 0) ++originals[{row.delivery.action, row.delivery.run}];
  }
  const auto name = [&] { return event.event.id.str(); };
  for (const auto& [of, count] : originals) {
    if (count > 1) break_rule(fmt::format("{} deliveries of one run of {}", count, name()));
  }
  const ScriptDoes does = event.event.parent ? ScriptDoes::passes : what_script_does(*event.body);
  const bool nothing = does == ScriptDoes::drops || does == ScriptDoes::splits;
  const bool done = event.event.fanout == model::FanoutState::done;
  for (const ActionId id : permanent_) {
    const auto action = store_.snapshot()->find_action(id);
    if (!action || action->source != event.event.source) continue;
    const int count = originals[{id, event.event.run}];
    if (nothing && count > 0) break_rule("what was dropped or split goes out: " + name());
    if (!nothing && done && count != 1) {
      break_rule(fmt::format("{} has {} deliveries of run {} of {}", action->name, count,
                             event.event.run, name()));
    }
  }
}

}  // namespace grapnel::sim
