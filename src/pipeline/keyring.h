// Signing keys, opened once per revision of an action.
#pragma once

#include <memory>
#include <unordered_map>

#include "crypto/secret_box.h"
#include "model/action.h"
#include "signature/signer.h"

namespace grapnel::pipeline {

/// Used on the loop's thread.
class Keyring {
 public:
  /// `box` outlives the keyring.
  explicit Keyring(const crypto::SecretBox& box) : box_(box) {}

  /// Errors: those of SecretBox::open and Signer::make.
  Result<std::shared_ptr<const signature::Signer>> of(const model::Action& action);

 private:
  struct Entry {
    model::Revision revision = 0;
    std::shared_ptr<const signature::Signer> signer;
  };

  const crypto::SecretBox& box_;
  std::unordered_map<model::ActionId, Entry> entries_;
};

/// Seals a signing secret for the action that will own it.
Result<std::string> seal_for(const crypto::SecretBox& box, model::ActionId action,
                             std::string_view secret);

}  // namespace grapnel::pipeline
