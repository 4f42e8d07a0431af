// Reading events for their attempts: a store that cannot be read is asked again, not given up on.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "async/timers.h"
#include "model/event_log.h"
#include "telemetry/log.h"

namespace grapnel::pipeline {

/// Used on the loop's thread.
class EventReader {
 public:
  using Events = std::vector<Result<model::EventPtr>>;  ///< as EventLog::read gives them

  /// All outlive the reader.
  EventReader(async::Timers& timers, model::EventLog& log, telemetry::Log& log_lines)
      : timers_(timers), log_(log), log_lines_(log_lines) {}

  /// Waits until the store can be read. Nothing: it could not within kEventReadWaitMax, or waiting
  /// ended by end_waiting() or because the caller was canceled with throw_if_cancelled off.
  async::Task<std::optional<Events>> read(std::vector<model::EventRun> runs);
  /// Once: for reading ahead, which must not wait for one event that cannot be read.
  async::Task<std::optional<Events>> try_read(std::vector<model::EventRun> runs);
  /// What could be read of them, at once.
  using Found = std::map<model::EventRun, model::EventPtr>;
  async::Task<Found> read_ahead(std::vector<model::EventRun> runs);
  /// From now on every read is tried once.
  void end_waiting() { waits_ = false; }

 private:
  async::Timers& timers_;
  model::EventLog& log_;
  telemetry::Log& log_lines_;
  bool waits_ = true;
  bool fails_ = false;  ///< said so in the log already
};

}  // namespace grapnel::pipeline
