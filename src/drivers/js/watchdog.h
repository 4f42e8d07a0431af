// WORKER. Ends calls that run too long: a thread that asks the engine for an interrupt, and the
// interrupt's answer.
//
//   idle --rest over--> watching --call too long--> interrupt asked, each tick, until it ended
#pragma once

#include <jsapi.h>

#include <atomic>
#include <chrono>
#include <cstdint>

#include "drivers/js/frames.h"

namespace grapnel::js {

/// Lives as long as the process. Everything but its own thread is the engine's thread.
class Watchdog {
 public:
  /// Starts the thread and waits until it runs: later the filter would end it.
  explicit Watchdog(JSContext* context);

  /// Watches until rest(): while there are calls to run.
  void wake();
  void rest();

  /// A call begins; with `time` below kScriptTimeMax it may take so much processor time only.
  void begin_call(std::chrono::milliseconds time);
  void end_call();

  /// ok, or why the call was interrupted, and where it was then.
  Verdict verdict() const { return verdict_; }
  std::uint32_t line() const { return line_; }
  std::uint32_t column() const { return column_; }
  /// Processor time of the engine's thread since begin_call.
  std::chrono::microseconds used() const;

  /// The engine asks whether to go on.
  bool go_on(JSContext* context);

 private:
  void watch();

  JSContext* context_;
  clockid_t engine_clock_;
  std::atomic<int> awake_ = 0;
  std::atomic<std::int64_t> wall_end_ = 0;       // ns of the steady clock; 0: no call
  std::atomic<std::int64_t> processor_end_ = 0;  // ns of the engine's thread; 0: unbounded
  std::int64_t processor_begin_ = 0;
  Verdict verdict_ = Verdict::ok;
  std::uint32_t line_ = 0;
  std::uint32_t column_ = 0;
};

}  // namespace grapnel::js
