// The planted bugs: each is a mistake that somebody could make, and the simulation finds it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "doubles/flaw.h"

namespace grapnel::sim {

/// Bugs at the ports: what the pipeline is told, or says, is bent. Those of the store are Flaws.
enum class Trick : std::uint8_t {
  none,
  ack_before_durable,
  duplicate_renamed,
  released_backwards,
  wrong_body,
  failed_outcome_dropped,
  hints_lost,
  closed_served,
  bound_ignored,
  retry_after_lost,
  success_claimed,
  store_down_ignored,
  targets_alike,
  bodies_left,
};

struct Mutation {
  std::string_view name;
  std::string_view what;
  doubles::Flaw flaw = doubles::Flaw::none;
  Trick trick = Trick::none;
};

/// All of them.
std::span<const Mutation> mutations();
/// Null when there is none.
const Mutation* find_mutation(std::string_view name);

}  // namespace grapnel::sim
