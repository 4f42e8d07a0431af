// The ports of one store, together: whoever is handed one is handed all, of the same store.
#pragma once

#include "base/clock.h"
#include "model/catalog.h"
#include "model/delivery_book.h"
#include "model/event_log.h"
#include "model/registry.h"
#include "model/upkeep.h"

namespace grapnel::model {

/// All outlive whoever holds this.
struct StorePorts {
  const StoreClock& clock;
  Registry& registry;
  EventLog& log;
  DeliveryBook& book;
  Catalog& catalog;
  Upkeep& upkeep;
};

}  // namespace grapnel::model
