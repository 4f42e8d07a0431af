// Bounds of the crypto room.
#pragma once

#include <cstddef>

#include "base/units.h"

namespace grapnel::crypto {

/// Plain text of one sealed secret. Signing secrets end at 1 KiB and CA keys at some KiB; 64 KiB
/// leaves room for a kubeconfig and stays far below what AES-GCM takes in one message (64 GiB).
inline constexpr std::size_t kPlaintextBytesMax = 64_KiB;
/// Older master keys that are tried: one rotation a year for eight years.
inline constexpr std::size_t kOlderKeysMax = 8;
/// Text of a master key that is looked at; the longest form, 64 hexadecimal digits, and white
/// space.
inline constexpr std::size_t kMasterKeyTextMax = 256;

static_assert(kMasterKeyTextMax > 64, "the hexadecimal form fits");

}  // namespace grapnel::crypto
