#include "pipeline/rate_limiter.h"

#include <algorithm>
#include <cmath>

#include "pipeline/limits.h"

namespace grapnel::pipeline {

std::optional<Millis> RateLimiter::take(model::SourceId source, const model::RateLimit& limit,
                                        Time now) {
  if (limit.per_second <= 0) return std::nullopt;
  const auto at = static_cast<double>(now.time_since_epoch().count());
  if (full_at_.size() >= kRateLimitersMax) {
    std::erase_if(full_at_, [at](const auto& entry) { return entry.second <= at; });
  }
  const double interval = 1000.0 / limit.per_second;
  const double burst = std::max(1.0, limit.burst > 0 ? limit.burst : limit.per_second);
  double& full_at = full_at_[source];
  const double start = std::max(full_at, at);
  const double wait = start + interval - burst * interval - at;
  if (wait > 0) return Millis{static_cast<std::int64_t>(std::ceil(wait))};
  full_at = start + interval;
  return std::nullopt;
}

}  // namespace grapnel::pipeline
