// Signing keys, opened once per revision of an action.
#pragma once

#include <memory>
#include <unordered_map>

#include "base/clock.h"
#include "crypto/secret_box.h"
#include "model/action.h"

namespace grapnel::pipeline {

/// The opened secrets of one action at one revision. Immutable.
class SigningKeys {
 public:
  virtual ~SigningKeys() = default;
  /// The signature headers of one attempt.
  virtual model::HeaderList sign(std::string_view event_id, Time now, std::string_view body,
                                 std::uint8_t schemes) const = 0;
};

class Keyring {
 public:
  explicit Keyring(const crypto::SecretBox& box) : box_(box) {}
  Result<std::shared_ptr<const SigningKeys>> of(const model::Action& action);

 private:
  const crypto::SecretBox& box_;
};

}  // namespace grapnel::pipeline
