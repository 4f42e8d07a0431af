#include "pipeline/attempt.h"

#include <gtest/gtest.h>

#include "async/scope.h"
#include "doubles/drive.h"
#include "doubles/manual_timers.h"
#include "doubles/scripted_sandbox.h"
#include "doubles/scripted_sender.h"

namespace grapnel::pipeline {
namespace {

using doubles::answer;
using doubles::failure;
using model::AttemptResult;
using model::AttemptStep;
using std::chrono::hours;
using std::chrono::seconds;

class AttemptTest : public testing::Test {
 protected:
  AttemptTest() {
    event.body = "payload";
    event.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    action.target_url = "http://endpoint.test/in";
    action.revision = 5;
    action.target_revision = 2;
    delivery.attempts = 3;
  }
  ~AttemptTest() override { doubles::run(loop, scope.join()); }

  async::Task<AttemptReport> begin() {
    return attempter.attempt(std::make_shared<model::SourceEntry>(),
                             std::make_shared<model::Action>(action),
                             std::make_shared<model::Event>(event), delivery);
  }
  async::Task<> begin_and_note(std::optional<AttemptReport>& out) { out = co_await begin(); }
  AttemptReport attempt() { return doubles::run(loop, begin()); }

  async::Loop loop;
  doubles::ManualClock system_clock;
  StoreClock clock{system_clock, Time{}};
  doubles::ManualTimers timers{loop, system_clock};
  SeededRandom random{1};
  IdSource ids{clock, random};
  crypto::SecretBox box{random, crypto::MasterKey::make(random)};
  Keyring keyring{box};
  doubles::ScriptedSender sender{timers};
  doubles::ScriptedSandbox sandbox{timers};
  Attempter attempter{{.clock = clock,
                       .random = random,
                       .ids = ids,
                       .keyring = keyring,
                       .sender = sender,
                       .sandbox = sandbox}};
  model::Event event;
  model::Action action;
  model::Delivery delivery;
  async::Scope scope{loop.get_executor()};
};

TEST_F(AttemptTest, SecretThatDoesNotOpenFailsBeforeAnythingIsSent) {
  action.secrets = {{.sealed = "garbage"}};
  const auto report = attempt();
  EXPECT_EQ(report.attempt.result, AttemptResult::failed);
  EXPECT_EQ(report.attempt.step, AttemptStep::prepare);
  EXPECT_TRUE(report.attempt.error.starts_with("prepare: ")) << report.attempt.error;
  EXPECT_TRUE(sender.calls().empty());
}

TEST_F(AttemptTest, FailureKeepsItsStepAndItsWords) {
  sender.set_script([](const auto&) { return failure(AttemptStep::tls, "tls: bad certificate"); });
  const auto report = attempt();
  EXPECT_EQ(report.attempt.result, AttemptResult::failed);
  EXPECT_EQ(report.attempt.step, AttemptStep::tls);
  EXPECT_EQ(report.attempt.error, "tls: bad certificate");
}

TEST_F(AttemptTest, CanceledAttemptIsHandedBack) {
  sender.set_script([](const auto&) { return answer(200, seconds{5}); });
  std::optional<AttemptReport> report;
  scope.spawn(begin_and_note(report));
  doubles::run_ready(loop);
  scope.cancel();
  doubles::run_ready(loop);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->attempt.result, AttemptResult::handed_back);
}

TEST_F(AttemptTest, OnlyTwoHundredsSucceedAndARedirectIsSaidNotToBeFollowed) {
  for (const int status : {200, 201, 204, 299}) {
    sender.set_script([status](const auto&) { return answer(status); });
    EXPECT_EQ(attempt().attempt.result, AttemptResult::succeeded) << status;
  }
  for (const int status : {100, 199, 300, 302, 400, 410, 500}) {
    sender.set_script([status](const auto&) { return answer(status); });
    const auto report = attempt();
    EXPECT_EQ(report.attempt.result, AttemptResult::failed) << status;
    EXPECT_EQ(report.attempt.step, AttemptStep::status);
    EXPECT_EQ(report.attempt.response_status, status);
    EXPECT_EQ(report.attempt.error.find("not followed") != std::string::npos,
              status >= 300 && status < 400);
  }
}

TEST_F(AttemptTest, RetryAfterDateIsJudgedByTheWallClock) {
  sender.set_script([](const auto&) {
    return answer(503, {}, {{"Retry-After", "Thu, 01 Jan 2026 03:00:00 GMT"}});
  });
  EXPECT_EQ(attempt().retry_after, hours{3});
  system_clock.jump_wall(hours{2});
  EXPECT_EQ(attempt().retry_after, hours{1}) << "the store's clock did not jump";
}

TEST_F(AttemptTest, ReportNamesWhatItUsed) {
  const auto report = attempt();
  EXPECT_EQ(report.attempt.number, 4);
  EXPECT_EQ(report.attempt.action_revision, 5);
  EXPECT_EQ(report.target_revision, 2);
  EXPECT_EQ(report.attempt.started, clock.now());
  EXPECT_FALSE(report.attempt.id.empty());
}

TEST_F(AttemptTest, TraceGoesOnInAChildOfItsOwn) {
  attempt();
  ASSERT_EQ(sender.calls().size(), 1U);
  const auto sent = model::find_header(sender.calls()[0].call.headers, "traceparent");
  ASSERT_TRUE(sent);
  EXPECT_EQ(sent->substr(0, 36), event.traceparent.substr(0, 36));
  EXPECT_NE(*sent, event.traceparent);
  event.traceparent = "garbage";
  attempt();
  EXPECT_FALSE(model::find_header(sender.calls()[1].call.headers, "traceparent"));
}

TEST_F(AttemptTest, SignsTheBodyAsItGoesOut) {
  action.secrets = {
      {.sealed = seal_for(box, action.id, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").value()}};
  const auto report = attempt();
  const auto& call = sender.calls().at(0);
  EXPECT_EQ(call.body, "payload");
  EXPECT_EQ(call.call.url, action.target_url);
  EXPECT_EQ(call.call.timeout, action.timeout);
  const auto signature = model::find_header(call.call.headers, "webhook-signature");
  ASSERT_TRUE(signature);
  EXPECT_TRUE(signature->starts_with("v1,"));
  EXPECT_EQ(model::find_header(report.attempt.request_headers, "webhook-signature"), signature);
}

TEST_F(AttemptTest, WhatCannotBeSentIsAFailedAttemptWithAReason) {
  const auto report = attempter.unsendable(delivery, "the event's body is gone");
  EXPECT_TRUE(report.body_damaged);
  EXPECT_EQ(report.attempt.number, 4);
  EXPECT_EQ(report.attempt.error, "prepare: the event's body is gone");
}

}  // namespace
}  // namespace grapnel::pipeline
