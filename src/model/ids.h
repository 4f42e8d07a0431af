// The ids of the domain, and the store's order.
#pragma once

#include <cstdint>

#include "base/id.h"

namespace grapnel::model {

struct SourceTag {
  static constexpr std::string_view kPrefix = "src_";
};
struct ActionTag {
  static constexpr std::string_view kPrefix = "act_";
};
struct EventTag {
  static constexpr std::string_view kPrefix = "evt_";
};
struct DeliveryTag {
  static constexpr std::string_view kPrefix = "dlv_";
};
struct AttemptTag {
  static constexpr std::string_view kPrefix = "att_";
};
struct KeyTag {
  static constexpr std::string_view kPrefix = "key_";
};
struct JobTag {
  static constexpr std::string_view kPrefix = "job_";
};

using SourceId = Id<SourceTag>;
using ActionId = Id<ActionTag>;
using EventId = Id<EventTag>;
using DeliveryId = Id<DeliveryTag>;
using AttemptId = Id<AttemptTag>;
using KeyId = Id<KeyTag>;
using JobId = Id<JobTag>;

/// The store's commit sequence: strictly growing, the only order there is. 0 means none.
using Seq = std::int64_t;
/// Grows with every change of a definition; 0 means "does not exist yet".
using Revision = std::int64_t;
/// Names one lease of one delivery; an outcome that carries an older one is refused.
using Fence = std::int64_t;

}  // namespace grapnel::model
