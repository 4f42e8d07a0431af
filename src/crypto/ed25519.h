// Ed25519 (RFC 8032 section 5.1).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

struct evp_pkey_st;

namespace grapnel::crypto {

using Ed25519Seed = std::array<std::uint8_t, 32>;
using Ed25519PublicKey = std::array<std::uint8_t, 32>;
using Ed25519Signature = std::array<std::uint8_t, 64>;

/// A private key. Immutable; thread-safe.
class Ed25519Key {
 public:
  /// `seed` is the private key of RFC 8032; any 32 bytes are one. The caller wipes its copy.
  explicit Ed25519Key(std::span<const std::uint8_t, 32> seed);

  const Ed25519PublicKey& public_key() const { return public_key_; }
  Ed25519Signature sign(std::string_view message) const;

 private:
  // Shared because OpenSSL keys are immutable once made and copies of this class are cheap so.
  std::shared_ptr<evp_pkey_st> key_;
  Ed25519PublicKey public_key_{};
};

/// False for a signature of another size and for a public key that is no point of the curve.
bool ed25519_verify(const Ed25519PublicKey& public_key, std::string_view message,
                    std::string_view signature);

}  // namespace grapnel::crypto
