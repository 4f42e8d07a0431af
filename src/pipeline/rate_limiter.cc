#include "pipeline/rate_limiter.h"

#include <algorithm>
#include <cmath>

#include "pipeline/limits.h"

namespace grapnel::pipeline {

std::optional<Millis> RateLimiter::take(model::SourceId source, const model::RateLimit& limit,
                                        Time now) {
  if (limit.per_second <= 0) return std::nullopt;
  // Counted from the first use on: as fractions of a millisecond since 1970 a double would round.
  if (!first_use_) first_use_ = now;
  const auto at = static_cast<double>((now - *first_use_).count());
  auto bucket = full_at_.find(source);
  if (bucket == full_at_.end()) {
    if (full_at_.size() >= kRateLimitersMax) {
      std::erase_if(full_at_, [at](const auto& entry) { return entry.second <= at; });
    }
    bucket = full_at_.emplace(source, at).first;
  }
  const double interval = 1000.0 / limit.per_second;
  const double depth = interval * std::max(1.0, limit.burst > 0 ? limit.burst : limit.per_second);
  // At most empty: what was taken under a slower limit is no debt under a faster one.
  const double start = std::clamp(bucket->second, at, at + depth);
  const double wait = start + interval - depth - at;
  // Rounding of the sums above is no reason to refuse.
  if (wait > interval * kRateRounding) return Millis{static_cast<std::int64_t>(std::ceil(wait))};
  bucket->second = start + interval;
  return std::nullopt;
}

}  // namespace grapnel::pipeline
