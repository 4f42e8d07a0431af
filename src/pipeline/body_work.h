// What of an event costs time in proportion to its body.
#pragma once

#include "model/event.h"
#include "model/http.h"
#include "model/source.h"
#include "pipeline/describe.h"

namespace grapnel::pipeline {

struct BodyWork {
  bool acceptable = true;  ///< JSON, where the source requires it
  Description description;
  model::Sha256 sha256{};
};

BodyWork work_on(const model::Source& source, const model::HttpRequest& request);
/// The same of a large body, on a thread of the pool, in pieces: neither the time nor the memory
/// that it takes at once grows with the body.
BodyWork work_on_large(const model::Source& source, const model::HttpRequest& request);

}  // namespace grapnel::pipeline
