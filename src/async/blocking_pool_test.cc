#include "async/blocking_pool.h"

#include <gtest/gtest.h>

#include <latch>
#include <thread>

#include "async/scope.h"

namespace grapnel::async {
namespace {

using Results = std::vector<Result<int>>;

struct ThreadsSeen {
  std::thread::id worker;
  std::thread::id resumed;
};

Task<> note_threads(BlockingPool& pool, ThreadsSeen& seen) {
  const auto worker =
      co_await pool.run([]() -> Result<std::thread::id> { return std::this_thread::get_id(); });
  seen.worker = worker.value();
  seen.resumed = std::this_thread::get_id();
}

Task<> run_behind(BlockingPool& pool, std::latch& gate, Results& out) {
  out.push_back(co_await pool.run([&gate]() -> Result<int> {
    gate.wait();
    return 1;
  }));
}

Task<> run_failing(BlockingPool& pool, Results& out) {
  out.push_back(co_await pool.run([]() -> Result<int> { return fail(errc::stopped, "no disk"); }));
}

TEST(BlockingPool, FunctionRunsElsewhereAndItsCallerResumesOnTheLoop) {
  Loop loop;
  BlockingPool pool(loop.get_executor(), 1);
  ThreadsSeen seen;
  Scope scope(loop.get_executor());
  scope.spawn(note_threads(pool, seen));
  loop.run();
  EXPECT_NE(seen.worker, std::this_thread::get_id());
  EXPECT_EQ(seen.resumed, std::this_thread::get_id());
}

TEST(BlockingPool, ErrorOfTheFunctionReachesTheCaller) {
  Loop loop;
  BlockingPool pool(loop.get_executor(), 1);
  Results out;
  Scope scope(loop.get_executor());
  scope.spawn(run_failing(pool, out));
  loop.run();
  ASSERT_EQ(out.size(), 1U);
  ASSERT_FALSE(out.front());
  EXPECT_EQ(out.front().error().message(), "no disk");
}

TEST(BlockingPool, CanceledCallerStillWaitsForTheValue) {
  Loop loop;
  std::latch gate(1);
  BlockingPool pool(loop.get_executor(), 1);
  Results out;
  Scope scope(loop.get_executor());
  scope.spawn(run_behind(pool, gate, out));
  loop.poll();
  scope.cancel();
  loop.poll();
  EXPECT_EQ(scope.running(), 1U);
  gate.count_down();
  loop.run();
  EXPECT_EQ(out, Results{1});
}

TEST(BlockingPool, FullQueueIsRefusedAndTheRestStillRuns) {
  Loop loop;
  std::latch gate(1);
  BlockingPool pool(loop.get_executor(), 1);
  Results out;
  Scope scope(loop.get_executor());
  // One runs at most, so at least one of these finds the queue full.
  const std::size_t calls = kBlockingQueueMax + 2;
  for (std::size_t i = 0; i < calls; ++i) scope.spawn(run_behind(pool, gate, out));
  loop.poll();
  ASSERT_FALSE(out.empty());
  for (const auto& result : out) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, errc::queue_full);
  }
  gate.count_down();
  loop.run();
  EXPECT_EQ(out.size(), calls);
}

}  // namespace
}  // namespace grapnel::async
