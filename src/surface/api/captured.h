// A request that somebody captured, as a document of the API: what /verify looks at.
#pragma once

#include <boost/json/value.hpp>

#include <optional>
#include <string>

#include "model/http.h"
#include "surface/api/problem.h"

namespace grapnel::api {

struct Captured {
  model::HttpRequest request;
  std::optional<Time> at;   ///< when it came; not set: now
  std::string quarantined;  ///< or the id of one that is kept here
  std::string event;        ///< or that of an event
};

/// {"method", "url", "headers", "body" or "body_base64", "https", "at"}, or {"quarantined"}, or
/// {"event"}. 400.
Answer<Captured> read_captured(const boost::json::value& document);

}  // namespace grapnel::api
