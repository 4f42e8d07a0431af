#include "model/retry_policy.h"

#include <gtest/gtest.h>

#include "model/limits.h"

namespace grapnel::model {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(RetryPolicyDeathTest, AskingForAWaitAfterTheLastTryIsABug) {
  const RetryPolicy policy{.schedule = {seconds{5}}};
  EXPECT_DEATH(policy.wait_after(2), "check failed");
  EXPECT_DEATH(policy.wait_after(0), "check failed");
}

TEST(RetryPolicy, DefaultIsTheScheduleOfStandardWebhooks) {
  const RetryPolicy policy = default_retry_policy();
  EXPECT_EQ(policy.tries(), 10);
  EXPECT_EQ(policy.wait_after(1), seconds{5});
  EXPECT_EQ(policy.wait_after(2), minutes{5});
  EXPECT_EQ(policy.wait_after(9), hours{24});
  EXPECT_EQ(policy.policy, RetryOn::any);
}

TEST(RetryPolicy, ExponentialWaitsGrowToTheCap) {
  const RetryPolicy policy{.base = seconds{1}, .factor = 3, .cap = seconds{20}, .max_attempts = 6};
  EXPECT_EQ(policy.tries(), 6);
  EXPECT_EQ(policy.wait_after(1), seconds{1});
  EXPECT_EQ(policy.wait_after(2), seconds{3});
  EXPECT_EQ(policy.wait_after(3), seconds{9});
  EXPECT_EQ(policy.wait_after(4), seconds{20});
  EXPECT_EQ(policy.wait_after(5), seconds{20});
}

TEST(RetryPolicy, HugeFactorsStayBelowTheLongestWait) {
  const RetryPolicy huge{
      .base = seconds{1}, .factor = 1e300, .cap = hours{9000}, .max_attempts = 50};
  EXPECT_EQ(huge.wait_after(49), kRetryWaitMax);
  const RetryPolicy undefined{
      .base = seconds{0}, .factor = 1e300, .cap = hours{1}, .max_attempts = 50};
  EXPECT_EQ(undefined.wait_after(49), hours{1});  // 0 * infinity
}

TEST(RetryPolicy, ThereIsAlwaysAFirstTry) { EXPECT_EQ(RetryPolicy{}.tries(), 1); }

TEST(Jitter, StaysWithinAFifthAndBelowTheLongestWait) {
  SeededRandom random(5);
  Millis least = hours{1};
  Millis most{0};
  for (int i = 0; i < 1000; ++i) {
    const Millis wait = with_jitter(minutes{10}, random);
    least = std::min(least, wait);
    most = std::max(most, wait);
  }
  EXPECT_GE(least, minutes{8});
  EXPECT_LT(least, minutes{8} + seconds{5});
  EXPECT_LE(most, minutes{12});
  EXPECT_GT(most, minutes{12} - seconds{5});
  for (int i = 0; i < 100; ++i) EXPECT_LE(with_jitter(kRetryWaitMax, random), kRetryWaitMax);
}

}  // namespace
}  // namespace grapnel::model
