#include "async/scope.h"

#include <gtest/gtest.h>

#include <functional>
#include <stdexcept>

#include "async/errors.h"
#include "async/one_shot.h"
#include "async/timers.h"

namespace grapnel::async {
namespace {

using std::chrono::hours;

/// What tasks did, in order.
using Diary = std::vector<std::string>;

Task<> write(Diary& diary, std::string line) {
  diary.push_back(std::move(line));
  co_return;
}

Task<> wait_for_hours(Timers& timers, Diary& diary) {
  const auto result = co_await timers.sleep_until(timers.now() + hours{9});
  diary.push_back(result ? "slept" : result.error().message());
}

/// Ignores the first cancellation and waits again.
Task<> wait_stubbornly(Timers& timers, Diary& diary) {
  for (;;) {
    const auto result = co_await timers.sleep_until(timers.now() + hours{9});
    diary.push_back(result ? "slept" : result.error().message());
  }
}

Task<> wait_for_value(OneShot<int>& value, Diary& diary) {
  diary.push_back(std::to_string(co_await value.wait()));
}

Task<> throw_bug() {
  throw std::runtime_error("an unexpected failure");
  co_return;
}

Task<> join(Scope& scope, Diary& diary) {
  co_await scope.join();
  diary.push_back("joined");
}

Task<> join_until(Scope& scope, Timers& timers, Deadline deadline, Diary& diary) {
  const bool all = co_await scope.join(timers, deadline);
  diary.push_back(std::to_string(scope.running()) + " left");
  EXPECT_EQ(all, scope.running() == 0);
}

struct ScopeTest : testing::Test {
  Loop loop;
  SystemTimers timers{loop.get_executor()};
  Diary diary;
  Scope joiner{loop.get_executor()};  // its tasks watch what `scope` does
  Scope scope{loop.get_executor()};
};

TEST_F(ScopeTest, TaskStartsAtTheNextTurnOfTheLoop) {
  scope.spawn(write(diary, "ran"));
  EXPECT_TRUE(diary.empty());
  EXPECT_EQ(scope.running(), 1U);
  loop.run();
  EXPECT_EQ(diary, Diary{"ran"});
  EXPECT_EQ(scope.running(), 0U);
}

TEST_F(ScopeTest, CancelEndsEveryWaitingTask) {
  for (int i = 0; i < 3; ++i) scope.spawn(wait_for_hours(timers, diary));
  loop.poll();
  EXPECT_EQ(scope.running(), 3U);
  scope.cancel();
  loop.run();
  EXPECT_EQ(diary, (Diary{"canceled", "canceled", "canceled"}));
  EXPECT_EQ(scope.running(), 0U);
}

TEST_F(ScopeTest, CancelReachesTasksThatHaveNotStarted) {
  scope.spawn(wait_for_hours(timers, diary));
  scope.cancel();
  loop.run();
  EXPECT_EQ(scope.running(), 0U);
}

TEST_F(ScopeTest, CancelOfATaskWhoseEndIsQueuedIsHarmless) {
  OneShot<int> value(loop.get_executor());
  scope.spawn(wait_for_value(value, diary));
  loop.poll();
  value.set(7);
  scope.cancel();
  loop.restart();
  loop.poll();
  EXPECT_EQ(diary, Diary{"7"});
  EXPECT_EQ(scope.running(), 0U);
}

TEST_F(ScopeTest, SecondWaitAfterCancelEndsTheTask) {
  scope.spawn(wait_stubbornly(timers, diary));
  loop.poll();
  scope.cancel();
  loop.run();
  EXPECT_EQ(diary, Diary{"canceled"});
  EXPECT_EQ(scope.running(), 0U);
}

TEST_F(ScopeTest, TaskSpawnedAfterCancelNeverRuns) {
  scope.cancel();
  scope.spawn(write(diary, "ran"));
  EXPECT_EQ(scope.running(), 0U);
  loop.run();
  EXPECT_TRUE(diary.empty());
}

TEST_F(ScopeTest, JoinWaitsForTheLastTask) {
  OneShot<int> first(loop.get_executor());
  OneShot<int> second(loop.get_executor());
  scope.spawn(wait_for_value(first, diary));
  scope.spawn(wait_for_value(second, diary));
  joiner.spawn(join(scope, diary));
  loop.poll();
  second.set(2);
  loop.poll();
  EXPECT_EQ(diary, Diary{"2"});
  first.set(1);
  loop.run();
  EXPECT_EQ(diary, (Diary{"2", "1", "joined"}));
}

TEST_F(ScopeTest, JoinOfAnEmptyScopeReturnsAtOnce) {
  joiner.spawn(join(scope, diary));
  loop.run();
  EXPECT_EQ(diary, Diary{"joined"});
}

TEST_F(ScopeTest, JoinWithADeadlineDoesNotWaitForATaskBeyondIt) {
  OneShot<int> never(loop.get_executor());
  scope.spawn(wait_for_value(never, diary));
  joiner.spawn(
      join_until(scope, timers, Deadline(timers.now() + std::chrono::milliseconds{5}), diary));
  while (diary.empty()) loop.run_one();
  EXPECT_EQ(diary, Diary{"1 left"});
  never.set(7);
  loop.run();
}

TEST_F(ScopeTest, JoinWithADeadlineReturnsWithTheLastTask) {
  OneShot<int> value(loop.get_executor());
  scope.spawn(wait_for_value(value, diary));
  joiner.spawn(join_until(scope, timers, Deadline(timers.now() + std::chrono::hours{1}), diary));
  loop.poll();
  value.set(7);
  loop.run();
  EXPECT_EQ(diary, (Diary{"7", "0 left"}));
}

TEST_F(ScopeTest, TaskOfAStoppedLoopIsGivenUpWithItsScope) {
  scope.spawn(wait_for_hours(timers, diary));
  loop.poll();
  loop.stop();
  EXPECT_EQ(scope.running(), 1U) << "it is destroyed with this task, which is a bug on a live loop";
}

TEST(ScopeDeathTest, DestroyingARunningScopeIsABug) {
  const auto destroy_running = [] {
    Loop loop;
    SystemTimers timers(loop.get_executor());
    Diary diary;
    Scope scope(loop.get_executor());
    scope.spawn(wait_for_hours(timers, diary));
    loop.poll();
  };
  EXPECT_DEATH(destroy_running(), "check failed");
}

TEST(ScopeDeathTest, ExceptionThatLeavesATaskIsABug) {
  const auto run_failing = [] {
    Loop loop;
    Scope scope(loop.get_executor());
    scope.spawn(throw_bug());
    loop.run();
  };
  EXPECT_DEATH(run_failing(), "an unexpected failure");
}

}  // namespace
}  // namespace grapnel::async
