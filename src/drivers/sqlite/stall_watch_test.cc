#include "drivers/sqlite/stall_watch.h"

#include <gtest/gtest.h>

#include <vector>

namespace grapnel::sqlite {
namespace {

TEST(StallWatch, AStepThatTakesTooLongIsAStallUntilTheNextOrTheEnd) {
  StallWatch at_once(Millis{0});
  StallWatch patient(Millis{3'600'000});
  EXPECT_FALSE(at_once.stalled());
  {
    StallWatch::Steps steps(at_once);
    StallWatch::Steps others(patient);
    while (!at_once.stalled()) {
    }
    EXPECT_NE(at_once.stalled()->context.find("hang"), std::string::npos);
    steps.next();
    others.next();
    EXPECT_FALSE(patient.stalled());
  }
  EXPECT_FALSE(at_once.stalled());
}

TEST(StallWatch, MoreThreadsThanAreWatchedDoNoHarm) {
  StallWatch watch(Millis{0});
  {
    std::vector<std::unique_ptr<StallWatch::Steps>> many;
    for (std::size_t i = 0; i < 2 * kWatchedThreads; ++i) {
      many.push_back(std::make_unique<StallWatch::Steps>(watch));
      many.back()->next();
    }
    while (!watch.stalled()) {
    }
  }
  EXPECT_FALSE(watch.stalled());
}

}  // namespace
}  // namespace grapnel::sqlite
