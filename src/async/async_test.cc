#include <gtest/gtest.h>

#include "async/deadline.h"
#include "async/errors.h"

namespace grapnel::async {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

TEST(Deadline, ChildIsNeverLaterThanItsParent) {
  const Monotonic now{seconds{100}};
  const Deadline parent(now + seconds{5});
  EXPECT_EQ(parent.within(now, seconds{9}).at(), now + seconds{5});
  EXPECT_EQ(parent.within(now, seconds{2}).at(), now + seconds{2});
  EXPECT_EQ(Deadline::never().within(now, seconds{2}).at(), now + seconds{2});
}

TEST(Deadline, NeverStaysNeverUnderTheLongestWait) {
  const Monotonic now{seconds{100}};
  EXPECT_EQ(Deadline::never().within(now, nanoseconds::max()).at(), Monotonic::max());
}

TEST(Deadline, NothingIsLeftOnceItPassed) {
  const Monotonic now{seconds{100}};
  const Deadline deadline(now);
  EXPECT_TRUE(deadline.passed(now));
  EXPECT_FALSE(deadline.passed(now - nanoseconds{1}));
  EXPECT_EQ(deadline.left(now + seconds{1}), nanoseconds{0});
  EXPECT_EQ(deadline.left(now - seconds{1}), seconds{1});
}

TEST(Errors, EveryValueSaysWhatToDo) {
  EXPECT_EQ(make_error_code(errc::canceled), Condition::canceled);
  EXPECT_EQ(make_error_code(errc::timed_out), Condition::retry_later);
  EXPECT_EQ(make_error_code(errc::queue_full), Condition::retry_later);
  EXPECT_EQ(make_error_code(errc::stopped), Condition::give_up);
}

}  // namespace
}  // namespace grapnel::async
