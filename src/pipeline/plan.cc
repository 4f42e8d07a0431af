#include "pipeline/plan.h"

#include <algorithm>

namespace grapnel::pipeline {
namespace {

using model::Action;
using model::Birth;
using model::DeliveryPlan;
using model::EndReason;
using model::FanoutPlan;
using model::FanoutState;

enum class Backlog { has_room, full };

Backlog backlog_of(const Action& action, const model::OpenWork& work) {
  const bool full =
      work.count() >= action.backlog_bound.count || work.bytes >= action.backlog_bound.bytes;
  return full ? Backlog::full : Backlog::has_room;
}

}  // namespace

std::expected<FanoutPlan, BacklogRefusal> Planner::plan(const model::SourceEntry& entry,
                                                        std::string_view event_type,
                                                        std::uint64_t body_bytes,
                                                        model::Keyed keyed) const {
  const model::Revision revision = entry.source.revision;
  switch (entry.source.mode) {
    case model::SourceMode::record: return FanoutPlan{revision, FanoutState::recorded, {}};
    case model::SourceMode::paused: return FanoutPlan{revision, FanoutState::held, {}};
    case model::SourceMode::active: break;
  }
  const auto id = model::transform_of(entry.source.id);
  const auto transform =
      std::ranges::find(entry.actions, id, [](const model::ActionPtr& one) { return one->id; });
  if (transform != entry.actions.end() &&
      model::goes_through_transform(entry, keyed, book_.open_work(id).count())) {
    return plan_transform(entry, **transform, event_type, body_bytes);
  }
  return plan_deliveries(entry, event_type, body_bytes, std::nullopt);
}

std::expected<FanoutPlan, BacklogRefusal> Planner::plan_transform(const model::SourceEntry& entry,
                                                                  const Action& transform,
                                                                  std::string_view event_type,
                                                                  std::uint64_t body_bytes) const {
  // Refusal is for the sender, and later nobody could refuse any more.
  for (const auto& action : entry.actions) {
    if (action->on_full == model::OnFull::refuse && model::matches(*action, event_type) &&
        backlog_of(*action, book_.open_work(action->id)) == Backlog::full) {
      return std::unexpected(BacklogRefusal{action->id});
    }
  }
  FanoutPlan plan{.revision = entry.source.revision, .state = FanoutState::waiting};
  if (!add(transform, body_bytes, plan)) return std::unexpected(BacklogRefusal{transform.id});
  return plan;
}

std::expected<FanoutPlan, BacklogRefusal> Planner::plan_deliveries(
    const model::SourceEntry& entry, std::string_view event_type, std::uint64_t body_bytes,
    const std::optional<std::vector<model::ActionId>>& only) const {
  FanoutPlan plan{.revision = entry.source.revision};
  for (const auto& action : entry.actions) {
    if (model::is_transform(*action) || !model::matches(*action, event_type)) continue;
    if (only && std::ranges::find(*only, action->id) == only->end()) continue;
    if (add(*action, body_bytes, plan)) continue;
    release(plan, body_bytes);
    return std::unexpected(BacklogRefusal{action->id});
  }
  return plan;
}

bool Planner::add(const Action& action, std::uint64_t body_bytes, FanoutPlan& plan) const {
  DeliveryPlan delivery{.id = ids_.make<model::DeliveryId>(), .action = action.id};
  if (action.health == model::Health::gone) {
    delivery.birth = Birth::dead;
    delivery.reason = EndReason::endpoint_gone;
  } else if (backlog_of(action, book_.open_work(action.id)) == Backlog::full) {
    if (action.on_full == model::OnFull::refuse) return false;
    delivery.birth = Birth::dead;
    delivery.reason = EndReason::backlog_full;
  } else if (room_ != nullptr && room_->reserve(action, body_bytes)) {
    delivery.birth = Birth::leased;
  }
  plan.deliveries.push_back(delivery);
  return true;
}

void Planner::release(const FanoutPlan& plan, std::uint64_t body_bytes) const {
  for (const auto& delivery : plan.deliveries) {
    if (delivery.birth == Birth::leased) room_->release(delivery.action, body_bytes);
  }
}

}  // namespace grapnel::pipeline
