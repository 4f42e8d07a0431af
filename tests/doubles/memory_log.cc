// EventLog: receiving, fan-out, held events.
#include <algorithm>

#include "base/check.h"
#include "crypto/digest.h"
#include "doubles/memory_tables.h"
#include "model/errors.h"
#include "model/transform.h"

namespace grapnel::doubles {

using namespace model;
using model::errc;

namespace {

/// Whether a key first received then still answers.
bool key_is_alive(Time received, Time now) { return now - received < kIdempotencyWindow; }

bool is_terminal_fanout(FanoutState state) { return state >= FanoutState::done; }

}  // namespace

std::vector<Appended> MemoryTables::append(std::vector<EventDraft> drafts) {
  std::vector<Appended> out;
  out.reserve(drafts.size());
  for (EventDraft& draft : drafts) out.push_back(append_one(draft));
  return out;
}

Appended MemoryTables::append_one(EventDraft& draft) {
  const std::shared_ptr<const std::string> body = take_body(draft);
  const SourcePtr source = snapshot_->find_source(draft.event.source);
  if (!source || source->source.deleting) return {.admission = Admission::source_gone};
  if (auto duplicate = find_duplicate(draft.event)) return *duplicate;
  if (draft.plan.revision < source->source.revision) return {.admission = Admission::stale_plan};

  const Seq seq = next_seq();
  GRAPNEL_CHECK(event_ids_.emplace(draft.event.id, seq).second, draft.event.id.str());
  StoredEvent& row = events_[seq];
  row.event = std::move(draft.event);
  row.event.seq = seq;
  row.event.run = 1;
  row.event.body_size = body->size();
  row.body = body;
  if (!row.event.idempotency_key.empty()) {
    keys_[{row.event.source, row.event.idempotency_place, row.event.idempotency_key}] = {
        row.event.id, seq, row.event.body_sha256, row.event.received};
  }

  Appended out{.event = row.event.id, .seq = seq};
  const bool joins_held = held_.contains(row.event.source) && !held_[row.event.source].empty();
  if (draft.plan.state == FanoutState::recorded) {
    end_fanout(row, FanoutState::recorded);
    out.admission = Admission::recorded;
  } else if (draft.plan.state == FanoutState::held || joins_held) {
    row.event.fanout = FanoutState::held;
    held_[row.event.source].insert(seq);
    out.admission = Admission::held;
  } else {
    begin_fanout(row, draft.plan, out, nullptr);
  }
  if (watcher_) watcher_->appended(row);
  return out;
}

std::shared_ptr<const std::string> MemoryTables::take_body(EventDraft& draft) {
  if (draft.body_file.empty()) {
    return std::make_shared<const std::string>(std::exchange(draft.event.body, {}));
  }
  const auto file = body_files_.find(draft.body_file);
  GRAPNEL_CHECK(file != body_files_.end(), draft.body_file);
  auto body = std::move(file->second);
  body_files_.erase(file);
  return body;
}

std::optional<Appended> MemoryTables::find_duplicate(const Event& event) {
  if (event.idempotency_key.empty()) return std::nullopt;
  const auto at = keys_.find({event.source, event.idempotency_place, event.idempotency_key});
  if (at == keys_.end() || !key_is_alive(at->second.received, now_)) return std::nullopt;
  const FirstReceipt& first = at->second;
  return Appended{.admission = Admission::duplicate,
                  .event = first.event,
                  .seq = first.seq,
                  .other_body = first.sha256 != event.body_sha256,
                  .deliveries = {}};
}

std::vector<BornDelivery> MemoryTables::make_deliveries(StoredEvent& event, const FanoutPlan& plan,
                                                        StoredDelivery* replaced) {
  std::vector<BornDelivery> out;
  for (const DeliveryPlan& planned : plan.deliveries) {
    StoredDelivery& row = add_delivery(event, planned.id, planned.action, event.event.run);
    if (replaced && planned.action == transform_of(event.event.source)) {
      row.original = replaced->delivery.seq;
      row.stand = replaced->stand;
      row.delivery.replay_of = replaced->delivery.id;
      replaced->replays.push_back(row.delivery.seq);
    }
    join_lane(row);
    tell(row, std::nullopt);
    if (planned.birth == Birth::dead) {
      end(row, DeliveryState::dead, planned.reason);
    } else if (planned.birth == Birth::leased && !row.delivery.waits_for_order) {
      start_lease(row);
    } else {
      hint(row);
    }
    out.push_back({.id = planned.id,
                   .seq = row.delivery.seq,
                   .fence = row.delivery.state == DeliveryState::running ? row.fence : 0,
                   .waits_for_order = row.delivery.waits_for_order});
  }
  return out;
}

void MemoryTables::begin_fanout(StoredEvent& row, const FanoutPlan& plan, Appended& out,
                                StoredDelivery* replaced) {
  if (plan.state == FanoutState::waiting) {
    row.event.fanout = FanoutState::waiting;  // before its delivery, which may be born dead
  } else {
    end_fanout(row, FanoutState::done);
  }
  out.deliveries = make_deliveries(row, plan, replaced);
}

void MemoryTables::end_fanout(StoredEvent& event, FanoutState state) {
  event.event.fanout = state;
  event.fanout_ended = now_;
}

std::string MemoryTables::write_body(std::shared_ptr<const std::string> body) {
  std::string name = "body-" + std::to_string(epoch_) + "-" + std::to_string(next_seq());
  body_files_.emplace(name, std::move(body));
  return name;
}

std::vector<EventPtr> MemoryTables::held(SourceId source, int limit) const {
  std::vector<EventPtr> out;
  const auto held = held_.find(source);
  if (held == held_.end()) return out;
  for (const Seq seq : held->second) {
    if (static_cast<int>(out.size()) >= limit) break;
    out.push_back(std::make_shared<const Event>(events_.at(seq).event));
  }
  return out;
}

Result<std::vector<Appended>> MemoryTables::fan_out(const std::vector<FanoutDraft>& drafts) {
  for (const FanoutDraft& draft : drafts) {
    if (!events_.contains(draft.event)) return fail(errc::not_found, "the event does not exist");
  }
  std::vector<Appended> out;
  for (const FanoutDraft& draft : drafts) out.push_back(fan_out_one(draft));
  return out;
}

Appended MemoryTables::fan_out_one(const FanoutDraft& draft) {
  StoredEvent& row = events_.at(draft.event);
  Appended out{.event = row.event.id, .seq = row.event.seq};
  const SourcePtr source = snapshot_->find_source(row.event.source);
  const auto answer = [&](Admission admission) {
    out.admission = admission;
    return out;
  };
  if (!source || source->source.deleting) return answer(Admission::source_gone);
  if (draft.run == FanoutDraft::Run::first && row.event.fanout != FanoutState::held) {
    return answer(Admission::duplicate);
  }
  if (draft.run == FanoutDraft::Run::again && !is_terminal_fanout(row.event.fanout)) {
    return answer(Admission::held);
  }
  if (draft.plan.revision < source->source.revision) return answer(Admission::stale_plan);
  if (draft.plan.state == FanoutState::held) return answer(Admission::held);

  const bool again = draft.run == FanoutDraft::Run::again;
  if (again) {
    ++row.event.run;
  } else {
    held_[row.event.source].erase(row.event.seq);
  }
  if (draft.plan.state == FanoutState::recorded) {
    end_fanout(row, FanoutState::recorded);
    return answer(Admission::recorded);
  }
  StoredDelivery* dead = again ? dead_transform(row) : nullptr;
  if (dead && !draft.plan.deliveries.empty()) {
    dead->delivery.replayed_by = draft.plan.deliveries.front().id;
    dead_.erase(dead->delivery.ended_seq);
  }
  begin_fanout(row, draft.plan, out, dead);
  if (Lane* lane = dead && draft.plan.state == FanoutState::done ? find_lane(*dead) : nullptr) {
    unblock(*lane, dead->stand);  // nothing will stand in its place
    free_next(*lane);
  }
  return answer(Admission::accepted);
}

std::vector<Result<EventPtr>> MemoryTables::read(const std::vector<EventRun>& events) const {
  std::vector<Result<EventPtr>> out;
  for (const auto& [seq, run] : events) {
    const auto at = events_.find(seq);
    if (at == events_.end() || !at->second.body) {
      out.emplace_back(nullptr);
    } else if (crypto::sha256(*at->second.body) != at->second.event.body_sha256) {
      out.push_back(fail(errc::body_damaged));
    } else {
      auto whole = std::make_shared<Event>(at->second.event);
      whole->body = *at->second.body;
      const auto result = at->second.results.find(run);
      if (result != at->second.results.end()) model::apply(result->second, *whole);
      out.emplace_back(std::move(whole));
    }
  }
  return out;
}

HeldWork MemoryTables::held_work(SourceId source) const {
  HeldWork out;
  const auto held = held_.find(source);
  if (held == held_.end()) return out;
  for (const Seq seq : held->second) {
    ++out.count;
    out.bytes += static_cast<std::int64_t>(events_.at(seq).event.body_size);
  }
  return out;
}

StepResult MemoryTables::drop_old_keys() {
  std::erase_if(keys_,
                [this](const auto& key) { return !key_is_alive(key.second.received, now_); });
  return StepResult::done;
}

}  // namespace grapnel::doubles
