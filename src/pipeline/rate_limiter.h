// A token bucket per source (GCRA: one time stamp and one number each).
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

  /// Buckets kept.
  std::size_t size() const { return buckets_.size(); }

 private:
  struct Bucket {
    Time at;
    double debt = 0;  ///< milliseconds from `at` until it is full again
  };

  std::unordered_map<model::SourceId, Bucket> buckets_;
};

}  // namespace grapnel::pipeline
