// Hears of every durable change of the memory store's rows, in order, as it is made: what the
// simulation judges by.
#pragma once

#include <optional>

#include "model/delivery.h"

namespace grapnel::doubles {

struct StoredDelivery;
struct StoredEvent;

/// Called inside a transaction: it may look at the tables and change nothing.
class TableWatcher {
 public:
  virtual ~TableWatcher() = default;
  virtual void appended(const StoredEvent& event) = 0;
  /// `row` is in its new state, with its reason and due time. `from` is nothing at its birth, which
  /// is always as pending; one born leased or dead enters that state next.
  virtual void entered(const StoredDelivery& row, std::optional<model::DeliveryState> from) = 0;
  /// Retention is about to remove the event and its deliveries.
  virtual void erasing(const StoredEvent& event) = 0;
};

}  // namespace grapnel::doubles
