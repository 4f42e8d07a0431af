// Bounds of the signature room.
#pragma once

#include <cstddef>

#include "base/clock.h"
#include "model/limits.h"

namespace grapnel::signature {

/// How far a timestamp may be from now, either way: what every reference library of Standard
/// Webhooks 1.0 uses.
inline constexpr Millis kToleranceDefault{5 * 60'000};
/// Entries of one webhook-signature header, those of unknown versions included. A sender that
/// rotates has two keys; ours have at most five, of one version or the other.
inline constexpr std::size_t kSignaturesMax = 16;
/// v1a entries among them: each reads the whole body again (2 ms a MiB), so few are tried.
inline constexpr std::size_t kAsymmetricSignaturesMax = 5;
/// Digits of a timestamp in seconds: enough until the year 33658.
inline constexpr std::size_t kTimestampDigitsMax = 12;

static_assert(kAsymmetricSignaturesMax >= model::kSigningSecretsMax &&
                  kSignaturesMax >= model::kSigningSecretsMax,
              "all that we send ourselves can be verified");

}  // namespace grapnel::signature
