// PORT Upkeep: slow work in bounded steps. A step is one short transaction, so that ingest and
// deliveries go on between steps; every step can be interrupted by a crash and taken again.
#pragma once

#include <cstdint>
#include <string>
#include <system_error>

#include "async/task.h"
#include "base/result.h"
#include "model/ids.h"

namespace grapnel::model {

/// Whether another step has work to do now.
enum class StepResult : std::uint8_t { done, more };

struct RetentionPolicy {
  Millis finished{30LL * 86'400'000};  ///< after an event's fan-out and all its deliveries ended
  Millis dead{30LL * 86'400'000};      ///< for events with a dead delivery that was not replayed
};

struct Swept {
  std::int64_t events = 0;
  StepResult step = StepResult::done;  ///< `more` until a pass over the store is through
};

struct StoreHealth {
  bool writable = false;
  std::error_code code;  ///< when it is not: store_*
  std::string reason;    ///< when it is not: one sentence
  std::uint64_t wal_bytes = 0;
  std::int64_t epoch = 0;
};

class Upkeep {
 public:
  virtual ~Upkeep() = default;

  /// pending, retrying -> dead (endpoint_gone) while the action's health is gone, re-read in each
  /// step.
  virtual async::Task<Result<StepResult>> bury(ActionId action) = 0;
  /// Cancels open work of sources and actions that are deleting, then removes their definitions.
  virtual async::Task<Result<StepResult>> finish_deletions() = 0;
  /// Removes finished events older than the policy with their deliveries, attempts and bodies, in
  /// seq order, never anything with open work, nor what a running replay job still covers.
  virtual async::Task<Result<Swept>> sweep(RetentionPolicy policy) = 0;
  /// Drops idempotency keys that are past their window.
  virtual async::Task<Result<StepResult>> drop_old_keys() = 0;
  /// paused -> record: what is held becomes recorded.
  virtual async::Task<Result<StepResult>> record_held(SourceId source) = 0;
  /// A verified copy of the store in a new folder, made while everything goes on.
  virtual async::Task<Result<>> backup(std::string folder) = 0;
  virtual StoreHealth health() const = 0;
};

}  // namespace grapnel::model
