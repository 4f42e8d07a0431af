#include "pipeline/dispatch.h"

#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "pipeline/limits.h"

namespace grapnel::pipeline {
namespace {

using model::ActionId;
using model::AttemptResult;
using model::Settlement;

/// Leased ahead of its attempts: four rounds of what may be in flight.
std::size_t ahead_of(const Lane& lane) {
  const auto rounds = static_cast<std::size_t>(lane.action ? lane.action->max_in_flight : 1) * 4;
  return std::clamp<std::size_t>(rounds, 16, kReadyAheadMax);
}

}  // namespace

Dispatcher::Dispatcher(Parts parts)
    : parts_(parts),
      backoff_(kStoreRetryMin),
      wanted_(parts.executor),
      settled_(parts.executor),
      settlements_(parts.executor,
                   [&book = parts.book](std::vector<Settlement> settlements) {
                     return book.settle(std::move(settlements));
                   }),
      attempts_(parts.executor),
      background_(parts.executor) {}

Dispatcher::~Dispatcher() = default;

void Dispatcher::start() {
  background_.spawn(lease_loop());
  parts_.book.watch_work([this](const std::vector<model::WorkHint>& hints) { on_hints(hints); });
}

void Dispatcher::begin_drain() {
  draining_ = true;
  for (auto& [id, lane] : lanes_) {
    while (!lane->ready.empty()) hand_back(id, pop_ready(*lane));
  }
  while (!alone_.empty()) {
    auto [id, ready] = std::move(alone_.front());
    alone_.pop_front();
    hand_back(id, std::move(ready));
  }
  wanted_.notify_all();
}

async::Task<> Dispatcher::stop(async::Deadline deadline) {
  if (!draining_) begin_drain();
  background_.spawn(alarm(deadline.at()));
  while (attempts_.running() > 0 && !deadline.passed(parts_.timers.now())) co_await settled_.wait();
  stopped_ = true;
  attempts_.cancel();
  co_await attempts_.join();
  co_await settlements_.stop();
  background_.cancel();
  co_await background_.join();
}

// ---- lanes

Lane& Dispatcher::lane_of(ActionId id) {
  auto& lane = lanes_[id];
  if (!lane) {
    lane = std::make_unique<Lane>();
    lane->action = parts_.registry.snapshot()->find_action(id);
  }
  return *lane;
}

void Dispatcher::forget_if_idle(ActionId id) {
  const auto at = lanes_.find(id);
  if (at != lanes_.end() && at->second->is_idle() && !at->second->next_due) lanes_.erase(at);
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
  if (!hints.empty()) wanted_.notify_all();
}

void Dispatcher::on_definitions(const model::SnapshotPtr& snapshot) {
  for (auto& [id, lane] : lanes_) {
    const auto action = snapshot->find_action(id);
    if (action == lane->action) continue;
    lane->action = action;
    set_due(id, *lane, lane->next_due);
    if (!lane->is_open()) {
      while (!lane->ready.empty()) hand_back(id, pop_ready(*lane));
    }
  }
  std::erase_if(alone_, [&](auto& waiting) {
    if (lane_of(waiting.first).is_open()) return false;
    hand_back(waiting.first, std::move(waiting.second));
    return true;
  });
  pump_all();
  wanted_.notify_all();
}

// ---- born leased

bool Dispatcher::reserve(const model::Action& action, std::uint64_t body_bytes) {
  if (draining_ || !store_up_ || body_bytes > model::kBodyInlineBytesMax) return false;
  Lane& lane = lane_of(action.id);
  if (!lane.is_open()) return false;
  // What waits in the store goes first.
  if (lane.next_due && *lane.next_due <= parts_.clock.now()) return false;
  if (lane.ready.size() + lane.reserved >= ahead_of(lane)) return false;
  if (lane.ready_bytes + lane.reserved_bytes + body_bytes > kReadyBytesMax) return false;
  if (ready_bytes_ + body_bytes > kReadyBytesTotalMax) return false;
  ++lane.reserved;
  lane.reserved_bytes += body_bytes;
  return true;
}

void Dispatcher::release(ActionId action, std::uint64_t body_bytes) {
  Lane& lane = lane_of(action);
  GRAPNEL_CHECK(lane.reserved > 0 && lane.reserved_bytes >= body_bytes, lane.reserved);
  --lane.reserved;
  lane.reserved_bytes -= body_bytes;
}

void Dispatcher::adopt(const model::FanoutPlan& plan, const model::Appended& appended,
                       model::EventPtr event) {
  GRAPNEL_CHECK(plan.deliveries.size() == appended.deliveries.size(), appended.deliveries.size());
  for (std::size_t i = 0; i < plan.deliveries.size(); ++i) {
    if (plan.deliveries[i].birth != model::Birth::leased) continue;
    const model::BornDelivery& born = appended.deliveries[i];
    const ActionId id = plan.deliveries[i].action;
    release(id, event->body_size);
    if (born.fence == 0) continue;
    Ready ready{.event = event, .bytes = event->body_size};
    ready.lease.fence = born.fence;
    model::Delivery& delivery = ready.lease.delivery;
    delivery.seq = born.seq;
    delivery.id = born.id;
    delivery.event_seq = appended.seq;
    delivery.event = event->id;
    delivery.event_type = event->type;
    delivery.source = event->source;
    delivery.action = id;
    delivery.state = model::DeliveryState::running;
    delivery.created = event->received;
    delivery.due = event->received;
    delivery.body_size = event->body_size;
    push_ready(lane_of(id), std::move(ready));
    pump(id);
  }
}

// ---- leasing

async::Task<> Dispatcher::lease_loop() {
  while (true) {
    auto wanted = wishes();
    if (wanted.empty()) {
      arm_alarm();
      co_await wanted_.wait();
      continue;
    }
    co_await lease(std::move(wanted));
  }
}

std::size_t Dispatcher::room_in(const Lane& lane) const {
  const std::size_t used = lane.ready.size() + lane.reserved;
  const std::size_t ahead = ahead_of(lane);
  if (used > ahead / 2) return 0;
  if (lane.ready_bytes >= kReadyBytesMax || ready_bytes_ >= kReadyBytesTotalMax)
    return used == 0 ? 1 : 0;
  return ahead - used;
}

std::vector<model::LeaseWish> Dispatcher::wishes() const {
  std::vector<model::LeaseWish> out;
  if (draining_) return out;
  const Time now = parts_.clock.now();
  int total = 0;
  for (const auto& [due, id] : due_) {
    if (due > now || out.size() >= kLeaseWishesMax || total >= kLeaseCountMax) break;
    const auto room = static_cast<int>(room_in(*lanes_.at(id)));
    if (room == 0) continue;
    const int count = std::min(room, kLeaseCountMax - total);
    out.push_back({.action = id, .count = count});
    total += count;
  }
  return out;
}

void Dispatcher::arm_alarm() {
  if (draining_ || due_.empty()) return;
  const Time now = parts_.clock.now();
  // A lane that is due but has no room is woken by its attempts, not by time.
  const auto next =
      std::ranges::find_if(due_, [now](const auto& entry) { return entry.first > now; });
  if (next == due_.end()) return;
  const Millis wait = std::min(next->first - now, kAlarmMax);
  const Monotonic at = parts_.timers.now() + wait;
  if (armed_ != Monotonic::max() && armed_ <= at) return;
  armed_ = at;
  background_.spawn(alarm(at));
}

async::Task<> Dispatcher::alarm(Monotonic at) {
  const auto slept = co_await parts_.timers.sleep_until(at);
  if (armed_ <= at) armed_ = Monotonic::max();
  if (slept) {
    wanted_.notify_all();
    settled_.notify_all();
  }
}

async::Task<> Dispatcher::lease(std::vector<model::LeaseWish> wished) {
  leasing_ = true;
  auto batch = co_await parts_.book.lease(std::move(wished));
  leasing_ = false;
  const auto hints = std::exchange(hinted_, {});
  if (!batch) {
    store_failed(batch.error());
    co_await parts_.timers.sleep_for(store_backoff());
    co_return;
  }
  store_works();
  for (const auto& [id, due] : batch->next_due) set_due(id, lane_of(id), due);
  on_hints(hints);
  co_await take_leases(std::move(batch->leases));
}

async::Task<> Dispatcher::take_leases(std::vector<model::Lease> leases) {
  std::vector<model::Seq> seqs;
  for (const auto& lease : leases) {
    if (lease.delivery.body_size <= model::kBodyInlineBytesMax)
      seqs.push_back(lease.delivery.event_seq);
  }
  std::unordered_map<model::Seq, model::EventPtr> events;
  if (!seqs.empty()) {
    auto read = co_await parts_.log.read(seqs);
    for (std::size_t i = 0; read && i < seqs.size(); ++i) {
      if ((*read)[i]) events[seqs[i]] = *(*read)[i];
    }
  }
  std::set<ActionId> touched;
  for (auto& lease : leases) {
    const ActionId id = lease.delivery.action;
    Lane& lane = lane_of(id);
    const auto found = events.find(lease.delivery.event_seq);
    Ready ready{.lease = std::move(lease)};
    ready.event = found == events.end() ? nullptr : found->second;
    ready.bytes = ready.lease.delivery.body_size;
    parts_.metrics.queue_age(parts_.clock.now() - ready.lease.delivery.due);
    if (draining_ || !lane.is_open()) {
      hand_back(id, std::move(ready));
    } else if (ready.lease.delivery.unknown_streak > model::kUnknownStreakMax) {
      ++lane.settling;
      attempts_.spawn(finish(id, settle_unknown_as_failure(ready.lease, *lane.action,
                                                           parts_.clock.now(), parts_.random)));
    } else if (ready.lease.delivery.unknown_streak == model::kUnknownStreakMax) {
      alone_.emplace_back(id, std::move(ready));
    } else {
      push_ready(lane, std::move(ready));
      touched.insert(id);
    }
  }
  for (const auto id : touched) pump(id);
  start_alone();
}

// ---- attempting

bool Dispatcher::may_start(const Lane& lane) const {
  if (draining_ || !store_up_ || !alone_.empty() || alone_runs_) return false;
  if (attempting_ >= kAttemptsMax) return false;
  if (attempting_ > 0 && attempt_bytes_ >= kAttemptBytesMax) return false;
  return lane.is_open() && lane.attempting < lane.action->max_in_flight &&
         lane.settling < kSettlingMax;
}

void Dispatcher::push_ready(Lane& lane, Ready ready) {
  if (ready.event == nullptr) ready.bytes = 0;  // read when it starts
  lane.ready_bytes += ready.bytes;
  ready_bytes_ += ready.bytes;
  lane.ready.push_back(std::move(ready));
}

Ready Dispatcher::pop_ready(Lane& lane) {
  Ready ready = std::move(lane.ready.front());
  lane.ready.pop_front();
  lane.ready_bytes -= ready.bytes;
  ready_bytes_ -= ready.bytes;
  ready.bytes = ready.lease.delivery.body_size;
  return ready;
}

void Dispatcher::pump(ActionId id) {
  const auto at = lanes_.find(id);
  if (at == lanes_.end()) return;
  Lane& lane = *at->second;
  while (!lane.ready.empty() && may_start(lane)) start(id, lane, pop_ready(lane));
  if (!lane.ready.empty() && lane.is_open() && lane.attempting < lane.action->max_in_flight) {
    held_up_ = true;  // by a bound that all lanes share
  }
  if (lane.listed && *lane.listed <= parts_.clock.now() && room_in(lane) > 0) wanted_.notify_all();
}

void Dispatcher::pump_all() {
  held_up_ = false;
  for (auto& [id, lane] : lanes_) pump(id);
  start_alone();
}

void Dispatcher::start(ActionId id, Lane& lane, Ready ready) {
  ++lane.attempting;
  ++attempting_;
  attempt_bytes_ += ready.bytes;
  attempts_.spawn(run(id, std::move(ready)));
}

void Dispatcher::start_alone() {
  if (alone_.empty() || alone_runs_ || attempting_ > 0 || draining_ || !store_up_) return;
  auto [id, ready] = std::move(alone_.front());
  alone_.pop_front();
  alone_runs_ = true;
  parts_.log_lines.warn("a delivery whose outcome was unknown too often runs alone",
                        {{"delivery", ready.lease.delivery.id.str()}});
  start(id, lane_of(id), std::move(ready));
}

async::Task<> Dispatcher::run(ActionId id, Ready ready) {
  // A cancellation reaches the sender alone: the outcome is stored whatever happens.
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  const bool was_alone = alone_runs_;
  const std::uint64_t bytes = ready.bytes;
  AttemptReport report = co_await make_attempt(id, ready);
  Lane& lane = lane_of(id);
  Settlement settlement = conclude(id, lane, ready, std::move(report));
  ready.event.reset();
  --lane.attempting;
  --attempting_;
  attempt_bytes_ -= bytes;
  ++lane.settling;
  if (was_alone) alone_runs_ = false;
  if (was_alone || held_up_) {
    pump_all();
  } else {
    pump(id);
    start_alone();
  }
  co_await finish(id, std::move(settlement));
}

async::Task<AttemptReport> Dispatcher::make_attempt(ActionId id, Ready& ready) {
  const auto snapshot = parts_.registry.snapshot();
  const auto action = snapshot->find_action(id);
  const auto entry = action ? snapshot->find_source(action->source) : nullptr;
  AttemptReport unmade;
  unmade.attempt.result = AttemptResult::handed_back;
  if (!entry) co_return unmade;
  if (!ready.event) {
    auto read = co_await parts_.log.read({ready.lease.delivery.event_seq});
    if (!read) {
      store_failed(read.error());
      co_return unmade;
    }
    if (auto& event = read->front(); event && *event) {
      ready.event = *event;
    } else {
      unmade.attempt.number = ready.lease.delivery.attempts + 1;
      unmade.attempt.started = parts_.clock.now();
      unmade.attempt.result = AttemptResult::failed;
      unmade.attempt.step = model::AttemptStep::prepare;
      unmade.attempt.error =
          event ? "prepare: the event's body is gone" : "prepare: " + event.error().message();
      unmade.body_damaged = true;
      co_return unmade;
    }
  }
  co_return co_await parts_.attempter.attempt(entry, action, ready.event, ready.lease.delivery);
}

Settlement Dispatcher::conclude(ActionId id, Lane& lane, const Ready& ready, AttemptReport report) {
  const auto action = parts_.registry.snapshot()->find_action(id);
  const model::Attempt& attempt = report.attempt;
  if (attempt.number > 0) parts_.metrics.attempted(ready.lease.delivery, attempt);
  if (!action || attempt.number == 0) {
    return {.delivery = ready.lease.delivery.seq,
            .fence = ready.lease.fence,
            .kind = Settlement::Kind::hand_back};
  }
  parts_.journal.attempted(ready.lease.delivery, attempt,
                           ready.event ? ready.event->traceparent : "");
  const AttemptResult result = attempt.result;
  const std::string error = attempt.error;
  const model::Revision target = report.target_revision;
  Settlement settlement =
      settle(ready.lease, *action, std::move(report), parts_.clock.now(), parts_.random);
  if (result == AttemptResult::succeeded) {
    lane.failures = 0;
    if (action->health == model::Health::failing) {
      settlement.health =
          model::HealthReport{.health = model::Health::ok, .target_revision = target};
    }
  } else if (result == AttemptResult::failed && ++lane.failures >= kFailingAfter &&
             action->health == model::Health::ok && !settlement.health) {
    settlement.health = model::HealthReport{
        .health = model::Health::failing, .target_revision = target, .reason = error};
  }
  return settlement;
}

// ---- settling

async::Task<> Dispatcher::finish(ActionId id, Settlement settlement) {
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  while (true) {
    const auto settled = co_await settlements_.add(settlement);
    if (settled) {
      store_works();
      parts_.metrics.settled(settlement, *settled);
      if (settled->stale) {
        parts_.log_lines.warn("an outcome came after its lease was taken away; it counts nothing",
                              {{"delivery_seq", settlement.delivery}});
      }
      break;
    }
    store_failed(settled.error());
    if (stopped_) break;  // the next start finds the lease and counts it as unknown
    co_await parts_.timers.sleep_for(store_backoff());
  }
  Lane& lane = lane_of(id);
  --lane.settling;
  pump(id);
  forget_if_idle(id);
  settled_.notify_all();
}

void Dispatcher::hand_back(ActionId id, Ready ready) {
  ++lane_of(id).settling;
  attempts_.spawn(finish(id, {.delivery = ready.lease.delivery.seq,
                              .fence = ready.lease.fence,
                              .kind = Settlement::Kind::hand_back,
                              .due = parts_.clock.now()}));
}

void Dispatcher::store_failed(const Error& error) {
  if (!store_up_) return;
  store_up_ = false;
  parts_.log_lines.error("the store cannot be written; no attempt starts until it can",
                         {{"error", error.message()}});
}

void Dispatcher::store_works() {
  backoff_ = kStoreRetryMin;
  if (store_up_) return;
  store_up_ = true;
  parts_.log_lines.info("the store can be written again", {});
  pump_all();
  wanted_.notify_all();
}

Millis Dispatcher::store_backoff() {
  const Millis wait = backoff_;
  backoff_ = std::min(backoff_ * 2, kStoreRetryMax);
  return wait;
}

}  // namespace grapnel::pipeline
