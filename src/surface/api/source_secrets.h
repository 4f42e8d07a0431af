// Secrets with which sources verify: made, checked, sealed, and shown at most once.
#pragma once

#include <boost/json/object.hpp>

#include <optional>
#include <string_view>

#include "crypto/secret.h"
#include "model/inbound_json.h"
#include "model/source.h"
#include "surface/api/parts.h"
#include "surface/api/problem.h"

namespace grapnel::api {

/// What was made because none was given; empty ones were not.
struct MadeSecrets {
  crypto::Secret secret;
  crypto::Secret handshake_token;
};

/// After a patch: checks how the source verifies, takes the secrets that the document gives, makes
/// those that it needs and that are ours to make. 400 for settings and secrets that do not fit; 422
/// where the provider's own secret is missing, with where it is found.
Answer<MadeSecrets> settle_inbound(const Ports& ports, const model::InboundPatch& patch,
                                   model::Source& source);

/// The secret (made where the text is empty) becomes the newest; the others stay. Gives back the
/// made one, or an empty one. 400, 409 (too many).
Answer<crypto::Secret> add_inbound_secret(const Ports& ports, std::string_view given,
                                          model::Source& source);
/// 404; 409 for the last of its use.
Answer<void> remove_inbound_secret(std::string_view fingerprint, model::Source& source);

/// Adds "secret" and "handshake_token" where they were made.
void show_once(const MadeSecrets& made, boost::json::object& out);
/// Adds "verification": what the source's provider and settings come to.
void show_verification(const model::Source& source, boost::json::object& out);

}  // namespace grapnel::api
