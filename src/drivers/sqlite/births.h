// How a delivery comes into being: by fan-out or as a replay.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "drivers/sqlite/transaction.h"
#include "model/event_log.h"

namespace grapnel::sqlite {

/// What a new delivery takes from its event.
struct EventPart {
  model::Seq seq = 0;
  std::int64_t source = 0;  ///< row key
  int run = 1;
  std::int64_t body_size = 0;
  std::optional<std::string_view> ordering_key;
};

/// What a replay takes from its original.
struct Original {
  model::DeliveryId id;
  model::Seq stand_seq = 0;
};

/// Inserts the delivery, counted and hinted at. A leased one gets a fence; one that must wait for
/// its ordering key is pending whatever was planned.
Result<model::BornDelivery> bear(Transaction& tx, const EventPart& event,
                                 const model::DeliveryPlan& plan, const model::Action& action,
                                 const std::optional<Original>& original);

}  // namespace grapnel::sqlite
