// WORKER. The engine: one context without a JIT, with bounds, a watchdog and a job queue that
// forgets.
#pragma once

#include <jsapi.h>

namespace grapnel::js {

/// Starts the engine and everything that it does only once: threads, tables, time zones. It lives
/// as long as the process. Null: it does not start.
JSContext* start_engine();

/// Collects garbage after a batch when much of it has gathered.
class Janitor {
 public:
  explicit Janitor(JSContext* context);
  void after_batch();

 private:
  std::size_t held() const;

  JSContext* context_;
  std::size_t floor_;
};

}  // namespace grapnel::js
