// One action's place in the dispatcher: what is leased and ready, what is under way, when more is
// due.
#pragma once

#include <deque>
#include <optional>

#include "model/delivery_book.h"
#include "model/event_log.h"
#include "model/registry.h"

namespace grapnel::pipeline {

/// A leased delivery and, unless its body is large or there was no room for it, its event.
struct Ready {
  model::Lease lease;
  model::EventPtr event;    ///< null: read when it starts
  std::uint64_t bytes = 0;  ///< of the body, read or not
};

/// A delivery of `action` that was leased when its event was appended.
Ready born_ready(const model::Appended& appended, const model::BornDelivery& born,
                 model::ActionId action, model::EventPtr event);

/// What the delivery's attempt reads: a transform the event as received, others what their run
/// sends.
model::EventRun run_of(const model::Delivery& delivery);

struct Lane {
  model::ActionPtr action;  ///< null: not known to this process, or removed
  enum class Life : std::uint8_t { known, leaving, removed };
  Life life = Life::known;  ///< leaving: the source is being deleted
  std::deque<Ready> ready;
  std::uint64_t ready_bytes = 0;  ///< bodies that `ready` holds in memory
  std::size_t reserved = 0;       ///< places promised to appends in flight
  std::uint64_t reserved_bytes = 0;
  int attempting = 0;
  int settling = 0;              ///< leases that end, and whose outcome is not durable yet
  int failures = 0;              ///< failed attempts in a row
  bool held_up = false;          ///< waits for a bound that all lanes share
  std::optional<Time> next_due;  ///< when the store has more of it to lease
  std::optional<Time> listed;    ///< its place in the dispatcher's list of due lanes

  /// Takes over how its action stands in the snapshot.
  void refresh(const model::RegistrySnapshot& snapshot, model::ActionId id);
  /// An attempt ended so: what that says about the action's health, if anything.
  std::optional<model::HealthReport> note_result(model::AttemptResult result,
                                                 const model::Action& current,
                                                 model::Revision target, std::string_view error);
  /// Whether attempts may start: desired state, health and existence.
  bool is_open() const;
  /// Whether its own bounds let another attempt start.
  bool may_start() const;
  /// Leased ahead of its attempts, at most: four rounds of what may be in flight.
  std::size_t ahead() const;
  /// How many more to ask of the store; none while half of what is ahead is still there.
  std::size_t room(std::uint64_t ready_bytes_of_all) const;
  /// Whether nothing is lost when it is forgotten.
  bool is_idle() const;
};

}  // namespace grapnel::pipeline
