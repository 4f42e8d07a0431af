#include "doubles/scripted_sender.h"

#include <gtest/gtest.h>

#include "async/scope.h"
#include "doubles/drive.h"
#include "doubles/manual_timers.h"

namespace grapnel::doubles {
namespace {

using std::chrono::seconds;
using Answer = std::expected<model::HttpAnswer, model::HttpFailure>;

async::Task<> send_and_note(ScriptedSender& sender, std::string body, std::vector<Answer>& out) {
  model::HttpCall call;
  call.url = "http://receiver.test/hook";
  call.body = body;
  call.timeout = seconds{15};
  out.push_back(co_await sender.send(std::move(call)));
}

struct ScriptedSenderTest : testing::Test {
  async::Loop loop;
  ManualClock clock;
  ManualTimers timers{loop, clock};
  ScriptedSender sender{timers};
  std::vector<Answer> answers;
  async::Scope scope{loop.get_executor()};
};

TEST_F(ScriptedSenderTest, CallsAreRecordedWithTheirBodies) {
  scope.spawn(send_and_note(sender, "one", answers));
  run_ready(loop);
  ASSERT_EQ(sender.calls().size(), 1U);
  EXPECT_EQ(sender.calls()[0].body, "one");
  EXPECT_EQ(sender.calls()[0].call.url, "http://receiver.test/hook");
  EXPECT_EQ(answers.at(0)->status, 200);
}

TEST_F(ScriptedSenderTest, SlowAnswersOverlapAndComeAfterTheirDelay) {
  sender.set_script([](const RecordedCall& call) {
    return call.body == "slow" ? answer(500, seconds{9})
                               : failure(model::AttemptStep::dns, "dns: no");
  });
  scope.spawn(send_and_note(sender, "slow", answers));
  scope.spawn(send_and_note(sender, "fast", answers));
  run_ready(loop);
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].error().step, model::AttemptStep::dns);
  EXPECT_EQ(sender.in_flight(), 1);
  timers.advance(seconds{9});
  EXPECT_EQ(answers.at(1)->status, 500);
  EXPECT_EQ(sender.in_flight(), 0);
  EXPECT_EQ(sender.most_in_flight(), 2);
}

TEST_F(ScriptedSenderTest, AnswerLaterThanTheTimeOutIsATimeOut) {
  sender.set_script([](const RecordedCall&) { return answer(200, seconds{60}); });
  scope.spawn(send_and_note(sender, "x", answers));
  timers.advance(seconds{15});
  EXPECT_EQ(answers.at(0).error().step, model::AttemptStep::timeout);
}

TEST_F(ScriptedSenderTest, CanceledCallerGetsAFailureWithoutAStep) {
  sender.set_script([](const RecordedCall&) { return answer(200, seconds{9}); });
  scope.spawn(send_and_note(sender, "x", answers));
  run_ready(loop);
  scope.cancel();
  run_ready(loop);
  EXPECT_EQ(answers.at(0).error().step, model::AttemptStep::none);
  EXPECT_TRUE(sender.calls()[0].canceled);
}

}  // namespace
}  // namespace grapnel::doubles
