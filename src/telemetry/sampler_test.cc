#include "telemetry/sampler.h"

#include <gtest/gtest.h>

#include <string>

namespace grapnel::telemetry {
namespace {

class ManualClock final : public Clock {
 public:
  Time wall() const override { return Time{}; }
  Monotonic monotonic() const override { return now_; }
  void advance(Millis by) { now_ += by; }

 private:
  Monotonic now_;
};

class SamplerTest : public ::testing::Test {
 protected:
  ManualClock clock_;
  Sampler sampler_{clock_, {.first = 2, .thereafter = 3}};
};

TEST_F(SamplerTest, FirstOnesPassThenOneInMany) {
  EXPECT_EQ(sampler_.admit("a"), 0U);
  EXPECT_EQ(sampler_.admit("a"), 0U);
  EXPECT_EQ(sampler_.admit("a"), std::nullopt);
  EXPECT_EQ(sampler_.admit("a"), std::nullopt);
  EXPECT_EQ(sampler_.admit("a"), 2U);
  EXPECT_EQ(sampler_.admit("a"), std::nullopt);
}

TEST_F(SamplerTest, KindsAreApart) {
  for (int i = 0; i < 5; ++i) (void)sampler_.admit("a");
  EXPECT_EQ(sampler_.admit("b"), 0U);
}

TEST_F(SamplerTest, NextWindowStartsAfreshAndTellsWhatWasLeftOut) {
  for (int i = 0; i < 4; ++i) (void)sampler_.admit("a");
  clock_.advance(kSamplerWindow - Millis{1});
  EXPECT_EQ(sampler_.admit("a"), 2U);  // the fifth, still of the first window
  EXPECT_EQ(sampler_.admit("a"), std::nullopt);
  clock_.advance(Millis{1});
  EXPECT_EQ(sampler_.admit("a"), 1U);
  EXPECT_EQ(sampler_.admit("a"), 0U);
  EXPECT_EQ(sampler_.admit("a"), std::nullopt);
}

TEST_F(SamplerTest, TooManyKindsShareOne) {
  for (std::size_t i = 0; i < kSamplerKindsMax; ++i) (void)sampler_.admit(std::to_string(i));
  EXPECT_EQ(sampler_.admit("x"), 0U);
  EXPECT_EQ(sampler_.admit("y"), 0U);
  EXPECT_EQ(sampler_.admit("z"), std::nullopt);
  EXPECT_EQ(sampler_.admit("0"), 0U);  // known ones stay themselves
  clock_.advance(2 * kSamplerWindow);
  EXPECT_EQ(sampler_.admit("z"), 0U);  // the quiet ones made room
}

}  // namespace
}  // namespace grapnel::telemetry
