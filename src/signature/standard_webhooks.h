// Standard Webhooks 1.0: three headers, and a signature over `id.timestamp.body`.
//
//   webhook-id: evt_…                    the same on every retry; the receiver's idempotency key
//   webhook-timestamp: 1614265330        Unix seconds of this attempt
//   webhook-signature: v1,<base64> v1a,<base64> …   any entry of a known version may match
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "model/headers.h"
#include "signature/key.h"
#include "signature/limits.h"

namespace grapnel::signature {

inline constexpr std::string_view kIdHeader = "webhook-id";
inline constexpr std::string_view kTimestampHeader = "webhook-timestamp";
inline constexpr std::string_view kSignatureHeader = "webhook-signature";

/// The value of webhook-signature: one entry a key, in their order. `id` contains no '.'.
std::string sign(std::span<const SigningKey* const> keys, std::string_view id,
                 std::int64_t timestamp_s, std::string_view body);

/// The three header values; "" = absent.
struct Envelope {
  std::string_view id;
  std::string_view timestamp;
  std::string_view signature;
};
/// Borrows from `headers`.
Envelope envelope_of(const model::HeaderList& headers);
Envelope envelope_of(model::HeaderList&& headers) = delete;

/// Passes when the timestamp is within the tolerance of `now`, either way, and an entry of a known
/// version is of one of the keys; entries of unknown versions are skipped. The body is as received,
/// byte for byte. Errors: missing_header, bad_id, bad_timestamp, too_old, too_new,
/// too_many_signatures, no_known_version, no_match, no_key (no keys given).
Result<> verify(std::span<const VerifyingKey> keys, const Envelope& envelope, std::string_view body,
                Time now, Millis tolerance = kToleranceDefault);

}  // namespace grapnel::signature
