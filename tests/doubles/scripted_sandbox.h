// Sandbox whose answers a test decides, call by call; no process, no engine.
#pragma once

#include <chrono>
#include <expected>
#include <functional>
#include <string>
#include <vector>

#include "async/timers.h"
#include "model/sandbox.h"

namespace grapnel::doubles {

/// A call as it came, kept for the test's questions.
struct RecordedScriptCall {
  model::ScriptPtr script;
  std::string event;
  std::string body;
  bool canceled = false;
};

/// What one call gets, after `delay`.
struct ScriptedOutcome {
  std::expected<model::ScriptAnswer, model::ScriptFailure> outcome = model::ScriptAnswer{};
  std::chrono::nanoseconds delay{0};
};

/// `result` as the script returned it: JSON text, "" for null.
ScriptedOutcome returned(std::string result, std::chrono::nanoseconds delay = {});
ScriptedOutcome failed(model::ScriptFault fault, std::string message,
                       std::chrono::nanoseconds delay = {});

/// Used on the loop's thread; outlives its calls.
class ScriptedSandbox final : public model::Sandbox {
 public:
  using Answer = std::function<ScriptedOutcome(const RecordedScriptCall&)>;
  using Check = std::function<model::ScriptFailure(const model::Script&)>;

  /// Without an answer every call returns nothing; without a check every script is well.
  explicit ScriptedSandbox(async::Timers& timers, Answer answer = {})
      : timers_(timers), answer_(std::move(answer)) {}

  async::Task<model::ScriptFailure> check(model::ScriptPtr script) override;
  async::Task<std::expected<model::ScriptAnswer, model::ScriptFailure>> run(
      model::ScriptCall call) override;
  model::SandboxHealth health() const override { return health_; }

  void set_answer(Answer answer) { answer_ = std::move(answer); }
  void set_check(Check check) { check_ = std::move(check); }
  /// Not available: every call and check then fails with fault unavailable and this reason.
  void set_health(model::SandboxHealth health) { health_ = std::move(health); }
  /// Every call so far, in the order in which they began.
  const std::vector<RecordedScriptCall>& calls() const { return calls_; }

 private:
  async::Timers& timers_;
  Answer answer_;
  Check check_;
  model::SandboxHealth health_{.available = true, .reason = {}};
  std::vector<RecordedScriptCall> calls_;
};

}  // namespace grapnel::doubles
