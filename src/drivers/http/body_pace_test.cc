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
    scope.spawn([](BodyPaceTest& test, int who, std::size_t wanted) -> async::Task<> {
      co_await test.pace.take(wanted);
      test.served.push_back(who);
    }(*this, number, bytes));
    timers.advance(milliseconds{0});
  }
};

TEST_F(BodyPaceTest, TurnsComeInOrderAndAtTheRateOfAllTogether) {
  const std::size_t tenth_of_a_second = kLargeBodyBytesPerSecond / 10;
  ask(1, tenth_of_a_second);
  ask(2, tenth_of_a_second);
  ask(3, tenth_of_a_second);
  EXPECT_EQ(served, std::vector{1});
  timers.advance(milliseconds{99});
  EXPECT_EQ(served, std::vector{1});
  timers.advance(milliseconds{1});
  EXPECT_EQ(served, (std::vector{1, 2}));
  timers.advance(milliseconds{100});
  EXPECT_EQ(served, (std::vector{1, 2, 3}));
}

TEST_F(BodyPaceTest, RestEarnsNothing) {
  const std::size_t tenth_of_a_second = kLargeBodyBytesPerSecond / 10;
  ask(1, tenth_of_a_second);
  timers.advance(std::chrono::hours{1});
  ask(2, tenth_of_a_second);
  ask(3, tenth_of_a_second);
  EXPECT_EQ(served, (std::vector{1, 2}));
  timers.advance(milliseconds{100});
  EXPECT_EQ(served, (std::vector{1, 2, 3}));
}

}  // namespace
}  // namespace grapnel::http
