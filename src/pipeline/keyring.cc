#include "pipeline/keyring.h"

#include "pipeline/limits.h"

namespace grapnel::pipeline {

Result<std::shared_ptr<const signature::Signer>> Keyring::of(const model::Action& action) {
  if (const auto at = entries_.find(action.id);
      at != entries_.end() && at->second.revision == action.revision) {
    return at->second.signer;
  }
  std::vector<signature::OpenedSecret> opened;
  for (const auto& secret : action.secrets) {
    auto text = box_.open(secret.sealed, action.id.str());
    if (!text) return std::unexpected(text.error());
    opened.push_back({.text = std::move(*text),
                      .created = secret.created,
                      .expires = secret.expires,
                      .primary_from = secret.primary_from});
  }
  auto signer = signature::Signer::make(std::move(opened));
  if (!signer) return std::unexpected(signer.error());
  if (entries_.size() >= kKeyringMax) entries_.clear();
  auto shared = std::make_shared<const signature::Signer>(std::move(*signer));
  entries_[action.id] = {.revision = action.revision, .signer = shared};
  return shared;
}

Result<std::string> seal_for(const crypto::SecretBox& box, model::ActionId action,
                             std::string_view secret) {
  return box.seal(secret, action.str());
}

}  // namespace grapnel::pipeline
