#include "async/deadline.h"

#include <gtest/gtest.h>

namespace grapnel::async {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr Monotonic kNow{seconds{100}};

TEST(Deadline, ChildIsNeverLaterThanItsParent) {
  const Deadline parent(kNow + seconds{5});
  EXPECT_EQ(parent.within(kNow, seconds{9}).at(), kNow + seconds{5});
  EXPECT_EQ(parent.within(kNow, seconds{2}).at(), kNow + seconds{2});
}

TEST(Deadline, LongestWaitDoesNotOverflow) {
  EXPECT_EQ(Deadline(Monotonic::max()).within(kNow, nanoseconds::max()).at(), Monotonic::max());
}

TEST(Deadline, NothingIsLeftOnceItPassed) {
  const Deadline deadline(kNow);
  EXPECT_TRUE(deadline.passed(kNow));
  EXPECT_FALSE(deadline.passed(kNow - nanoseconds{1}));
  EXPECT_EQ(deadline.left(kNow + seconds{1}), nanoseconds{0});
  EXPECT_EQ(deadline.left(kNow - seconds{1}), seconds{1});
}

}  // namespace
}  // namespace grapnel::async
