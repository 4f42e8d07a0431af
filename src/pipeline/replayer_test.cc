#include "pipeline/replayer.h"

#include <gtest/gtest.h>

#include "pipeline/rig.h"

namespace grapnel::pipeline {
namespace {

using doubles::answer;
using doubles::CommitInfo;
using doubles::Fate;
using model::DeliveryState;
using model::JobState;
using std::chrono::hours;
using std::chrono::seconds;

class ReplayerTest : public testing::Test, public Rig {
 protected:
  /// Dead letters of a new action.
  model::Action make_dead(const std::string& name, int count) {
    const auto source = make_source(name);
    auto action = make_action(source, name);
    action.retry = {.base = seconds{1}, .cap = seconds{1}, .max_attempts = 1};
    action = put(action);
    sender.set_script([](const auto&) { return answer(500); });
    for (int i = 0; i < count; ++i) EXPECT_TRUE(receive(name));
    settle();
    sender.set_script({});
    return action;
  }
  model::ReplayJob start_job(double per_second, model::DeadFilter filter = {}) {
    auto job = doubles::run(
        loop, store.start_job(
                  {.id = ids.make<model::JobId>(), .filter = filter, .per_second = per_second}));
    EXPECT_TRUE(job);
    process->replayer().wake();
    settle();
    return *job;
  }
  model::ReplayJob job(model::JobId id) {
    for (const auto& one : store.tables().jobs()) {
      if (one.id == id) return one;
    }
    ADD_FAILURE() << "no such job";
    return {};
  }
};

TEST_F(ReplayerTest, EndpointThatIsStillDownIsNotReplayedFromItsOwnReplays) {
  make_dead("demo", 50);
  sender.set_script([](const auto&) { return answer(500); });
  const auto made = start_job(0);
  advance(seconds{60});
  EXPECT_EQ(job(made.id).state, JobState::done);
  EXPECT_EQ(job(made.id).replayed, 50);
  EXPECT_EQ(count(DeliveryState::dead), 100);
  EXPECT_EQ(sender.calls().size(), 100U);
}

TEST_F(ReplayerTest, RestartInTheMiddleGoesOnAndReplaysNothingTwice) {
  make_dead("demo", 3 * kReplayStep);
  int steps = 0;
  store.decide_commits([&](const CommitInfo& info) {
    if (std::ranges::find(info.calls, "step_job") == info.calls.end()) return Fate::commit;
    return ++steps == 2 ? Fate::crash_after : Fate::commit;
  });
  const auto made = start_job(0);
  ASSERT_TRUE(store.is_crashed());
  crash();
  EXPECT_EQ(job(made.id).replayed, 2 * kReplayStep);
  start_again();
  advance(seconds{1});
  EXPECT_EQ(job(made.id).state, JobState::done);
  EXPECT_EQ(job(made.id).replayed, 3 * kReplayStep);
  EXPECT_EQ(count(DeliveryState::delivered), 3 * kReplayStep);
}

TEST_F(ReplayerTest, StoreThatFailsIsTriedAgainLater) {
  make_dead("demo", 5);
  int steps = 0;
  store.decide_commits([&](const CommitInfo& info) {
    if (std::ranges::find(info.calls, "step_job") == info.calls.end()) return Fate::commit;
    return ++steps <= 2 ? Fate::fail_unavailable : Fate::commit;
  });
  const auto made = start_job(0);
  EXPECT_EQ(steps, 1);
  advance(seconds{5});
  EXPECT_EQ(job(made.id).replayed, 5);
}

TEST_F(ReplayerTest, KeepsToItsRate) {
  make_dead("demo", 60);
  const auto made = start_job(10);
  for (int second = 1; second <= 5; ++second) {
    advance(seconds{1});
    EXPECT_LE(job(made.id).replayed, 10 * second + 4) << "one step ahead at most";
    EXPECT_GE(job(made.id).replayed, 10 * second - 4);
  }
  advance(seconds{2});
  EXPECT_EQ(job(made.id).state, JobState::done);
}

TEST_F(ReplayerTest, VerySlowRatesAreADayApartAtMost) {
  make_dead("demo", 3);
  const auto made = start_job(1e-30);
  EXPECT_EQ(job(made.id).replayed, 1);
  advance(hours{23});
  EXPECT_EQ(job(made.id).replayed, 1);
  advance(hours{1});
  EXPECT_EQ(job(made.id).replayed, 2);
}

TEST_F(ReplayerTest, CancelledJobReplaysNoMore) {
  make_dead("demo", 50);
  const auto made = start_job(4);
  advance(seconds{2});
  ASSERT_TRUE(doubles::run(loop, store.cancel_job(made.id)));
  const auto replayed = job(made.id).replayed;
  EXPECT_GT(replayed, 0);
  advance(seconds{60});
  EXPECT_EQ(job(made.id).replayed, replayed);
  EXPECT_EQ(count(DeliveryState::delivered), replayed);
}

TEST_F(ReplayerTest, SlowJobKeepsNoOtherWaiting) {
  const auto slow_action = make_dead("slow", 10);
  const auto quick_action = make_dead("quick", 10);
  const auto slow = start_job(0.01, {.action = slow_action.id});
  const auto quick = start_job(100, {.action = quick_action.id});
  advance(seconds{2});
  EXPECT_EQ(job(quick.id).state, JobState::done);
  EXPECT_EQ(job(slow.id).replayed, 1);
}

TEST_F(ReplayerTest, JobMadeDuringALookIsNotMissed) {
  make_dead("demo", 3);
  process->replayer().wake();  // it looks for jobs in the next turns
  const auto made = start_job(0);
  EXPECT_EQ(job(made.id).state, JobState::done);
}

TEST_F(ReplayerTest, WhatCannotBeReplayedIsSkippedAndCounted) {
  make_dead("demo", 3);
  store.remove_body(store.tables().events().begin()->first);
  const auto made = start_job(0);
  EXPECT_EQ(job(made.id).replayed, 2);
  EXPECT_EQ(job(made.id).skipped, 1);
}

}  // namespace
}  // namespace grapnel::pipeline
