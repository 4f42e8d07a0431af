#include "drivers/js/break_outs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "drivers/js/frames.h"
#include "drivers/js/pool_rig.h"
#include "drivers/js/worker_image.h"

namespace grapnel::js {
namespace {

/// A worker that obeys, without a pool.
class BreakOut : public ::testing::TestWithParam<std::size_t> {
 protected:
  async::Loop loop_;
};

TEST_P(BreakOut, EndsTheWorkerBySigsys) {
  const auto program = make_worker_file();
  ASSERT_TRUE(program);
  auto worker =
      WorkerProcess::start(loop_.get_executor(), *program, std::string(kBreakOutArgument));
  ASSERT_TRUE(worker);
  const auto ready = doubles::run(loop_, (*worker)->receive());
  ASSERT_TRUE(ready);
  ASSERT_EQ(std::get<ReadyFrame>(*ready).refused, 0);
  std::string attempt;
  FrameWriter(attempt, FrameKind::forbidden).u32(static_cast<std::uint32_t>(GetParam())).finish();
  // Where the attempt is let through, the worker then ends by itself, which is no SIGSYS.
  FrameWriter(attempt, FrameKind::ready).finish();
  ASSERT_TRUE(doubles::run(loop_, (*worker)->send(attempt)));
  EXPECT_FALSE(doubles::run(loop_, (*worker)->receive()));
  EXPECT_EQ(doubles::run(loop_, (*worker)->reap()), WorkerEnd::forbidden);
}

INSTANTIATE_TEST_SUITE_P(All, BreakOut, ::testing::Range(std::size_t{0}, kBreakOuts.size()),
                         [](const auto& info) {
                           std::string name(kBreakOuts[info.param]);
                           std::ranges::replace(name, ' ', '_');
                           return name;
                         });

TEST(BreakOuts, AreNotForAWorkerThatWasNotStartedForThem) {
  async::Loop loop;
  const auto program = make_worker_file();
  auto worker = WorkerProcess::start(loop.get_executor(), *program, "");
  ASSERT_TRUE(worker);
  ASSERT_TRUE(doubles::run(loop, (*worker)->receive()));
  std::string attempt;
  FrameWriter(attempt, FrameKind::forbidden).u32(0).finish();
  ASSERT_TRUE(doubles::run(loop, (*worker)->send(attempt)));
  EXPECT_FALSE(doubles::run(loop, (*worker)->receive()));
  EXPECT_EQ(doubles::run(loop, (*worker)->reap()), WorkerEnd::crashed);
}

}  // namespace
}  // namespace grapnel::js
