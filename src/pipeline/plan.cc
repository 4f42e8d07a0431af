#include "pipeline/plan.h"

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
                                                        std::uint64_t body_bytes) const {
  FanoutPlan plan{.revision = entry.source.revision};
  switch (entry.source.mode) {
    case model::SourceMode::record: plan.state = FanoutState::recorded; return plan;
    case model::SourceMode::paused: plan.state = FanoutState::held; return plan;
    case model::SourceMode::active: plan.state = FanoutState::done; break;
  }
  for (const auto& action : entry.actions) {
    if (!model::matches(*action, event_type)) continue;
    DeliveryPlan delivery{.id = ids_.make<model::DeliveryId>(), .action = action->id};
    if (action->health == model::Health::gone) {
      delivery.birth = Birth::dead;
      delivery.reason = EndReason::endpoint_gone;
    } else if (backlog_of(*action, book_.open_work(action->id)) == Backlog::full) {
      if (action->on_full == model::OnFull::refuse) {
        release(plan, body_bytes);
        return std::unexpected(BacklogRefusal{action->id});
      }
      delivery.birth = Birth::dead;
      delivery.reason = EndReason::backlog_full;
    } else if (room_ != nullptr && room_->reserve(*action, body_bytes)) {
      delivery.birth = Birth::leased;
    }
    plan.deliveries.push_back(delivery);
  }
  return plan;
}

void Planner::release(const FanoutPlan& plan, std::uint64_t body_bytes) const {
  for (const auto& delivery : plan.deliveries) {
    if (delivery.birth == Birth::leased) room_->release(delivery.action, body_bytes);
  }
}

}  // namespace grapnel::pipeline
