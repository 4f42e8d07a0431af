#include "doubles/scripted_sandbox.h"

#include <utility>

namespace grapnel::doubles {

ScriptedOutcome returned(std::string result, std::chrono::nanoseconds delay) {
  return {.outcome = model::ScriptAnswer{.result = std::move(result), .console = {}},
          .delay = delay};
}

ScriptedOutcome failed(model::ScriptFault fault, std::string message,
                       std::chrono::nanoseconds delay) {
  return {.outcome =
              std::unexpected(model::ScriptFailure{.fault = fault, .message = std::move(message)}),
          .delay = delay};
}

async::Task<model::ScriptFailure> ScriptedSandbox::check(model::ScriptPtr script) {
  if (!health_.available) {
    co_return model::ScriptFailure{.fault = model::ScriptFault::unavailable,
                                   .message = health_.reason};
  }
  co_return check_ ? check_(*script) : model::ScriptFailure{};
}

async::Task<std::expected<model::ScriptAnswer, model::ScriptFailure>> ScriptedSandbox::run(
    model::ScriptCall call) {
  const std::size_t at = calls_.size();
  calls_.push_back({.script = std::move(call.script),
                    .event = std::move(call.event),
                    .body = std::string(call.body)});
  if (!health_.available) {
    co_return failed(model::ScriptFault::unavailable, health_.reason).outcome;
  }
  ScriptedOutcome reply = answer_ ? answer_(calls_[at]) : ScriptedOutcome{};
  if (reply.delay.count() > 0 && !co_await timers_.sleep_for(reply.delay)) {
    calls_[at].canceled = true;
    co_return failed(model::ScriptFault::stopped, "canceled").outcome;
  }
  co_return std::move(reply.outcome);
}

}  // namespace grapnel::doubles
