#include "async/timers.h"

#include <gtest/gtest.h>

#include "async/errors.h"
#include "async/scope.h"

namespace grapnel::async {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

Task<> sleep_until(Timers& timers, Monotonic at, std::vector<Result<>>& out) {
  out.push_back(co_await timers.sleep_until(at));
}

struct SystemTimersTest : testing::Test {
  Loop loop;
  SystemTimers timers{loop.get_executor()};
  std::vector<Result<>> out;
  Scope scope{loop.get_executor()};
};

TEST_F(SystemTimersTest, CanceledSleepReturnsCanceled) {
  scope.spawn(sleep_until(timers, timers.now() + hours{9}, out));
  loop.poll();
  scope.cancel();
  loop.run();
  ASSERT_EQ(out.size(), 1U);
  ASSERT_FALSE(out.front());
  EXPECT_EQ(out.front().error().code, errc::canceled);
  EXPECT_EQ(out.front().error().condition(), Condition::canceled);
}

TEST_F(SystemTimersTest, TimeInThePastReturnsAtOnce) {
  scope.spawn(sleep_until(timers, timers.now() - hours{9}, out));
  loop.run();
  ASSERT_EQ(out.size(), 1U);
  EXPECT_TRUE(out.front());
}

TEST_F(SystemTimersTest, NeverReturnsEarly) {
  const Monotonic at = timers.now() + milliseconds{20};
  scope.spawn(sleep_until(timers, at, out));
  loop.run();
  ASSERT_EQ(out.size(), 1U);
  EXPECT_TRUE(out.front());
  EXPECT_GE(timers.now(), at);
}

}  // namespace
}  // namespace grapnel::async
