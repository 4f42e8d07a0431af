#include "pipeline/fanout.h"

#include <fmt/format.h>

#include <algorithm>

#include "crypto/digest.h"
#include "model/errors.h"
#include "model/transform.h"
#include "pipeline/limits.h"

namespace grapnel::pipeline {
namespace {

using Kind = Made::Kind;

model::Transformed to_transformed(const MadeEvent& made) {
  model::Transformed out;
  out.type = made.type;
  out.set_headers = made.set_headers;
  out.removed_headers = made.removed_headers;
  if (!made.body) return out;
  out.body = *made.body;
  out.body_size = made.body->size();
  out.body_sha256 = crypto::sha256(*made.body);
  return out;
}

/// Bodies that the plan will hold.
std::uint64_t bytes_of(const Made& made, const model::Event& event) {
  std::uint64_t bytes = 0;
  for (const auto& one : made.events) bytes += one.body ? one.body->size() : event.body_size;
  return bytes;
}

/// What the event's receivers get of it.
std::shared_ptr<model::Event> as_sent(const model::Event& event, const model::Transformed& change,
                                      int run) {
  auto out = std::make_shared<model::Event>(event);
  model::apply(change, *out);
  out->run = run;
  return out;
}

}  // namespace

model::EventId split_id(model::EventId parent, int run, std::size_t index) {
  constexpr std::size_t kTimeBytes = 6;  // as its parent's, so that ids stay ordered by time
  const auto digest = crypto::sha256(fmt::format("{}/{}/{}", parent.str(), run, index));
  model::EventId out = parent;
  std::copy_n(digest.begin(), out.bytes.size() - kTimeBytes, out.bytes.begin() + kTimeBytes);
  return out;
}

Fanout::Fanout(Parts parts)
    : parts_(parts), planner_(parts.ids, parts.book, &parts.adopter), room_(parts.executor) {}

async::Task<> Fanout::write(model::Settlement settlement, Made made, model::EventPtr event,
                            int run) {
  const std::uint64_t bytes = bytes_of(made, *event);
  const auto has_room = [&] { return bytes_ == 0 || bytes_ + bytes <= kFanoutBytesMax; };
  while (!has_room() && !parts_.outcomes.gives_up()) co_await room_.wait();
  bytes_ += bytes;
  co_await write_now(std::move(settlement), std::move(made), std::move(event), run);
  bytes_ -= bytes;
  room_.notify_all();
}

async::Task<> Fanout::write_now(model::Settlement settlement, Made made, model::EventPtr event,
                                int run) {
  for (int tries = 0; tries < kPlanTriesMax; ++tries) {
    auto planned = co_await plan(made, *event, run);
    if (!planned) break;
    settlement.fanout = planned->result;
    const auto settled = co_await parts_.outcomes.write(settlement);
    const bool is_stored = settled && !settled->stale && !settled->stale_plan &&
                           settled->state == model::DeliveryState::delivered;
    if (is_stored) {
      adopt(*planned, *settled);
      co_return;
    }
    give_up(*planned);
    if (!settled || !settled->stale_plan) co_return;
  }
  settlement.fanout.reset();
  settlement.attempt.reset();
  settlement.kind = model::Settlement::Kind::hand_back;
  settlement.due = parts_.clock.now() + kNoRoomRest;
  co_await parts_.outcomes.write(std::move(settlement));
}

async::Task<Result<Fanout::Planned>> Fanout::plan(const Made& made, const model::Event& event,
                                                  int run) {
  Planned out;
  out.result.kind = made.kind;
  const auto entry = parts_.registry.snapshot()->find_source(event.source);
  // A source that is gone or leaving: the store says what becomes of its events.
  out.result.plan.revision = entry ? entry->source.revision : 0;
  if (!entry || entry->source.deleting || made.kind == Kind::dropped) co_return out;
  for (std::size_t i = 0; i < made.events.size(); ++i) {
    model::Transformed change = to_transformed(made.events[i]);
    const auto sent = as_sent(event, change, made.kind == Kind::split ? 1 : run);
    if (made.kind == Kind::split) {
      sent->id = split_id(event.id, run, i);
      sent->parent = event.id;
      sent->idempotency_place.clear();
      sent->idempotency_key.clear();
      sent->fanout = model::FanoutState::done;
    }
    auto plan = plan_one(*entry, made.events[i], *sent);
    if (!plan) {
      give_up(out);
      co_return fail(std::move(plan.error()));
    }
    out.events.push_back(sent);
    if (made.kind == Kind::event) {
      out.result.plan = std::move(*plan);
      if (change.body) {
        auto done = co_await put_in_file(*change.body, change.body_file, out);
        if (!done) {
          give_up(out);
          co_return fail(std::move(done.error()));
        }
      }
      out.result.transformed = std::move(change);
    } else {
      model::EventDraft draft{.event = *sent, .body_file = {}, .plan = std::move(*plan)};
      out.result.splits.push_back(std::move(draft));
      auto& split = out.result.splits.back();
      if (sent->body_size > model::kBodyInlineBytesMax) sent->body.clear();  // not leased at birth
      auto done = co_await put_in_file(split.event.body, split.body_file, out);
      if (!done) {
        give_up(out);
        co_return fail(std::move(done.error()));
      }
    }
  }
  co_return out;
}

Result<model::FanoutPlan> Fanout::plan_one(const model::SourceEntry& entry, const MadeEvent& made,
                                           const model::Event& sent) const {
  auto plan = planner_.plan_deliveries(entry, sent.type, sent.body_size, made.actions);
  if (!plan) return fail(model::errc::too_many, "an action has as much open work as it may");
  return std::move(*plan);
}

async::Task<Result<>> Fanout::put_in_file(std::string& body, std::string& file, Planned& planned) {
  if (body.size() <= model::kBodyInlineBytesMax) co_return Result<>{};
  auto name =
      co_await parts_.log.write_body(std::make_shared<const std::string>(std::exchange(body, {})));
  if (!name) co_return fail(std::move(name.error()));
  file = *name;
  planned.files.push_back(std::move(*name));
  co_return Result<>{};
}

void Fanout::give_up(const Planned& planned) {
  for (const auto& file : planned.files) parts_.log.drop_body(file);
  if (planned.result.kind == Kind::event && !planned.events.empty()) {
    planner_.release(planned.result.plan, planned.events.front()->body_size);
  }
  for (const auto& split : planned.result.splits) {
    planner_.release(split.plan, split.event.body_size);
  }
}

void Fanout::adopt(const Planned& planned, const model::Settled& settled) {
  if (planned.result.kind == Kind::event) {
    parts_.metrics.fanned_out(planned.result.plan);
    parts_.adopter.adopt(planned.result.plan, settled.born.front(), planned.events.front());
    return;
  }
  for (std::size_t i = 0; i < planned.result.splits.size(); ++i) {
    const auto& plan = planned.result.splits[i].plan;
    parts_.metrics.fanned_out(plan);
    parts_.adopter.adopt(plan, settled.born[i], planned.events[i]);
  }
}

}  // namespace grapnel::pipeline
