#include "drivers/http/body_pace.h"

#include <gtest/gtest.h>

#include <vector>

#include "async/scope.h"
#include "doubles/manual_clock.h"
#include "doubles/manual_timers.h"

namespace grapnel::http {
namespace {

using std::chrono::milliseconds;

struct BodyPaceTest : testing::Test {
  async::Loop loop;
  doubles::ManualClock clock;
  doubles::ManualTimers timers{loop, clock};
  BodyPace pace{timers};
  async::Scope scope{loop.get_executor()};
  std::vector<int> served;

  void ask(int number, std::size_t bytes) {
    scope.spawn([](BodyPaceTest& test, int who, std::size_t read) -> async::Task<> {
      co_await test.pace.turn();
      test.served.push_back(who);
      test.pace.used(read);
    }(*this, number, bytes));
    timers.advance(milliseconds{0});
  }
};

constexpr std::size_t kTenthOfASecond = kLargeBodyBytesPerSecond / 10;

TEST_F(BodyPaceTest, TurnsComeInOrderAndAtTheRateOfAllTogether) {
  ask(1, kTenthOfASecond);
  ask(2, kTenthOfASecond);
  ask(3, kTenthOfASecond);
  EXPECT_EQ(served, std::vector{1});
  timers.advance(milliseconds{99});
  EXPECT_EQ(served, std::vector{1});
  timers.advance(milliseconds{1});
  EXPECT_EQ(served, (std::vector{1, 2}));
  timers.advance(milliseconds{100});
  EXPECT_EQ(served, (std::vector{1, 2, 3}));
}

TEST_F(BodyPaceTest, WhoeverReadLittleCostsLittle) {
  for (int i = 0; i < 1'000; ++i) ask(i, 1);
  timers.advance(milliseconds{1});
  EXPECT_EQ(served.size(), 1'000u);
}

TEST_F(BodyPaceTest, RestEarnsNothing) {
  ask(1, kTenthOfASecond);
  timers.advance(std::chrono::hours{1});
  ask(2, kTenthOfASecond);
  ask(3, kTenthOfASecond);
  EXPECT_EQ(served, (std::vector{1, 2}));
  timers.advance(milliseconds{100});
  EXPECT_EQ(served, (std::vector{1, 2, 3}));
}

}  // namespace
}  // namespace grapnel::http
