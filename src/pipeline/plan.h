// Fan-out, decided: which actions an event goes to and how each delivery is born.
#pragma once

#include <expected>
#include <optional>
#include <vector>

#include "base/id.h"
#include "model/delivery_book.h"
#include "model/event_log.h"
#include "model/registry.h"
#include "model/transform.h"

namespace grapnel::pipeline {

/// Room for deliveries that are leased at birth, so that an idle action's first attempt needs no
/// commit of its own. Implemented by Dispatcher.
class LeaseRoom {
 public:
  virtual ~LeaseRoom() = default;
  /// Reserves a place; given back by Dispatcher::adopt or release.
  virtual bool reserve(const model::Action& action, std::uint64_t body_bytes) = 0;
  virtual void release(model::ActionId action, std::uint64_t body_bytes) = 0;
};

/// A bound was reached whose action asks for refusal rather than dead letters.
struct BacklogRefusal {
  model::ActionId action;
};

class Planner {
 public:
  /// `room` is null where nothing may be leased at birth (release of held events, replays).
  Planner(IdSource& ids, const model::DeliveryBook& book, LeaseRoom* room)
      : ids_(ids), book_(book), room_(room) {}

  /// The plan for one event of the source, as the source stands in `entry`: its transform, or its
  /// actions.
  std::expected<model::FanoutPlan, BacklogRefusal> plan(const model::SourceEntry& entry,
                                                        std::string_view event_type,
                                                        std::uint64_t body_bytes,
                                                        model::Keyed keyed) const;
  /// The plan for what a transform made, whatever the source's mode is by now; `only`: of the
  /// actions that match, these.
  std::expected<model::FanoutPlan, BacklogRefusal> plan_deliveries(
      const model::SourceEntry& entry, std::string_view event_type, std::uint64_t body_bytes,
      const std::optional<std::vector<model::ActionId>>& only) const;
  /// Gives back what the plan reserved.
  void release(const model::FanoutPlan& plan, std::uint64_t body_bytes) const;

 private:
  /// Adds the delivery of one action. False: it asks for refusal.
  bool add(const model::Action& action, std::uint64_t body_bytes, model::FanoutPlan& plan) const;
  std::expected<model::FanoutPlan, BacklogRefusal> plan_transform(const model::SourceEntry& entry,
                                                                  const model::Action& transform,
                                                                  std::string_view event_type,
                                                                  std::uint64_t body_bytes) const;

  IdSource& ids_;
  const model::DeliveryBook& book_;
  LeaseRoom* room_;
};

}  // namespace grapnel::pipeline
