#include "pipeline/rate_limiter.h"

#include <gtest/gtest.h>

#include "pipeline/limits.h"

namespace grapnel::pipeline {
namespace {

using model::RateLimit;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Time kStart{Millis{1'767'225'600'123}};

model::SourceId source(std::uint32_t n) {
  model::SourceId id;
  for (int i = 0; i < 4; ++i) id.bytes[15U - i] = static_cast<std::uint8_t>(n >> (8 * i));
  return id;
}

/// How many of `tries` at that moment are allowed.
int allowed(RateLimiter& limiter, const RateLimit& limit, Time at, int tries) {
  int out = 0;
  for (int i = 0; i < tries; ++i) out += limiter.take(source(1), limit, at) ? 0 : 1;
  return out;
}

TEST(RateLimiter, BeyondTheBurstSaysHowLongToWaitAndThenAllowsExactlyThat) {
  RateLimiter limiter;
  const RateLimit limit{.per_second = 2, .burst = 3};
  EXPECT_EQ(allowed(limiter, limit, kStart, 3), 3);
  EXPECT_EQ(limiter.take(source(1), limit, kStart), Millis{500});
  EXPECT_EQ(limiter.take(source(1), limit, kStart + milliseconds{499}), Millis{1});
  EXPECT_EQ(allowed(limiter, limit, kStart + milliseconds{500}, 5), 1);
}

TEST(RateLimiter, RefusalsCostNothing) {
  RateLimiter limiter;
  const RateLimit limit{.per_second = 1, .burst = 1};
  EXPECT_EQ(allowed(limiter, limit, kStart, 1'000), 1);
  EXPECT_EQ(allowed(limiter, limit, kStart + seconds{1}, 1'000), 1);
}

TEST(RateLimiter, NoLimitAllowsAll) {
  RateLimiter limiter;
  EXPECT_EQ(allowed(limiter, {}, kStart, 10'000), 10'000);
}

TEST(RateLimiter, BurstIsASecondsWorthUnlessSaidAndAtLeastOne) {
  RateLimiter limiter;
  EXPECT_EQ(allowed(limiter, {.per_second = 10}, kStart, 100), 10);
  RateLimiter slow;
  EXPECT_EQ(allowed(slow, {.per_second = 0.1}, kStart, 100), 1);
  EXPECT_EQ(slow.take(source(1), {.per_second = 0.1}, kStart), seconds{10});
}

TEST(RateLimiter, RateHoldsOverADayAtTheHighestRate) {
  RateLimiter limiter;
  const RateLimit limit{.per_second = 1'000'000, .burst = 1'000};
  EXPECT_EQ(allowed(limiter, limit, kStart, 5'000), 1'000);
  EXPECT_EQ(allowed(limiter, limit, kStart + hours{24}, 5'000), 1'000);
  EXPECT_EQ(allowed(limiter, limit, kStart + hours{24} + milliseconds{1}, 5'000), 1'000);
}

TEST(RateLimiter, LimitMadeFasterForgivesWhatWasTakenUnderTheSlowOne) {
  RateLimiter limiter;
  EXPECT_EQ(allowed(limiter, {.per_second = 0.01, .burst = 100}, kStart, 100), 100);
  const RateLimit faster{.per_second = 10, .burst = 10};
  const auto wait = limiter.take(source(1), faster, kStart);
  ASSERT_TRUE(wait);
  EXPECT_LE(*wait, Millis{100});
  EXPECT_EQ(allowed(limiter, faster, kStart + seconds{1}, 100), 10);
}

TEST(RateLimiter, SourcesDoNotShare) {
  RateLimiter limiter;
  const RateLimit limit{.per_second = 1, .burst = 1};
  EXPECT_FALSE(limiter.take(source(1), limit, kStart));
  EXPECT_FALSE(limiter.take(source(2), limit, kStart));
  EXPECT_TRUE(limiter.take(source(1), limit, kStart));
}

TEST(RateLimiter, ForgetsFullBucketsBeforeItGrowsBeyondItsBound) {
  RateLimiter limiter;
  const RateLimit limit{.per_second = 10, .burst = 10};
  for (std::uint32_t i = 0; i < kRateLimitersMax; ++i) {
    EXPECT_FALSE(limiter.take(source(i), limit, kStart));
  }
  EXPECT_EQ(limiter.size(), kRateLimitersMax);
  EXPECT_FALSE(limiter.take(source(1'000'000), limit, kStart + seconds{10}));
  EXPECT_EQ(limiter.size(), 1U);
}

}  // namespace
}  // namespace grapnel::pipeline
