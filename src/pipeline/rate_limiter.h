// A token bucket per source (GCRA: one time stamp each).
#pragma once

#include <optional>
#include <unordered_map>

#include "base/clock.h"
#include "model/ids.h"
#include "model/source.h"

namespace grapnel::pipeline {

class RateLimiter {
 public:
  /// Takes one token at `now`. Nothing: allowed. Otherwise how long until one is there again.
  std::optional<Millis> take(model::SourceId source, const model::RateLimit& limit, Time now);

 private:
  std::optional<Time> first_use_;
  /// When the bucket is full again, in fractions of milliseconds since the first use.
  std::unordered_map<model::SourceId, double> full_at_;
};

}  // namespace grapnel::pipeline
