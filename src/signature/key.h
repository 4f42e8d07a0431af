// Keys of Standard Webhooks 1.0 and their text forms.
//
//   whsec_<base64 of any bytes>             v1: HMAC-SHA256; the decoded bytes are the key
//   whsk_<base64 of seed 32 || public 32>   v1a: Ed25519, the private half (the seed alone is read
//   too) whpk_<base64 of 32 bytes>               v1a: the public half any other text v1: its UTF-8
//   bytes are the key
// The specification leaves the layout of whsk_ open; this is the one that Svix uses.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "crypto/ed25519.h"
#include "crypto/secret.h"

namespace grapnel::signature {

enum class Version : std::uint8_t {
  v1,   ///< HMAC-SHA256
  v1a,  ///< Ed25519
};

/// Immutable; thread-safe.
class SigningKey {
 public:
  /// Error: bad_key; the message says what is expected and never repeats the text.
  static Result<SigningKey> parse(std::string_view text);

  Version version() const;
  /// One entry of webhook-signature, its version included: "v1,…" or "v1a,…". `id` and `timestamp`
  /// contain no '.', nothing that a sender chose (section "Signing").
  std::string sign(std::string_view id, std::string_view timestamp, std::string_view body) const;
  /// "whpk_…" of a v1a key; "" of a v1 key, which has none.
  std::string public_key() const;
  /// The key in the form that libraries of the standard read: "whsec_…" or "whsk_…".
  crypto::Secret standard_text() const;

 private:
  friend class VerifyingKey;
  struct Asymmetric {
    crypto::Ed25519Key key;
    crypto::Secret seed;
  };
  using Key = std::variant<crypto::Secret, Asymmetric>;
  explicit SigningKey(Key key) : key_(std::move(key)) {}

  Key key_;
};

/// Immutable; thread-safe.
class VerifyingKey {
 public:
  /// Reads whpk_… too, and takes the public half of a whsk_…. Error: bad_key.
  static Result<VerifyingKey> parse(std::string_view text);

  Version version() const;
  /// Whether one of `signatures`, entries without their version and comma, is of this key. A v1 key
  /// reads the body once however many there are, a v1a key once for each.
  bool matches_any(std::string_view id, std::string_view timestamp, std::string_view body,
                   std::span<const std::string_view> signatures) const;

 private:
  using Key = std::variant<crypto::Secret, crypto::Ed25519PublicKey>;
  explicit VerifyingKey(Key key) : key_(std::move(key)) {}

  Key key_;
};

}  // namespace grapnel::signature
