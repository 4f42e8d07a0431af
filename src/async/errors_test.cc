#include "async/errors.h"

#include <gtest/gtest.h>

namespace grapnel::async {
namespace {

TEST(AsyncErrors, EveryValueSaysWhatToDo) {
  EXPECT_EQ(make_error_code(errc::canceled), Condition::canceled);
  EXPECT_EQ(make_error_code(errc::timed_out), Condition::retry_later);
  EXPECT_EQ(make_error_code(errc::queue_full), Condition::retry_later);
  EXPECT_EQ(make_error_code(errc::stopped), Condition::give_up);
}

}  // namespace
}  // namespace grapnel::async
