// What providers ask before they send events: whether somebody is there who wants them. Answers
// are no events: nothing is stored, and nothing unverified is repeated beyond what the protocol
// needs.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/secret.h"
#include "model/http.h"
#include "signature/scheme.h"

namespace grapnel::signature {

/// Methods besides POST and PUT by which a handshake comes; "" for none.
std::string_view extra_method(Handshake handshake);

/// The scalar that the JSON body holds at a pointer.
using BodyLookup = std::function<std::optional<std::string>(std::string_view pointer)>;
/// The pointers that a handshake in the body is known by.
std::vector<std::string> handshake_pointers(Handshake handshake);

/// A handshake that comes as a verified POST: Slack's url_verification, Zoom's
/// endpoint.url_validation (answered with the secret that verified it), Discord's PING. Nothing: it
/// is an event.
std::optional<model::HttpResponse> answer_verified(Handshake handshake,
                                                   const crypto::Secret& secret,
                                                   const BodyLookup& look_up);

/// A handshake that comes by a method of its own: Meta's GET with the verify token (one of
/// `tokens`), CloudEvents' OPTIONS (`per_minute`: the rate that is granted, 0 any). Nothing: it is
/// none, or not granted.
std::optional<model::HttpResponse> answer_unsigned(Handshake handshake,
                                                   const std::vector<crypto::Secret>& tokens,
                                                   const model::HttpRequest& request,
                                                   double per_minute);

}  // namespace grapnel::signature
