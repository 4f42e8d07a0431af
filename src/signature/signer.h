// What a delivery carries to prove where it comes from, rotation included.
//
//   created        primary_from            expires
//   old  ──────────────────────────────────┤           Standard Webhooks: signs with old and new
//   while new  ├──────────────┬───────────────────────────   both live; the receiver accepts either
//                       one-value schemes change over here
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "crypto/secret.h"
#include "model/action.h"
#include "model/headers.h"
#include "signature/key.h"

namespace grapnel::signature {

/// A signing secret of an action, opened (model::SigningSecret has the meaning of the times).
struct OpenedSecret {
  crypto::Secret text;
  Time created;
  std::optional<Time> expires;
  std::optional<Time> primary_from;
};

/// Two clocks, because they answer two questions.
struct SigningTime {
  Time wall;   ///< what the receiver compares with its own clock: webhook-timestamp
  Time store;  ///< what rotation runs on; a jump of the wall clock neither revives nor ends a key
};

/// The keys of one action at one revision. Immutable; thread-safe.
class Signer {
 public:
  /// In any order. Error: bad_key.
  static Result<Signer> make(std::vector<OpenedSecret> secrets);

  /// webhook-id and webhook-timestamp always; webhook-signature for v1 and v1a, with every
  /// unexpired key of that version, newest first; X-Webhook-Signature-256 for sha256, with the
  /// primary key: the newest whose primary_from has come, or else the oldest. `schemes` is
  /// Action::schemes; `event_id` contains no '.'. Error: no_key, a scheme has no unexpired key.
  Result<model::HeaderList> sign(std::string_view event_id, SigningTime time, std::string_view body,
                                 std::uint8_t schemes) const;

 private:
  struct Entry {
    OpenedSecret secret;
    SigningKey key;
    bool expired(Time now) const { return secret.expires && *secret.expires <= now; }
  };
  explicit Signer(std::vector<Entry> entries) : entries_(std::move(entries)) {}
  const Entry* primary(Time now) const;

  std::vector<Entry> entries_;  // newest first
};

/// "whsec_" and base64 of 32 random bytes (section "Signature scheme": 24 to 64 bytes).
crypto::Secret make_secret(Random& random);
/// "whsk_…": an Ed25519 key pair.
crypto::Secret make_asymmetric_secret(Random& random);

}  // namespace grapnel::signature
