// TESTS. A pool on a loop of the test's own thread, with real workers and real time.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "async/scope.h"
#include "async/timers.h"
#include "doubles/drive.h"
#include "drivers/js/sandbox_pool.h"

namespace grapnel::js {

inline model::ScriptPtr script_of(std::string body,
                                  model::ScriptEntry entry = model::ScriptEntry::transform) {
  auto script = std::make_shared<model::Script>();
  script->body = std::move(body);
  script->entry = entry;
  script->name = "test:transform";
  return script;
}

/// `expression` as what transform(event) returns.
inline model::ScriptPtr returning(std::string_view expression) {
  return script_of("function transform(event) { return " + std::string(expression) + "; }");
}

class PoolRig {
 public:
  explicit PoolRig(SandboxOptions options = {})
      : pool(loop.get_executor(), timers, std::move(options)), scope(loop.get_executor()) {}
  ~PoolRig() {
    doubles::run(loop, pool.stop(async::Deadline(timers.now() + std::chrono::seconds(30))));
    scope.cancel();
    doubles::run(loop, scope.join());
  }

  Outcome run(const model::ScriptPtr& script, std::string_view body = "{}",
              std::string event = R"({"id":"evt_1"})") {
    return doubles::run(loop,
                        pool.run({.script = script, .event = std::move(event), .body = body}));
  }
  model::ScriptFailure check(const model::ScriptPtr& script) {
    return doubles::run(loop, pool.check(script));
  }
  /// What the script returns, or "fault: message".
  std::string text(const model::ScriptPtr& script, std::string_view body = "{}",
                   std::string event = R"({"id":"evt_1"})") {
    const Outcome outcome = run(script, body, std::move(event));
    if (outcome) return outcome->result;
    return std::to_string(static_cast<int>(outcome.error().fault)) + ": " + outcome.error().message;
  }

  async::Loop loop;
  async::SystemTimers timers{loop.get_executor()};
  SandboxPool pool;
  async::Scope scope;
};

}  // namespace grapnel::js
