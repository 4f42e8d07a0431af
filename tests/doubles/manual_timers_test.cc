#include "doubles/manual_timers.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "async/errors.h"
#include "async/scope.h"
#include "doubles/drive.h"

namespace grapnel::doubles {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Diary = std::vector<std::string>;

async::Task<> sleep_and_note(ManualTimers& timers, std::chrono::nanoseconds wait, std::string name,
                             Diary& diary) {
  const auto slept = co_await timers.sleep_for(wait);
  diary.push_back(slept ? std::move(name) : slept.error().message());
}

async::Task<> tick(ManualTimers& timers, int times, std::vector<Monotonic>& at) {
  for (int i = 0; i < times; ++i) {
    if (!co_await timers.sleep_for(seconds{1})) co_return;
    at.push_back(timers.now());
  }
}

struct ManualTimersTest : testing::Test {
  async::Loop loop;
  ManualClock clock;
  ManualTimers timers{loop, clock};
  Diary diary;
  std::vector<Monotonic> ticks;
  async::Scope scope{loop.get_executor()};
};

TEST(ManualClockTest, TimePassesOnBothClocksAndAJumpOnTheWallAlone) {
  ManualClock clock;
  const Monotonic start = clock.monotonic();
  clock.advance(seconds{5});
  EXPECT_EQ(clock.wall(), kManualStart + seconds{5});
  EXPECT_EQ(clock.monotonic(), start + seconds{5});
  clock.jump_wall(-hours{1});
  EXPECT_EQ(clock.wall(), kManualStart + seconds{5} - hours{1});
  EXPECT_EQ(clock.monotonic(), start + seconds{5});
}

TEST(ManualClockTest, StoreClockSeesPassingTimeAndNoJump) {
  ManualClock clock;
  const StoreClock store(clock, Time{});
  clock.jump_wall(hours{100});
  clock.advance(milliseconds{7});
  EXPECT_EQ(store.now(), kManualStart + milliseconds{7});
}

TEST_F(ManualTimersTest, NobodyWakesBeforeItsTime) {
  scope.spawn(sleep_and_note(timers, seconds{2}, "woke", diary));
  timers.advance(seconds{2} - milliseconds{1});
  EXPECT_TRUE(diary.empty());
  EXPECT_EQ(timers.next_deadline(), timers.now() + milliseconds{1});
  timers.advance(milliseconds{1});
  EXPECT_EQ(diary, Diary{"woke"});
  EXPECT_EQ(timers.next_deadline(), std::nullopt);
}

TEST_F(ManualTimersTest, SleepersWakeInOrderOfTimeThenOfBeginning) {
  scope.spawn(sleep_and_note(timers, seconds{3}, "late", diary));
  scope.spawn(sleep_and_note(timers, seconds{1}, "first", diary));
  scope.spawn(sleep_and_note(timers, seconds{1}, "second", diary));
  timers.advance(hours{1});
  EXPECT_EQ(diary, (Diary{"first", "second", "late"}));
}

TEST_F(ManualTimersTest, SleepersOfOneAdvanceSeeEachItsOwnTime) {
  const Monotonic start = timers.now();
  scope.spawn(tick(timers, 3, ticks));
  timers.advance(seconds{10});
  EXPECT_EQ(ticks, (std::vector{start + seconds{1}, start + seconds{2}, start + seconds{3}}));
  EXPECT_EQ(timers.now(), start + seconds{10});
}

TEST_F(ManualTimersTest, SleepIntoThePastReturnsWithoutTimePassing) {
  scope.spawn(sleep_and_note(timers, -seconds{1}, "woke", diary));
  run_ready(loop);
  EXPECT_EQ(diary, Diary{"woke"});
}

TEST_F(ManualTimersTest, CancelEndsASleepAndForgetsItsDeadline) {
  scope.spawn(sleep_and_note(timers, seconds{2}, "woke", diary));
  run_ready(loop);
  scope.cancel();
  run_ready(loop);
  EXPECT_EQ(diary, Diary{"canceled"});
  EXPECT_EQ(timers.next_deadline(), std::nullopt);
  EXPECT_EQ(scope.running(), 0U);
}

TEST_F(ManualTimersTest, CancelAfterTheWakeChangesNothing) {
  scope.spawn(sleep_and_note(timers, seconds{2}, "woke", diary));
  run_ready(loop);
  timers.wake_next();
  scope.cancel();
  run_ready(loop);
  EXPECT_EQ(diary, Diary{"woke"});
}

TEST_F(ManualTimersTest, WakeNextMovesTheClockToTheNextDeadlineOnly) {
  const Monotonic start = timers.now();
  EXPECT_FALSE(timers.wake_next());
  scope.spawn(sleep_and_note(timers, seconds{2}, "first", diary));
  scope.spawn(sleep_and_note(timers, seconds{5}, "second", diary));
  run_ready(loop);
  EXPECT_TRUE(timers.wake_next());
  run_ready(loop);
  EXPECT_EQ(diary, Diary{"first"});
  EXPECT_EQ(timers.now(), start + seconds{2});
  timers.advance(hours{1});
}

TEST(DriveTest, RunUntilStopsAtThePredicateAndTellsWhenNothingIsLeft) {
  async::Loop loop;
  int ran = 0;
  for (int i = 0; i < 3; ++i) boost::asio::post(loop, [&ran] { ++ran; });
  EXPECT_TRUE(run_until(loop, [&] { return ran == 2; }));
  EXPECT_EQ(ran, 2);
  EXPECT_FALSE(run_until(loop, [&] { return ran == 4; }));
  EXPECT_EQ(ran, 3);
}

}  // namespace
}  // namespace grapnel::doubles
