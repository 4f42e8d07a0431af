// Last uses of API keys, gathered and written once a minute: a use costs the store nothing.
#pragma once

#include <map>

#include "async/scope.h"
#include "async/timers.h"
#include "model/registry.h"

namespace grapnel::api {

/// Used on the loop's thread. start() it once and stop() it before it is destroyed.
class KeyUses {
 public:
  KeyUses(async::Executor executor, async::Timers& timers, model::Registry& registry)
      : timers_(timers), registry_(registry), scope_(executor) {}

  void start() { scope_.spawn(run()); }
  /// Ends the loop and writes what is gathered. Idempotent.
  async::Task<> stop();

  void note(model::KeyId key, Time now) { uses_.insert_or_assign(key, now); }

 private:
  async::Task<> run();
  async::Task<> flush();

  async::Timers& timers_;
  model::Registry& registry_;
  std::map<model::KeyId, Time> uses_;  // at most kApiKeysMax: only known keys are noted
  async::Scope scope_;
};

}  // namespace grapnel::api
