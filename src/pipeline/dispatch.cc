#include "pipeline/dispatch.h"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace grapnel::pipeline {

using model::ActionId;
using model::AttemptResult;
using model::Settlement;

Dispatcher::Dispatcher(Parts parts)
    : parts_(parts),
      reader_(parts.timers, parts.log, parts.log_lines),
      wanted_(parts.executor, parts.timers),
      ended_(parts.executor, parts.timers),
      outcomes_({.executor = parts.executor,
                 .timers = parts.timers,
                 .book = parts.book,
                 .metrics = parts.metrics,
                 .log_lines = parts.log_lines,
                 .store_back =
                     [this] {
                       serve_held_up();
                       start_alone();
                       wanted_.ring();
                     }}),
      fanout_({.executor = parts.executor,
               .ids = parts.ids,
               .clock = parts.clock,
               .registry = parts.registry,
               .log = parts.log,
               .book = parts.book,
               .adopter = *this,
               .outcomes = outcomes_,
               .metrics = parts.metrics}),
      attempts_(parts.executor),
      background_(parts.executor) {}

Dispatcher::~Dispatcher() = default;

void Dispatcher::start() {
  background_.spawn(lease_loop());
  parts_.book.watch_work([this](const std::vector<model::WorkHint>& hints) { on_hints(hints); });
}

void Dispatcher::begin_drain() {
  draining_ = true;
  reader_.end_waiting();
  for (auto& [id, lane] : lanes_) {
    while (!lane->ready.empty()) hand_back(id, *lane, pop_ready(*lane));
  }
  if (const auto waiting = std::exchange(alone_, std::nullopt)) {
    hand_back(waiting->first, lane_of(waiting->first), waiting->second);
  }
  wanted_.ring();
}

async::Task<> Dispatcher::finish_attempts(async::Deadline deadline) {
  // First the lease loop: a call under way may bring leases that must go back.
  background_.cancel();
  co_await background_.join(parts_.timers, deadline);
  while (attempting_ + settling_ > 0 && !deadline.passed(parts_.timers.now())) {
    co_await ended_.wait_until(deadline.at());
  }
}

async::Task<> Dispatcher::stop(async::Deadline deadline) {
  if (!draining_) begin_drain();
  background_.cancel();
  co_await background_.join(parts_.timers, deadline);
  // A task that is canceled before its first turn would never run, and its lease never end.
  co_await boost::asio::post(parts_.executor, async::use_task);
  stopped_ = true;
  outcomes_.give_up();
  attempts_.cancel();
  co_await attempts_.join(parts_.timers, deadline);
  co_await outcomes_.stop(deadline);
}

Lane* Dispatcher::find_lane(ActionId id) {
  const auto at = lanes_.find(id);
  return at == lanes_.end() ? nullptr : at->second.get();
}

Lane& Dispatcher::lane_of(ActionId id) {
  auto& lane = lanes_[id];
  if (!lane) {
    lane = std::make_unique<Lane>();
    lane->refresh(*parts_.registry.snapshot(), id);
  }
  return *lane;
}

void Dispatcher::forget_if_idle(ActionId id) {
  if (Lane* lane = find_lane(id); lane && lane->is_idle()) lanes_.erase(id);
}

void Dispatcher::set_due(ActionId id, Lane& lane, std::optional<Time> due) {
  if (lane.listed) due_.erase({*lane.listed, id});
  lane.listed.reset();
  lane.next_due = due;
  if (due && lane.is_open()) {
    due_.insert({*due, id});
    lane.listed = due;
  }
}

void Dispatcher::on_hints(const std::vector<model::WorkHint>& hints) {
  for (const auto& hint : hints) {
    Lane& lane = lane_of(hint.action);
    // A lease call that is under way may have looked before this commit: its answer must not hide
    // it.
    if (leasing_) hinted_.push_back(hint);
    set_due(hint.action, lane, lane.next_due ? std::min(*lane.next_due, hint.due) : hint.due);
  }
  if (!hints.empty()) wanted_.ring();
}

void Dispatcher::on_definitions(const model::SnapshotPtr& snapshot) {
  std::vector<ActionId> removed;
  for (auto& [id, lane] : lanes_) {
    lane->refresh(*snapshot, id);
    set_due(id, *lane, lane->next_due);
    while (!lane->is_open() && !lane->ready.empty()) hand_back(id, *lane, pop_ready(*lane));
    pump(id);
    if (lane->life == Lane::Life::removed) removed.push_back(id);
  }
  for (const ActionId id : removed) forget_if_idle(id);
  if (alone_ && !lane_of(alone_->first).is_open()) {
    const auto waiting = *std::exchange(alone_, std::nullopt);
    hand_back(waiting.first, lane_of(waiting.first), waiting.second);
  }
  serve_held_up();
  wanted_.ring();
}

bool Dispatcher::reserve(const model::Action& action, std::uint64_t body_bytes) {
  if (draining_ || !store_is_up() || body_bytes > model::kBodyInlineBytesMax) return false;
  Lane& lane = lane_of(action.id);
  // What waits in the store goes first.
  const bool waits = lane.next_due && *lane.next_due <= parts_.clock.now();
  const bool fits = lane.ready.size() + lane.reserved < lane.ahead() &&
                    lane.ready_bytes + lane.reserved_bytes + body_bytes <= kReadyBytesMax &&
                    ready_bytes_ + reserved_bytes_ + body_bytes <= kReadyBytesTotalMax;
  if (waits || !fits || !lane.is_open()) {
    forget_if_idle(action.id);
    return false;
  }
  ++lane.reserved;
  lane.reserved_bytes += body_bytes;
  reserved_bytes_ += body_bytes;
  return true;
}

void Dispatcher::unreserve(Lane& lane, std::uint64_t body_bytes) {
  GRAPNEL_CHECK(lane.reserved > 0 && lane.reserved_bytes >= body_bytes, lane.reserved);
  --lane.reserved;
  lane.reserved_bytes -= body_bytes;
  reserved_bytes_ -= body_bytes;
}

void Dispatcher::release(ActionId action, std::uint64_t body_bytes) {
  Lane& lane = lane_of(action);
  unreserve(lane, body_bytes);
  call_for_work(lane);
  forget_if_idle(action);
}

void Dispatcher::adopt(const model::FanoutPlan& plan, const model::Appended& appended,
                       model::EventPtr event) {
  GRAPNEL_CHECK(plan.deliveries.size() == appended.deliveries.size(), appended.deliveries.size());
  for (std::size_t i = 0; i < plan.deliveries.size(); ++i) {
    if (plan.deliveries[i].birth != model::Birth::leased) continue;
    const model::BornDelivery& born = appended.deliveries[i];
    const ActionId id = plan.deliveries[i].action;
    if (born.fence == 0) {
      release(id, event->body_size);
      continue;
    }
    Ready ready = born_ready(appended, born, id, event);
    Lane& lane = lane_of(id);
    unreserve(lane, event->body_size);
    if (draining_ || !lane.is_open()) {  // since the plan was made
      hand_back(id, lane, ready);
      continue;
    }
    push_ready(lane, std::move(ready));
    pump(id);
  }
}

async::Task<> Dispatcher::lease_loop() {
  // Never cut off while it holds leases: it ends by the drain.
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  while (!draining_) {
    auto wanted = wishes();
    // A store that failed a lease call is asked again even when nothing is wished for any more:
    // nobody else would notice that it works.
    const bool asks = !store_is_up() && outcomes_.kept() == 0;
    if (wanted.empty() && !asks) {
      co_await wait_for_work();
    } else {
      co_await lease(std::move(wanted));
    }
  }
}

async::Task<> Dispatcher::wait_for_work() {
  const Time now = parts_.clock.now();
  // A lane that is due but has no room is woken by its attempts, not by time.
  const auto next = due_.lower_bound({now + Millis{1}, ActionId{}});
  if (next == due_.end()) {
    co_await wanted_.wait();
  } else {
    co_await wanted_.wait_until(parts_.timers.now() + (next->first - now));
  }
}

std::vector<model::LeaseWish> Dispatcher::wishes() {
  std::vector<model::LeaseWish> out;
  // Kept outcomes go first; and beside a delivery that runs alone nothing may start anyway.
  if (draining_ || alone_waits_or_runs() || outcomes_.kept() > 0) return out;
  const Time now = parts_.clock.now();
  int total = 0;
  using Place = std::set<std::pair<Time, ActionId>>::const_iterator;
  const auto wish_for = [&](Place at, Place end) {
    for (; at != end; ++at) {
      const auto room = static_cast<int>(lanes_.at(at->second)->room(ready_bytes_));
      if (room == 0) continue;
      if (out.size() >= kLeaseWishesMax || total >= kLeaseCountMax) {
        lease_from_ = *at;
        return;
      }
      const int count = std::min(room, kLeaseCountMax - total);
      out.push_back({.action = at->second, .count = count});
      total += count;
    }
  };
  // Soonest first; after a call that was full, from where it stopped, so that no backlog, however
  // old, keeps the others waiting.
  const auto end = due_.lower_bound({now + Millis{1}, ActionId{}});
  const auto from = std::exchange(lease_from_, {});
  const auto first = from.first > now ? due_.begin() : due_.lower_bound(from);
  wish_for(first, end);
  if (lease_from_ == std::pair<Time, ActionId>{}) wish_for(due_.begin(), first);
  return out;
}

void Dispatcher::call_for_work(const Lane& lane) {
  if (lane.listed && *lane.listed <= parts_.clock.now() && lane.room(ready_bytes_) > 0) {
    wanted_.ring();
  }
}

async::Task<> Dispatcher::lease(std::vector<model::LeaseWish> wished) {
  leasing_ = true;
  auto batch = co_await parts_.book.lease(std::move(wished));
  leasing_ = false;
  const auto hints = std::exchange(hinted_, {});
  if (!batch) {
    outcomes_.store_failed(batch.error());
    if (!draining_) co_await parts_.timers.sleep_for(outcomes_.backoff());
    co_return;
  }
  outcomes_.store_works();
  for (const auto& [id, due] : batch->next_due) {
    set_due(id, lane_of(id), due);
    forget_if_idle(id);
  }
  on_hints(hints);
  co_await take_leases(std::move(batch->leases));
}

std::vector<model::EventRun> Dispatcher::to_read_ahead(const std::vector<model::Lease>& leases) {
  std::vector<model::EventRun> runs;
  std::unordered_map<ActionId, std::uint64_t> bytes_of;
  std::uint64_t bytes = ready_bytes_ + reserved_bytes_;
  for (const auto& [delivery, fence] : leases) {
    if (delivery.body_size > model::kBodyInlineBytesMax) continue;
    const Lane& lane = lane_of(delivery.action);
    auto& of_lane =
        bytes_of.try_emplace(delivery.action, lane.ready_bytes + lane.reserved_bytes).first->second;
    if (of_lane + delivery.body_size > kReadyBytesMax) continue;
    if (bytes + delivery.body_size > kReadyBytesTotalMax) continue;
    of_lane += delivery.body_size;
    bytes += delivery.body_size;
    runs.push_back(run_of(delivery));
  }
  return runs;
}

async::Task<> Dispatcher::take_leases(std::vector<model::Lease> leases) {
  const auto events = co_await reader_.read_ahead(to_read_ahead(leases));
  std::set<ActionId> touched;
  for (auto& lease : leases) {
    const ActionId id = lease.delivery.action;
    Lane& lane = lane_of(id);
    parts_.metrics.queue_age(parts_.clock.now() - lease.delivery.due);
    const auto event = events.find(run_of(lease.delivery));
    Ready ready{.event = event == events.end() ? nullptr : event->second,
                .bytes = lease.delivery.body_size};
    ready.lease = std::move(lease);
    const bool needs_alone = ready.lease.delivery.unknown_streak >= model::kUnknownStreakMax;
    if (draining_ || !lane.is_open() || (needs_alone && alone_waits_or_runs())) {
      hand_back(id, lane, ready);
    } else if (needs_alone) {
      alone_.emplace(id, std::move(ready));
    } else {
      push_ready(lane, std::move(ready));
      touched.insert(id);
    }
  }
  for (const auto id : touched) pump(id);
  start_alone();
}

void Dispatcher::push_ready(Lane& lane, Ready ready) {
  if (ready.event) {
    lane.ready_bytes += ready.bytes;
    ready_bytes_ += ready.bytes;
  }
  lane.ready.push_back(std::move(ready));
}

Ready Dispatcher::pop_ready(Lane& lane) {
  Ready ready = std::move(lane.ready.front());
  lane.ready.pop_front();
  if (ready.event) {
    lane.ready_bytes -= ready.bytes;
    ready_bytes_ -= ready.bytes;
  }
  return ready;
}

bool Dispatcher::has_room() const {
  if (draining_ || !store_is_up() || alone_waits_or_runs()) return false;
  if (attempting_ >= parts_.bounds.attempts_max) return false;
  return attempting_ == 0 || attempt_bytes_ < parts_.bounds.bytes_max;
}

void Dispatcher::pump(ActionId id) {
  Lane* lane = find_lane(id);
  if (lane == nullptr) return;
  // Who waits for a shared bound already goes first.
  while (held_up_.empty() && has_room() && !lane->ready.empty() && lane->may_start()) {
    start(id, *lane, pop_ready(*lane));
  }
  hold_up(id, *lane);
  call_for_work(*lane);
}

void Dispatcher::hold_up(ActionId id, Lane& lane) {
  if (lane.held_up || lane.ready.empty() || !lane.may_start()) return;
  lane.held_up = true;
  held_up_.push_back(id);
}

void Dispatcher::serve_held_up() {
  while (!held_up_.empty() && has_room()) {
    const ActionId id = held_up_.front();
    held_up_.pop_front();
    Lane* lane = find_lane(id);
    if (lane == nullptr) continue;
    lane->held_up = false;
    if (!lane->ready.empty() && lane->may_start()) start(id, *lane, pop_ready(*lane));
    hold_up(id, *lane);
    call_for_work(*lane);
  }
}

void Dispatcher::start(ActionId id, Lane& lane, Ready ready) {
  ++lane.attempting;
  ++attempting_;
  attempt_bytes_ += ready.bytes;
  attempts_.spawn(run(id, std::move(ready)));
}

void Dispatcher::start_alone() {
  if (!alone_ || alone_runs_ || attempting_ > 0 || draining_ || !store_is_up()) return;
  auto [id, ready] = *std::exchange(alone_, std::nullopt);
  alone_runs_ = true;
  parts_.log_lines.warn("a delivery whose outcome was unknown too often runs alone",
                        {{"delivery", ready.lease.delivery.id.str()}});
  start(id, lane_of(id), std::move(ready));
}

async::Task<> Dispatcher::run(ActionId id, Ready ready) {
  // A cancellation reaches the sender alone: the outcome is stored whatever happens.
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  // Attempts that fail before they wait for anything do not nest in each other's ends.
  co_await boost::asio::post(parts_.executor, async::use_task);
  const bool was_alone = alone_runs_;
  AttemptReport report = co_await make_attempt(id, ready);
  Lane& lane = lane_of(id);
  auto made = std::move(report.made);
  Settlement settlement = conclude(id, lane, ready, std::move(report));
  if (!made) ready.event.reset();
  --lane.attempting;
  --attempting_;
  attempt_bytes_ -= ready.bytes;
  ++lane.settling;
  ++settling_;
  if (was_alone) {
    alone_runs_ = false;
    wanted_.ring();
  }
  pump(id);
  serve_held_up();
  start_alone();
  co_await finish(id, std::move(settlement), std::move(made), std::move(ready));
}

async::Task<AttemptReport> Dispatcher::make_attempt(ActionId id, Ready& ready) {
  AttemptReport unmade;
  unmade.attempt.result = AttemptResult::handed_back;
  const model::Delivery& delivery = ready.lease.delivery;
  if (!ready.event) {
    // While one runs alone everybody waits for it.
    const auto read = alone_runs_ ? co_await reader_.try_read({run_of(delivery)})
                                  : co_await reader_.read({run_of(delivery)});
    if (!read || stopped_) co_return unmade;
    const auto& event = read->front();
    if (!event || !*event) {
      co_return parts_.attempter.unsendable(
          delivery, event ? "the event's body is gone" : event.error().message());
    }
    ready.event = *event;
  }
  // After all waiting: the newest definitions this process has seen.
  const auto snapshot = parts_.registry.snapshot();
  const auto action = snapshot->find_action(id);
  const auto entry = action ? snapshot->find_source(action->source) : nullptr;
  if (!entry) co_return unmade;
  co_return co_await parts_.attempter.attempt(entry, action, ready.event, delivery);
}

Settlement Dispatcher::conclude(ActionId id, Lane& lane, const Ready& ready, AttemptReport report) {
  const auto action = parts_.registry.snapshot()->find_action(id);
  const model::Attempt& attempt = report.attempt;
  const Time again = parts_.clock.now() + (draining_ ? Millis{0} : kUnreadableRest);
  Settlement settlement{.delivery = ready.lease.delivery.seq,
                        .fence = ready.lease.fence,
                        .kind = Settlement::Kind::hand_back,
                        .due = again};
  if (attempt.number == 0) return settlement;
  parts_.metrics.attempted(attempt);
  parts_.journal.attempted(ready.lease.delivery, attempt,
                           ready.event ? ready.event->traceparent : "");
  const AttemptResult result = attempt.result;
  if (!action) {  // removed meanwhile: only a success still counts
    if (result == AttemptResult::succeeded) settlement.kind = Settlement::Kind::delivered;
    settlement.attempt = std::move(report.attempt);
    return settlement;
  }
  const std::string error = attempt.error;
  const model::Revision target = report.target_revision;
  settlement = settle(ready.lease, *action, std::move(report), parts_.clock.now(), parts_.random);
  if (auto health = lane.note_result(result, *action, target, error);
      health && !settlement.health) {
    settlement.health = std::move(health);
  }
  return settlement;
}

async::Task<> Dispatcher::finish(ActionId id, Settlement settlement, std::optional<Made> made,
                                 Ready ready) {
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  if (made && settlement.kind == Settlement::Kind::delivered) {
    co_await fanout_.write(std::move(settlement), std::move(*made), std::move(ready.event),
                           ready.lease.delivery.run);
  } else {
    co_await outcomes_.write(std::move(settlement));
  }
  --lane_of(id).settling;
  --settling_;
  pump(id);
  forget_if_idle(id);
  if (attempting_ + settling_ == 0) ended_.ring();
}

void Dispatcher::hand_back(ActionId id, Lane& lane, const Ready& ready) {
  ++lane.settling;
  ++settling_;
  attempts_.spawn(finish(id,
                         {.delivery = ready.lease.delivery.seq,
                          .fence = ready.lease.fence,
                          .kind = Settlement::Kind::hand_back,
                          .due = parts_.clock.now()},
                         std::nullopt, {}));
}

}  // namespace grapnel::pipeline
