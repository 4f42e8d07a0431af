// What is stored in place of a secret header's value: enough to see that two requests carried the
// same token, useless to whoever reads it without the key.
#pragma once

#include <string>
#include <string_view>

#include "crypto/secret.h"

namespace grapnel::crypto {

/// Thread-safe.
class KeyedDigest {
 public:
  explicit KeyedDigest(Secret key) : key_(std::move(key)) {}

  /// `digest:` and 22 characters: base64url of HMAC-SHA256(key, value) cut to 16 bytes.
  std::string text_of(std::string_view value) const;

 private:
  Secret key_;
};

}  // namespace grapnel::crypto
