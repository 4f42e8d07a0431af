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
/// Parts of a template of what is signed: the longest known has four.
inline constexpr std::size_t kTemplatePartsMax = 12;
/// Of a large body, what is hashed between two rests: about 0.15 ms.
inline constexpr std::size_t kBodyPieceBytes = 64ULL << 10;
/// Parameters of a signed form: Twilio sends up to some forty.
inline constexpr std::size_t kFormParametersMax = 1'000;
/// A challenge that is sent back; the longest known has 88 characters.
inline constexpr std::size_t kChallengeBytesMax = 1'024;
/// Of a signature, what an explanation shows: 4 characters of hex are 16 of at least 160 bits.
inline constexpr std::size_t kShownCharacters = 4;
/// Of a part of what is signed (a time, an id, a URL), what an explanation shows as it is.
inline constexpr std::size_t kShownPartBytes = 256;
/// A domain name (RFC 1035 section 2.3.4).
inline constexpr std::size_t kDomainBytesMax = 253;
/// Digits of a timestamp in milliseconds, of the same years.
inline constexpr std::size_t kMillisDigitsMax = 15;
/// Digits of a timestamp in seconds: enough until the year 33658.
inline constexpr std::size_t kTimestampDigitsMax = 12;

static_assert(kAsymmetricSignaturesMax >= model::kSigningSecretsMax &&
                  kSignaturesMax >= model::kSigningSecretsMax,
              "all that we send ourselves can be verified");

}  // namespace grapnel::signature
