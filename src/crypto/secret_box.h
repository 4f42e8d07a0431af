// Secrets at rest: AES-256-GCM (NIST SP 800-38D) under a master key.
//
//   v1:<key name>:<base64(nonce 12 || ciphertext || tag 16)>
//
// The key name (the first 8 hexadecimal digits of SHA-256("grapnel master key" || key)) says which
// master key made a text, so a missing one is named instead of guessed. The context, for example
// the id of the action that owns the secret, is authenticated: a sealed text copied to another
// place does not open there. Nonces are random; the bound of 2^32 messages a key is out of reach of
// any configuration.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "crypto/secret.h"

namespace grapnel::crypto {

/// 32 bytes and their name.
class MasterKey {
 public:
  static MasterKey make(Random& random);

  const std::string& name() const { return name_; }
  std::string_view bytes() const { return bytes_.reveal(); }
  /// 64 hexadecimal digits, as parse_master_key reads them: what goes into a key file.
  Secret text() const;

 private:
  friend Result<MasterKey> parse_master_key(std::string_view text);
  explicit MasterKey(Secret bytes);

  Secret bytes_;
  std::string name_;
};

/// 64 hexadecimal digits or base64 of 32 bytes, padded or not; white space around it is skipped.
/// Error: malformed, with the sentence that helps.
Result<MasterKey> parse_master_key(std::string_view text);

/// The name of the master key that made a sealed text; not set when it is no sealed text.
std::optional<std::string_view> key_name_of(std::string_view sealed);

/// Seals with one key, opens with that one and older ones. Immutable; thread-safe.
class SecretBox {
 public:
  /// `random` outlives the box and is the kernel's, never a seeded one outside tests: a repeated
  /// nonce breaks the cipher. At most kOlderKeysMax older keys.
  SecretBox(Random& random, MasterKey current, std::vector<MasterKey> older = {});

  /// Error: too_large.
  Result<std::string> seal(std::string_view plaintext, std::string_view context) const;
  /// Errors: wrong_key (the message names the key that is needed), damaged.
  Result<Secret> open(std::string_view sealed, std::string_view context) const;
  /// Whether a sealed text was made by an older key, so that a rotation has to seal it anew.
  bool is_outdated(std::string_view sealed) const;
  const std::string& key_name() const { return current_.name(); }

  /// A 32-byte key for one other purpose, from the current master key (the expand step of RFC
  /// 5869). It changes when the master key is rotated: a key whose results are stored is a random
  /// one, sealed.
  Secret derive(std::string_view label) const;

 private:
  const MasterKey* find_key(std::string_view name) const;

  Random& random_;
  MasterKey current_;
  std::vector<MasterKey> older_;
};

}  // namespace grapnel::crypto
