// Things as the API shows them: the domain's JSON with the names that its ids stand for.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <span>
#include <string>
#include <vector>

#include "model/delivery.h"
#include "model/event.h"
#include "model/registry.h"
#include "model/work_json.h"

namespace grapnel::api {

/// With "source" (slug), as long as the source exists.
boost::json::object event_view(const model::Event& event, const model::RegistrySnapshot& snapshot,
                               model::Detail detail);
/// With "source" (slug) and "action" (name), as long as they exist.
boost::json::object delivery_view(const model::Delivery& delivery,
                                  const model::RegistrySnapshot& snapshot);
boost::json::object job_view(const model::ReplayJob& job, const model::RegistrySnapshot& snapshot);
/// "sources" are slugs (ids of deleted ones).
boost::json::object key_view(const model::ApiKey& key, const model::RegistrySnapshot& snapshot);

/// An event as users of the original relay know a delivery, with its payload: JSON as it came, or
/// null and base64. `event` has its body unless it is above kPayloadShownBytesMax.
std::string relay_delivery_text(const model::Event& event, const model::RegistrySnapshot& snapshot);

/// Name and value pairs; what is no UTF-8 is replaced.
boost::json::array header_pairs(const model::HeaderList& headers);

}  // namespace grapnel::api
