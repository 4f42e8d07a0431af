#include "sim/ports.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sim/limits.h"

namespace grapnel::sim {

using model::Appended;

namespace {

/// How often a trick strikes that would end every run at once if it always did.
constexpr int kTrickEvery = 4;
constexpr int kBoundFactor = 10;

}  // namespace

async::Task<> SimLog::append_late(std::vector<model::EventDraft> drafts) {
  co_await log_.append(std::move(drafts));
}

async::Task<Result<std::vector<Appended>>> SimLog::append(std::vector<model::EventDraft> drafts) {
  std::vector<Appended> early;
  for (model::EventDraft& draft : drafts) {
    early.push_back({.admission = model::Admission::held, .event = draft.event.id});
    if (trick_ != Trick::ack_before_durable) continue;
    for (auto& planned : draft.plan.deliveries) {
      if (planned.birth == model::Birth::leased) planned.birth = model::Birth::pending;
    }
  }
  if (trick_ == Trick::ack_before_durable) {
    early_.spawn(append_late(std::move(drafts)));
    co_return early;
  }
  auto appended = co_await log_.append(std::move(drafts));
  if (!appended || trick_ != Trick::duplicate_renamed) co_return appended;
  for (std::size_t i = 0; i < early.size(); ++i) {
    Appended& one = (*appended)[i];
    if (one.admission == model::Admission::duplicate) one.event = early[i].event;
  }
  co_return appended;
}

async::Task<Result<std::vector<model::EventPtr>>> SimLog::held(model::SourceId source, int limit) {
  auto held = co_await log_.held(source, limit);
  if (held && trick_ == Trick::released_backwards) std::ranges::reverse(*held);
  co_return held;
}

async::Task<Result<std::vector<Result<model::EventPtr>>>> SimLog::read(
    std::vector<model::EventRun> events) {
  if (reads_ == Reads::failing) {
    judge_.read_failed();
    co_return fail(model::errc::store_unavailable);
  }
  auto found = co_await log_.read(std::move(events));
  if (!found || trick_ != Trick::wrong_body) co_return found;
  for (auto& event : *found) {
    if (!event || !*event) continue;
    auto other = std::make_shared<model::Event>(**event);
    other->body = R"({"k":0})";
    event = std::move(other);
  }
  co_return found;
}

async::Task<Result<model::LeaseBatch>> SimBook::lease(std::vector<model::LeaseWish> wishes) {
  const auto wished = wishes;
  auto batch = co_await store_.lease(std::move(wishes));
  judge_.store_answered(batch ? Judge::Store::works : Judge::Store::fails);
  if (batch || trick_ != Trick::store_down_ignored || store_.is_crashed()) co_return batch;
  model::LeaseBatch none;
  for (const auto& wish : wished) {
    none.next_due.emplace_back(wish.action, store_.clock().now() + kNap);
  }
  co_return none;
}

async::Task<Result<std::vector<model::Settled>>> SimBook::settle(
    std::vector<model::Settlement> settlements) {
  auto settled = co_await store_.settle(settlements);
  judge_.store_answered(settled ? Judge::Store::works : Judge::Store::fails);
  while (!settled && trick_ == Trick::store_down_ignored && !store_.is_crashed()) {
    if (!co_await timers_.sleep_for(kNap)) break;
    settled = co_await store_.settle(settlements);
  }
  if (!settled && trick_ == Trick::failed_outcome_dropped) {
    co_return std::vector<model::Settled>(settlements.size());
  }
  co_return settled;
}

async::Task<Result<std::vector<model::ReplayJob>>> SimBook::jobs() {
  if (log_.reads() == SimLog::Reads::failing) co_return fail(model::errc::store_unavailable);
  co_return co_await store_.jobs();
}

void SimBook::watch_work(std::function<void(const std::vector<model::WorkHint>&)> watcher) {
  if (trick_ != Trick::hints_lost) return store_.watch_work(std::move(watcher));
  store_.watch_work(
      [this, watcher = std::move(watcher)](const std::vector<model::WorkHint>& hints) {
        if (++hints_ % kTrickEvery != 0) watcher(hints);
      });
}

void SimRegistry::watch(std::function<void(model::SnapshotPtr)> watcher) {
  registry_.watch([this, watcher = std::move(watcher)](model::SnapshotPtr snapshot) {
    watcher(bend(std::move(snapshot)));
  });
}

model::SnapshotPtr SimRegistry::bend(model::SnapshotPtr snapshot) const {
  const bool bends = trick_ == Trick::closed_served || trick_ == Trick::bound_ignored ||
                     trick_ == Trick::targets_alike;
  if (!bends) return snapshot;
  auto bent = std::make_shared<model::RegistrySnapshot>(*snapshot);
  for (auto& [id, entry] : bent->sources) {
    auto changed = std::make_shared<model::SourceEntry>(*entry);
    for (auto& action : changed->actions) {
      auto copy = std::make_shared<model::Action>(*action);
      if (trick_ == Trick::bound_ignored) copy->max_in_flight *= kBoundFactor;
      if (trick_ == Trick::targets_alike) copy->target_revision = 0;
      if (trick_ == Trick::closed_served) {
        copy->desired = model::DesiredState::active;
        copy->health = model::Health::ok;
      }
      action = std::move(copy);
    }
    entry = std::move(changed);
  }
  return bent;
}

async::Task<std::expected<model::HttpAnswer, model::HttpFailure>> SimSender::send(
    model::HttpCall call) {
  const auto place = judge_.call_started(call);
  if (!place) {
    co_return std::unexpected(
        model::HttpFailure{.step = model::AttemptStep::none, .message = "canceled"});
  }
  const Millis timeout = call.timeout;
  Reply reply = endpoints_(call);
  const bool late = reply.delay >= timeout;
  const auto slept = co_await timers_.sleep_for(std::min(reply.delay, timeout));
  if (!slept) {
    judge_.call_cut_off(*place);
    co_return std::unexpected(
        model::HttpFailure{.step = model::AttemptStep::none, .message = "canceled"});
  }
  judge_.call_answered(*place, late ? 0 : reply.status, late ? std::nullopt : reply.retry_after,
                       late ? Judge::Answer::late : Judge::Answer::in_time);
  if (late) {
    co_return std::unexpected(model::HttpFailure{.step = model::AttemptStep::timeout,
                                                 .message = "timeout: no answer in time"});
  }
  if (reply.status == 0) {
    co_return std::unexpected(
        model::HttpFailure{.step = model::AttemptStep::response, .message = "response: reset"});
  }
  model::HttpAnswer answer{.status = reply.status};
  if (reply.retry_after && trick_ != Trick::retry_after_lost) {
    answer.headers.push_back({"Retry-After", fmt::format("{}", *reply.retry_after)});
  }
  if (trick_ == Trick::success_claimed && answer.status == 500) answer.status = 200;
  co_return answer;
}

}  // namespace grapnel::sim
