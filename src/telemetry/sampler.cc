#include "telemetry/sampler.h"

#include <utility>

#include "base/check.h"

namespace grapnel::telemetry {

Sampler::Sampler(const Clock& clock, Rate rate) : clock_(clock), rate_(rate) {
  GRAPNEL_CHECK(rate_.thereafter > 0);
}

Sampler::State& Sampler::state_of(std::string_view kind, Monotonic now) {
  auto found = states_.find(kind);
  if (found != states_.end()) return found->second;
  if (states_.size() >= kSamplerKindsMax) {
    // Kinds that were quiet for a window start afresh anyway; those that owe a count get one more.
    std::erase_if(states_, [&](const auto& entry) {
      const auto age = now - entry.second.window_start;
      return age >= (entry.second.suppressed == 0 ? rate_.window : 2 * rate_.window);
    });
  }
  if (states_.size() >= kSamplerKindsMax) kind = "";
  return states_.try_emplace(std::string(kind), State{.window_start = now}).first->second;
}

std::optional<std::uint64_t> Sampler::admit(std::string_view kind) {
  const Monotonic now = clock_.monotonic();
  const std::scoped_lock lock(mutex_);
  State& state = state_of(kind, now);
  if (now - state.window_start >= rate_.window) {
    state.window_start = now;
    state.seen = 0;
  }
  ++state.seen;
  const bool passes =
      state.seen <= rate_.first || (state.seen - rate_.first) % rate_.thereafter == 0;
  if (!passes) {
    ++state.suppressed;
    return std::nullopt;
  }
  return std::exchange(state.suppressed, 0);
}

}  // namespace grapnel::telemetry
