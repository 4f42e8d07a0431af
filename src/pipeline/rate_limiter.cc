#include "pipeline/rate_limiter.h"

#include <algorithm>
#include <cmath>

#include "pipeline/limits.h"

namespace grapnel::pipeline {

std::optional<Millis> RateLimiter::take(model::SourceId source, const model::RateLimit& limit,
                                        Time now) {
  if (limit.per_second <= 0) return std::nullopt;
  const auto left = [now](const Bucket& bucket) {
    return std::max(0.0, bucket.debt - static_cast<double>((now - bucket.at).count()));
  };
  auto found = buckets_.find(source);
  if (found == buckets_.end()) {
    if (buckets_.size() >= kRateLimitersMax) {
      std::erase_if(buckets_, [&left](const auto& entry) { return left(entry.second) == 0; });
    }
    found = buckets_.emplace(source, Bucket{.at = now}).first;
  }
  const double interval = 1000.0 / limit.per_second;
  const double depth = interval * std::max(1.0, limit.burst > 0 ? limit.burst : limit.per_second);
  Bucket& bucket = found->second;
  // At most empty: what was taken under a slower limit is no debt under a faster one.
  bucket = {.at = now, .debt = std::min(left(bucket), depth)};
  const double wait = bucket.debt + interval - depth;
  if (wait > interval * kRateRounding) return Millis{static_cast<std::int64_t>(std::ceil(wait))};
  bucket.debt += interval;
  return std::nullopt;
}

}  // namespace grapnel::pipeline
