// Structured log: one line an entry, as JSON for machines or text for a terminal.
//
//   log.warn("attempt failed", {{"delivery", id}, {"status", 503}});
//
// Lines go through a bounded queue to a thread that writes them, so that a slow reader of stderr
// never holds up the caller: when the queue is full the oldest lines are dropped and counted
// (dropped()). There is no global log: one Log is passed down.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "base/clock.h"
#include "telemetry/limits.h"
#include "telemetry/log_entry.h"

namespace grapnel::telemetry {

/// Takes one whole line, newline included.
using LogSink = std::function<void(std::string_view line)>;
/// Writes to standard error, one system call a line.
LogSink stderr_sink();

struct LogOptions {
  Level level = Level::info;
  LogFormat format = LogFormat::json;
  std::size_t queue_max = kLogQueueMax;  ///< lines; at least 1
};

/// Thread-safe.
class Log {
 public:
  /// `clock` outlives the log. `sink` is called on the log's own thread, one line at a time.
  Log(const Clock& clock, const LogOptions& options, LogSink sink = stderr_sink());
  /// Writes what is queued, however long the sink takes.
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  bool enabled(Level level) const { return level >= level_; }

  void debug(std::string_view message, Fields fields = {}) { write(Level::debug, message, fields); }
  void info(std::string_view message, Fields fields = {}) { write(Level::info, message, fields); }
  void warn(std::string_view message, Fields fields = {}) { write(Level::warn, message, fields); }
  void error(std::string_view message, Fields fields = {}) { write(Level::error, message, fields); }
  /// `level` is not off.
  void write(Level level, std::string_view message, Fields fields = {});

  /// Lines lost to a full queue since the start.
  std::uint64_t dropped() const;

 private:
  struct Queue;

  const Clock& clock_;
  const LogFormat format_;
  const Level level_;
  std::unique_ptr<Queue> queue_;
};

}  // namespace grapnel::telemetry
