#include "pipeline/caretaker.h"

#include <gtest/gtest.h>

#include "pipeline/rig.h"

namespace grapnel::pipeline {
namespace {

using doubles::answer;
using doubles::CommitInfo;
using doubles::Fate;
using model::DeliveryState;
using model::EndReason;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

class CaretakerTest : public testing::Test, public Rig {
 protected:
  CaretakerTest() : Rig({.retention = {.finished = hours{24}, .dead = hours{48}}}) {
    source = make_source("demo");
    out = make_action(source, "out");
    out.retry.schedule = {hours{1}};
    out = put(out);
    settle();
  }
  /// Lets long time pass in one leap: whoever sleeps wakes once.
  void skip(Millis time) {
    settle();
    system_clock.advance(time - kUpkeepEvery);
    timers.wake_due();
    settle();
    advance(kUpkeepEvery);
  }
  std::size_t events() { return store.tables().events().size(); }
  std::string metrics_text() const { return registry.expose(); }

  model::Source source;
  model::Action out;
};

TEST_F(CaretakerTest, GoneEndpointsWaitingDeliveriesDie) {
  sender.set_script([](const auto&) { return answer(500); });
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(receive("demo"));
  settle();
  ASSERT_EQ(count(DeliveryState::retrying), 100);
  sender.set_script([](const auto&) { return answer(410); });
  ASSERT_TRUE(receive("demo"));
  settle();
  EXPECT_EQ(action(out.id).health, model::Health::gone);
  EXPECT_EQ(count(DeliveryState::dead), 101);
  for (const auto& delivery : deliveries()) EXPECT_EQ(delivery.reason, EndReason::endpoint_gone);
}

TEST_F(CaretakerTest, StepThatFailedIsTakenAgain) {
  sender.set_script([](const auto&) { return answer(500); });
  ASSERT_TRUE(receive("demo"));
  settle();
  int failures = 0;
  store.decide_commits([&](const CommitInfo& info) {
    if (std::ranges::find(info.calls, "bury") == info.calls.end()) return Fate::commit;
    return ++failures == 1 ? Fate::fail_unavailable : Fate::commit;
  });
  sender.set_script([](const auto&) { return answer(410); });
  ASSERT_TRUE(receive("demo"));
  settle();
  EXPECT_EQ(count(DeliveryState::retrying), 1);
  advance(kUpkeepEvery);
  EXPECT_EQ(count(DeliveryState::dead), 2);
}

TEST_F(CaretakerTest, DeletionGoesOnAfterACrashInItsMiddle) {
  out.desired = model::DesiredState::paused;
  out = put(out);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(receive("demo"));
  int steps = 0;
  store.decide_commits([&](const CommitInfo& info) {
    if (std::ranges::find(info.calls, "finish_deletions") == info.calls.end()) return Fate::commit;
    return ++steps == 2 ? Fate::crash_after : Fate::commit;
  });
  source = current(source.id);
  source.deleting = true;
  put(source);
  settle();
  ASSERT_TRUE(store.is_crashed());
  crash();
  EXPECT_GT(count(DeliveryState::pending), 0);
  start_again();
  settle();
  EXPECT_EQ(count(DeliveryState::cancelled), 100);
  EXPECT_TRUE(store.snapshot()->sources.empty());
}

TEST_F(CaretakerTest, RetentionKeepsOpenWorkAndDeadLettersLonger) {
  ASSERT_TRUE(receive("demo"));
  settle();
  sender.set_script([](const auto&) { return answer(500); });
  ASSERT_TRUE(receive("demo"));
  skip(hours{2});
  ASSERT_EQ(count(DeliveryState::dead), 1);
  out.desired = model::DesiredState::paused;
  put(out);
  ASSERT_TRUE(receive("demo"));
  ASSERT_EQ(events(), 3U);
  skip(hours{23});
  EXPECT_EQ(events(), 2U);
  skip(hours{26});
  EXPECT_EQ(events(), 1U) << "open work is never deleted";
  skip(hours{24 * 100});
  EXPECT_EQ(events(), 1U);
}

TEST_F(CaretakerTest, OldIdempotencyKeysAreDropped) {
  EXPECT_EQ(receive("demo", "1", {{"Idempotency-Key", "k"}})->admission,
            model::Admission::accepted);
  skip(hours{30});
  EXPECT_EQ(receive("demo", "1", {{"Idempotency-Key", "k"}})->admission,
            model::Admission::accepted);
}

TEST_F(CaretakerTest, JumpOfTheWallClockIsCountedAndChangesNothing) {
  sender.set_script([](const auto&) { return answer(500); });
  ASSERT_TRUE(receive("demo", "1", {{"Idempotency-Key", "k"}}));
  settle();
  const auto due = only_delivery().due;
  const Time now = store.clock().now();
  for (const auto jump : {hours{24 * 365}, hours{-24 * 800}}) {
    system_clock.jump_wall(jump);
    advance(kGaugesEvery);
  }
  EXPECT_NE(metrics_text().find("grapnel_wall_clock_jumps_total 2"), std::string::npos);
  EXPECT_EQ(store.clock().now(), now + 2 * kGaugesEvery);
  EXPECT_EQ(only_delivery().due, due);
  EXPECT_EQ(events(), 1U) << "retention runs on the store's clock";
  EXPECT_EQ(receive("demo", "1", {{"Idempotency-Key", "k"}})->admission,
            model::Admission::duplicate);
  advance(minutes{10});
  EXPECT_EQ(sender.calls().size(), 1U) << "its hour has not passed";
  EXPECT_NE(metrics_text().find("grapnel_wall_clock_jumps_total 2"), std::string::npos)
      << "each jump is counted once";
}

TEST_F(CaretakerTest, GaugesShowOpenWorkAndDeadLetters) {
  sender.set_script([](const auto&) { return answer(500); });
  ASSERT_TRUE(receive("demo"));
  advance(kGaugesEvery);
  EXPECT_NE(metrics_text().find("deliveries_open{state=\"retrying\"} 1"), std::string::npos);
  skip(hours{2});
  EXPECT_NE(metrics_text().find("deliveries_open{state=\"retrying\"} 0"), std::string::npos);
  EXPECT_NE(metrics_text().find("\ndead_letters 1"), std::string::npos);
}

TEST_F(CaretakerTest, StopsBetweenTwoStepsOfASweepAndLeavesNobodyAsleep) {
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(receive("demo"));
  settle();
  system_clock.advance(hours{25});
  timers.wake_due();
  settle();
  ASSERT_LT(events(), 100U);
  ASSERT_GT(events(), 0U) << "it pauses between its steps";
  end_process();
  EXPECT_EQ(timers.sleepers(), 0U);
}

}  // namespace
}  // namespace grapnel::pipeline
