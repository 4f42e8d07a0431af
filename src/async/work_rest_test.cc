#include "async/work_rest.h"

#include <gtest/gtest.h>

namespace grapnel::async {
namespace {

using Clock = std::chrono::steady_clock;

TEST(WorkRest, RestsAsLongAsThePieceBeforeTook) {
  WorkRest rest;
  rest.before_piece();
  const auto began = Clock::now();
  while (Clock::now() - began < std::chrono::milliseconds{2}) {
  }
  const auto done = Clock::now();
  rest.before_piece();
  EXPECT_GE(Clock::now() - done, done - began);
}

}  // namespace
}  // namespace grapnel::async
