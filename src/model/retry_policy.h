// When a failed delivery is tried again.
#pragma once

#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "base/random.h"

namespace grapnel::model {

enum class RetryOn : std::uint8_t {
  any,        ///< every failure but 410 Gone
  transient,  ///< connection, DNS and TLS errors, time-outs, 408, 429 and 5xx; the rest is final
};

/// A list of waits, or an exponential rule: wait n (from 0) = min(cap, base * factor^n).
/// The first try comes at once, so a schedule of 9 waits makes 10 tries.
struct RetryPolicy {
  std::vector<Millis> schedule;  ///< empty: the exponential rule below is in force
  Millis base{0};
  double factor = 2;
  Millis cap{0};
  int max_attempts = 0;  ///< of the exponential rule
  RetryOn policy = RetryOn::any;

  bool operator==(const RetryPolicy&) const = default;

  /// Tries in all, the first included.
  int tries() const;
  /// The wait after `failures` failed tries (from 1), without jitter; failures < tries().
  Millis wait_after(int failures) const;
};

/// 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h (Standard Webhooks 1.0, "Retry schedule").
RetryPolicy default_retry_policy();

/// `wait` spread evenly over ±20 %, never above 24 h.
Millis with_jitter(Millis wait, Random& random);

}  // namespace grapnel::model
