// What the API's endpoints work with.
#pragma once

#include <functional>

#include "base/clock.h"
#include "base/id.h"
#include "base/random.h"
#include "crypto/secret_box.h"
#include "model/catalog.h"
#include "model/delivery_book.h"
#include "model/event_log.h"
#include "model/http.h"
#include "model/registry.h"
#include "model/upkeep.h"

namespace grapnel::api {

/// Everything outlives the handler. Used on the loop's thread.
struct Ports {
  const StoreClock& clock;
  Random& random;
  IdSource& ids;
  model::Registry& registry;
  model::EventLog& log;
  model::DeliveryBook& book;
  model::Catalog& catalog;
  model::Upkeep& upkeep;
  const crypto::SecretBox& box;
  const model::HttpSender& sender;    ///< says which targets it would call
  std::function<void()> job_started;  ///< a replay job was made; may be empty
};

}  // namespace grapnel::api
