// One action's place in the dispatcher: what is leased and ready, what is under way, when more is
// due.
#pragma once

#include <deque>
#include <optional>

#include "model/delivery_book.h"
#include "model/event_log.h"
#include "model/registry.h"

namespace grapnel::pipeline {

/// A leased delivery and, unless its body is large, its event.
struct Ready {
  model::Lease lease;
  model::EventPtr event;  ///< null: read when it starts
  std::uint64_t bytes = 0;
};

struct Lane {
  model::ActionPtr action;
  std::deque<Ready> ready;
  std::uint64_t ready_bytes = 0;
  std::size_t reserved = 0;  ///< places promised to appends in flight
  std::uint64_t reserved_bytes = 0;
  int attempting = 0;
  int settling = 0;              ///< attempts made whose outcome is not durable yet
  int failures = 0;              ///< failed attempts in a row
  std::optional<Time> next_due;  ///< when the store has more of it to lease
  std::optional<Time> listed;    ///< its place in the dispatcher's list of due lanes

  /// Whether attempts may start: desired state, health and existence.
  bool is_open() const {
    return action && !action->deleting && action->desired == model::DesiredState::active &&
           (action->health == model::Health::ok || action->health == model::Health::failing);
  }
  bool is_idle() const {
    return ready.empty() && reserved == 0 && attempting == 0 && settling == 0;
  }
};

}  // namespace grapnel::pipeline
