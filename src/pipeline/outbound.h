// What goes out with a delivery: headers in order of precedence ours, the action's, the
// transform's, the sender's.
#pragma once

#include <string>
#include <string_view>

#include "model/action.h"
#include "model/delivery.h"
#include "model/event.h"
#include "model/source.h"

namespace grapnel::pipeline {

/// Whether a sender's header may be forwarded at all: not a secret, hop-by-hop, Host,
/// Content-Length, Expect, webhook-*, X-Forwarded-*, nor one of ours.
bool is_forwardable(const model::Source& source, std::string_view name);

/// Everything but the signature headers, which signature/signer.h gives in `signed_headers`.
model::HeaderList outbound_headers(const model::Source& source, const model::Action& action,
                                   const model::Event& event, const model::Delivery& delivery,
                                   int attempt_number, model::HeaderList signed_headers,
                                   std::string_view traceparent);

/// As recorded with the attempt: values of what may be secret are cut.
model::HeaderList recorded_headers(const model::Action& action, const model::HeaderList& sent);

}  // namespace grapnel::pipeline
