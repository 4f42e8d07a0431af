// Signing secrets of actions: made, checked, sealed, rotated, and shown exactly once.
#pragma once

#include <boost/json/object.hpp>

#include <optional>
#include <string_view>

#include "crypto/secret.h"
#include "model/action.h"
#include "surface/api/parts.h"
#include "surface/api/problem.h"

namespace grapnel::api {

/// A given secret, or a generated one of the kind that the schemes need. 400 when the text is no
/// key.
Answer<crypto::Secret> take_or_make_secret(const Ports& ports, std::string_view given,
                                           std::uint8_t schemes);

/// 400 when a scheme of the action cannot sign with that secret.
std::optional<model::HttpResponse> refuse_unfit(const crypto::Secret& secret, std::uint8_t schemes);

/// The secret becomes the only one, at once.
Answer<void> replace_secrets(const Ports& ports, const crypto::Secret& secret,
                             model::Action& action);

/// When the former secret ends and the new one becomes primary.
struct Rotation {
  Time expires;
  Time primary_from;
};
/// The secret becomes the newest; those without an end get one; ended ones go. 409 when too many
/// still live.
Answer<void> rotate_secrets(const Ports& ports, const crypto::Secret& secret,
                            const Rotation& rotation, model::Action& action);

/// The newest secret, opened.
Answer<crypto::Secret> newest_secret(const Ports& ports, const model::Action& action);

/// Rotating to it would change nothing.
bool is_newest_secret(const Ports& ports, const crypto::Secret& secret,
                      const model::Action& action);

/// Adds "signing_secret", for plain text its whsec_ form, for a key pair its public half.
void show_once(const crypto::Secret& secret, boost::json::object& out);
/// Adds "signing_public_key" where the newest secret is a key pair: it is no secret.
void show_public_key(const Ports& ports, const model::Action& action, boost::json::object& out);

}  // namespace grapnel::api
