#include "pipeline/bell.h"

#include <gtest/gtest.h>

#include "async/scope.h"
#include "doubles/drive.h"
#include "doubles/manual_timers.h"

namespace grapnel::pipeline {
namespace {

using std::chrono::seconds;

class BellTest : public testing::Test {
 protected:
  ~BellTest() override { doubles::run(loop, scope.join()); }
  void wait(std::optional<std::chrono::nanoseconds> most = {}) {
    scope.spawn(wait_and_count(most));
    doubles::run_ready(loop);
  }

  async::Loop loop;
  doubles::ManualClock clock;
  doubles::ManualTimers timers{loop, clock};
  Bell bell{loop.get_executor(), timers};
  int woken = 0;
  async::Scope scope{loop.get_executor()};

 private:
  async::Task<> wait_and_count(std::optional<std::chrono::nanoseconds> most) {
    if (most) {
      co_await bell.wait_until(timers.now() + *most);
    } else {
      co_await bell.wait();
    }
    ++woken;
  }
};

TEST_F(BellTest, RingBetweenTwoWaitsIsNotLostAndCountsOnce) {
  bell.ring();
  bell.ring();
  wait();
  EXPECT_EQ(woken, 1);
  wait();
  EXPECT_EQ(woken, 1);
  bell.ring();
  doubles::run_ready(loop);
  EXPECT_EQ(woken, 2);
}

TEST_F(BellTest, TimeEndsTheWaitToo) {
  wait(seconds{5});
  timers.advance(seconds{4});
  EXPECT_EQ(woken, 0);
  timers.advance(seconds{1});
  doubles::run_ready(loop);
  EXPECT_EQ(woken, 1);
}

TEST_F(BellTest, RingLeavesNoSleeperBehind) {
  wait(seconds{5});
  bell.ring();
  doubles::run_ready(loop);
  EXPECT_EQ(woken, 1);
  EXPECT_EQ(timers.sleepers(), 0U);
}

TEST_F(BellTest, CancellationEndsBothKindsOfWait) {
  wait();
  wait(seconds{5});
  scope.cancel();
  doubles::run_ready(loop);
  EXPECT_EQ(scope.running(), 0U);
  EXPECT_EQ(timers.sleepers(), 0U);
}

}  // namespace
}  // namespace grapnel::pipeline
