#include "pipeline/verdict.h"

#include <gtest/gtest.h>

#include "model/limits.h"

namespace grapnel::pipeline {
namespace {

using model::AttemptResult;
using model::AttemptStep;
using model::EndReason;
using model::RetryOn;
using model::Settlement;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Time kNow{Millis{1'767'225'600'000}};

class Verdict : public testing::Test {
 protected:
  Verdict() {
    lease.delivery.seq = 7;
    lease.fence = 9;
    action.retry.schedule = {seconds{10}, seconds{100}};
    action.target_revision = 3;
  }
  static AttemptReport failed(AttemptStep step, int status = 0) {
    AttemptReport report{.target_revision = 3};
    report.attempt.number = 1;
    report.attempt.result = AttemptResult::failed;
    report.attempt.step = step;
    report.attempt.response_status = status;
    return report;
  }
  static AttemptReport answered(int status) { return failed(AttemptStep::status, status); }
  Settlement settled(AttemptReport report) {
    return settle(lease, action, std::move(report), kNow, random);
  }

  model::Lease lease;
  model::Action action;
  SeededRandom random{1};
};

TEST_F(Verdict, SettlementNamesItsLeaseAndCarriesTheAttempt) {
  const auto got = settled(answered(500));
  EXPECT_EQ(got.delivery, 7);
  EXPECT_EQ(got.fence, 9);
  ASSERT_TRUE(got.attempt);
  EXPECT_EQ(got.attempt->response_status, 500);
}

TEST_F(Verdict, LastTryOfThePolicyKills) {
  lease.delivery.tries_used = 1;
  EXPECT_EQ(settled(answered(500)).kind, Settlement::Kind::retry);
  lease.delivery.tries_used = 2;
  EXPECT_EQ(settled(answered(500)).kind, Settlement::Kind::dead);
  EXPECT_EQ(settled(answered(500)).reason, EndReason::retries_exhausted);
  lease.delivery.tries_used = 7;  // the schedule was made shorter meanwhile
  EXPECT_EQ(settled(answered(500)).kind, Settlement::Kind::dead);
}

TEST_F(Verdict, WaitIsTheSchedulesWithJitterOrALongerRetryAfter) {
  for (int i = 0; i < 100; ++i) {
    const auto wait = settled(answered(500)).due - kNow;
    EXPECT_GE(wait, seconds{8});
    EXPECT_LE(wait, seconds{12});
  }
  auto report = answered(503);
  report.retry_after = minutes{5};
  EXPECT_EQ(settled(report).due, kNow + minutes{5});
  report.retry_after = seconds{1};
  EXPECT_GE(settled(report).due, kNow + seconds{8}) << "a shorter one changes nothing";
  report.retry_after = hours{1'000};
  EXPECT_EQ(settled(report).due, kNow + model::kRetryWaitMax);
}

TEST_F(Verdict, EgressRefusalAndWhatCannotBeBuiltAreFinal) {
  EXPECT_EQ(settled(failed(AttemptStep::egress)).reason, EndReason::egress_refused);
  EXPECT_EQ(settled(failed(AttemptStep::prepare)).reason, EndReason::bad_configuration);
  auto damaged = failed(AttemptStep::prepare);
  damaged.body_damaged = true;
  EXPECT_EQ(settled(damaged).reason, EndReason::body_damaged);
  EXPECT_EQ(settled(damaged).kind, Settlement::Kind::dead);
}

TEST_F(Verdict, GoneEndsItWhateverThePolicy) {
  for (const RetryOn policy : {RetryOn::any, RetryOn::transient}) {
    action.retry.policy = policy;
    const auto got = settled(answered(410));
    EXPECT_EQ(got.kind, Settlement::Kind::dead);
    EXPECT_EQ(got.reason, EndReason::endpoint_gone);
    ASSERT_TRUE(got.health);
    EXPECT_EQ(got.health->health, model::Health::gone);
    EXPECT_EQ(got.health->target_revision, 3);
  }
}

TEST_F(Verdict, GoneOfAFormerTargetIsAnOrdinaryFailure) {
  action.target_revision = 4;
  const auto got = settled(answered(410));
  EXPECT_EQ(got.kind, Settlement::Kind::retry);
  EXPECT_FALSE(got.health);
}

TEST_F(Verdict, PolicyAnyRetriesEveryOtherFailure) {
  for (const int status : {300, 304, 400, 401, 404, 408, 413, 422, 429, 500, 503, 599, 600}) {
    EXPECT_EQ(settled(answered(status)).kind, Settlement::Kind::retry) << status;
  }
}

TEST_F(Verdict, PolicyTransientEndsWhatWillNotPassByItself) {
  action.retry.policy = RetryOn::transient;
  for (const int status : {301, 400, 401, 403, 404, 409, 413, 422, 600}) {
    EXPECT_EQ(settled(answered(status)).reason, EndReason::final_failure) << status;
  }
  for (const int status : {408, 429, 500, 502, 503, 504, 599}) {
    EXPECT_EQ(settled(answered(status)).kind, Settlement::Kind::retry) << status;
  }
  for (const AttemptStep step : {AttemptStep::dns, AttemptStep::connect, AttemptStep::tls,
                                 AttemptStep::send, AttemptStep::response, AttemptStep::timeout}) {
    EXPECT_EQ(settled(failed(step)).kind, Settlement::Kind::retry);
  }
}

TEST_F(Verdict, SuccessDeliversAndACutOffAttemptCountsNothing) {
  AttemptReport report;
  report.attempt.result = AttemptResult::succeeded;
  EXPECT_EQ(settled(report).kind, Settlement::Kind::delivered);
  report.attempt.result = AttemptResult::handed_back;
  EXPECT_EQ(settled(report).kind, Settlement::Kind::hand_back);
}

}  // namespace
}  // namespace grapnel::pipeline
