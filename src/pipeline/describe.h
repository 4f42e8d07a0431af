// What a request says about itself: event type, idempotency key, ordering key.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/http.h"
#include "model/source.h"
#include "pipeline/json_scan.h"

namespace grapnel::pipeline {

struct Description {
  std::string type;
  std::string idempotency_place;  ///< "" = no key
  std::string idempotency_key;    ///< above 256 bytes: "sha256:" and its hash
  std::optional<std::string> ordering_key;

  bool operator==(const Description&) const = default;
};

/// Type by the source's own place, else by default: X-GitHub-Event joined with the body's `action`
/// (`pull_request.opened`), `ce-type` (CloudEvents 1.0 HTTP binding), the body's `type`, else
/// `webhook`. Values that are empty count as absent; longer ones than their bound are cut (types)
/// or hashed (keys).
Description describe(const model::Source& source, const model::HttpRequest& request);
/// The same where the body was looked into before: `values` is what it holds at places_in_body().
Description describe(const model::Source& source, const model::HttpRequest& request,
                     BodyValues values);
/// The pointers that describe() may ask a body for.
std::vector<std::string> places_in_body(const model::Source& source);

}  // namespace grapnel::pipeline
