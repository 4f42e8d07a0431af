// Who calls: API keys, looked up by the hash of their text.
//
// A missing, unknown or expired key is 401 in the same words whatever the path is, so nobody
// without a key learns what exists.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/api_key.h"
#include "model/catalog.h"
#include "model/registry.h"
#include "surface/api/problem.h"

namespace grapnel::api {

enum class AuthMode : std::uint8_t {
  keys,
  none,  ///< everybody is admin; pages of other sites are still refused (CSRF, rebinding)
};

struct AuthOptions {
  AuthMode mode = AuthMode::keys;
  /// crypto::token_hash of a key from the environment, which counts as admin; "" = there is none.
  std::string environment_key_hash;
};

/// What the request may do and see.
struct Caller {
  model::KeyScope scope = model::KeyScope::admin;
  model::SourceScope sources;  ///< empty: all
  std::optional<model::KeyId> key;

  bool is_limited() const { return !sources.empty(); }
  bool sees(model::SourceId source) const;
};

/// The caller of a request, or 401 (403 for a foreign page or a public host name where keys are
/// off).
Answer<Caller> authenticate(const AuthOptions& options, const model::RegistrySnapshot& snapshot,
                            const model::HttpRequest& head, Time now);

/// The key's text: `Authorization: Bearer …`, else `X-Api-Key`. Valid as long as the request.
std::optional<std::string_view> key_of(const model::HttpRequest& head);

}  // namespace grapnel::api
