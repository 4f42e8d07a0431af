// What a contract suite needs of a store: its ports, the clock it runs on, a loop, and a way to let
// the process die and a new one open the same data.
#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include "async/task.h"
#include "base/clock.h"
#include "doubles/manual_clock.h"
#include "model/catalog.h"
#include "model/delivery_book.h"
#include "model/event_log.h"
#include "model/registry.h"
#include "model/upkeep.h"

namespace grapnel::contract {

class StoreUnderTest {
 public:
  virtual ~StoreUnderTest() = default;

  // The ports; references last until reopen().
  virtual model::EventLog& log() = 0;
  virtual model::DeliveryBook& book() = 0;
  virtual model::Registry& registry() = 0;
  virtual model::Catalog& catalog() = 0;
  virtual model::Upkeep& upkeep() = 0;

  virtual async::Loop& loop() = 0;
  virtual doubles::ManualClock& clock() = 0;
  virtual const StoreClock& store_clock() const = 0;
  /// The process ends without handing anything back, and another opens the same data.
  virtual void reopen() = 0;
  /// A folder that does not exist, where a backup may go.
  virtual std::string backup_folder() = 0;
};

/// A driver by name, and how a test gets an empty store of it.
struct StoreKind {
  std::string name;
  std::function<std::unique_ptr<StoreUnderTest>()> make;
};
inline void PrintTo(const StoreKind& kind, std::ostream* out) { *out << kind.name; }

}  // namespace grapnel::contract
