// Time-outs of many sockets on one timer. Setting a deadline is one store; a task looks at all of
// them once a tick, so a deadline strikes up to one tick late. A timer per operation costs a tenth
// of a request.
#pragma once

#include <cstddef>
#include <vector>

#include "async/notify.h"
#include "async/task.h"
#include "base/clock.h"

namespace grapnel::http {

class Watchdog;

/// Something with a deadline. Lives and dies on the loop's thread.
class Watched {
 public:
  explicit Watched(Watchdog& watchdog);
  virtual ~Watched();
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;

  void arm(Monotonic at) {
    at_ = at;
    expired_ = false;
  }
  void disarm() { arm(Monotonic::max()); }
  /// Whether the deadline struck since arm().
  bool expired() const { return expired_; }

 protected:
  /// Ends what is waited for. Called at every tick past the deadline until it is moved, because
  /// between two operations there is nothing to end. May destroy this object, but no other.
  virtual void interrupt() = 0;

 private:
  friend class Watchdog;

  Watchdog& watchdog_;
  std::size_t place_ = 0;
  Monotonic at_ = Monotonic::max();
  bool expired_ = false;
};

class Watchdog {
 public:
  Watchdog(async::Executor executor, std::chrono::milliseconds tick);
  ~Watchdog();

  /// Looks at the deadlines until canceled. The owner spawns it in its scope.
  async::Task<> run();

 private:
  friend class Watched;
  void add(Watched& watched);
  void remove(Watched& watched);
  void look(Monotonic now);

  async::Executor executor_;
  std::chrono::milliseconds tick_;
  std::vector<Watched*> all_;
  async::Notify added_;
};

}  // namespace grapnel::http
