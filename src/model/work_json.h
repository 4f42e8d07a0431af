// Events, deliveries, attempts, replay jobs and keys as the API and the CLI show them. Times are
// RFC 3339, ids are texts, bodies are not included; every outside text is made valid UTF-8.
#pragma once

#include <boost/json/object.hpp>

#include <cstdint>
#include <string_view>

#include "model/api_key.h"
#include "model/delivery.h"
#include "model/delivery_book.h"
#include "model/event.h"

namespace grapnel::model {

enum class Detail : std::uint8_t {
  summary,  ///< for lists: no headers
  with_headers,
};

/// `source_slug` "" leaves the field "source" out (the source was deleted).
boost::json::object to_json(const Event& event, std::string_view source_slug, Detail detail);
boost::json::object to_json(const Delivery& delivery);
boost::json::object to_json(const Attempt& attempt);
boost::json::object to_json(const ReplayJob& job);
boost::json::object to_json(const DeadFilter& filter);
/// Without its hash.
boost::json::object to_json(const ApiKey& key);

}  // namespace grapnel::model
