// Repeats made rare: of each kind the first lines of a minute pass, then one in many.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "telemetry/limits.h"

namespace grapnel::telemetry {

/// if (const auto suppressed = sampler.admit(action)) {
///   log.warn("attempt failed", {…, {"suppressed", *suppressed}});
/// }
/// Thread-safe.
class Sampler {
 public:
  struct Rate {
    std::uint64_t first = kSamplerFirst;            ///< of a kind in a window, all pass
    std::uint64_t thereafter = kSamplerThereafter;  ///< then every so many-th; at least 1
    Millis window = kSamplerWindow;
  };

  explicit Sampler(const Clock& clock) : Sampler(clock, Rate{}) {}
  /// `clock` outlives the sampler.
  Sampler(const Clock& clock, Rate rate);

  /// Not set: leave this one out. Otherwise how many of the kind were left out since the last that
  /// passed. Beyond kSamplerKindsMax kinds at once, new ones are counted as one kind together.
  std::optional<std::uint64_t> admit(std::string_view kind);

 private:
  struct State {
    Monotonic window_start;
    std::uint64_t seen = 0;
    std::uint64_t suppressed = 0;
  };
  State& state_of(std::string_view kind, Monotonic now);

  const Clock& clock_;
  const Rate rate_;
  std::mutex mutex_;
  std::map<std::string, State, std::less<>> states_;
};

}  // namespace grapnel::telemetry
