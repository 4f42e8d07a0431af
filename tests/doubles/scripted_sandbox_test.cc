#include "doubles/scripted_sandbox.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>

#include "async/scope.h"
#include "doubles/drive.h"

namespace grapnel::doubles {
namespace {

using model::ScriptFault;
using Outcome = std::expected<model::ScriptAnswer, model::ScriptFailure>;

async::Task<> run_into(ScriptedSandbox* sandbox, model::ScriptPtr script,
                       std::optional<Outcome>* out) {
  *out = co_await sandbox->run({.script = script, .event = "{}", .body = "raw"});
}

class ScriptedSandboxTest : public ::testing::Test {
 protected:
  Outcome run() {
    return doubles::run(loop_, sandbox_.run({.script = script_, .event = "{}", .body = "raw"}));
  }

  async::Loop loop_;
  async::SystemTimers timers_{loop_.get_executor()};
  ScriptedSandbox sandbox_{timers_};
  model::ScriptPtr script_ = std::make_shared<model::Script>();
};

TEST_F(ScriptedSandboxTest, ReturnsNothingUntilToldOtherwise) {
  EXPECT_EQ(run()->result, "");
  EXPECT_EQ(doubles::run(loop_, sandbox_.check(script_)).fault, ScriptFault::none);
  EXPECT_TRUE(sandbox_.health().available);
}

TEST_F(ScriptedSandboxTest, AnswersByCallAndKeepsIt) {
  sandbox_.set_answer([](const RecordedScriptCall& call) {
    return call.body == "raw" ? returned("1") : failed(ScriptFault::thrown, "no");
  });
  EXPECT_EQ(run()->result, "1");
  EXPECT_EQ(sandbox_.calls().front().script, script_);
}

TEST_F(ScriptedSandboxTest, FailsEverythingWhenItIsNotAvailable) {
  sandbox_.set_health({.available = false, .reason = "refused"});
  EXPECT_EQ(run().error().fault, ScriptFault::unavailable);
  EXPECT_EQ(doubles::run(loop_, sandbox_.check(script_)).message, "refused");
}

TEST_F(ScriptedSandboxTest, LetsACanceledCallerGo) {
  sandbox_.set_answer(
      [](const RecordedScriptCall&) { return returned("1", std::chrono::hours{1}); });
  async::Scope scope(loop_.get_executor());
  std::optional<Outcome> outcome;
  scope.spawn(run_into(&sandbox_, script_, &outcome));
  run_ready(loop_);
  scope.cancel();
  doubles::run(loop_, scope.join());
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->error().fault, ScriptFault::stopped);
  EXPECT_TRUE(sandbox_.calls().front().canceled);
}

}  // namespace
}  // namespace grapnel::doubles
