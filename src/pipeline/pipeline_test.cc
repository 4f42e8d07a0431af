// What the parts promise together: the order of a stop, and its end.
#include "pipeline/pipeline.h"

#include <gtest/gtest.h>

#include "async/scope.h"
#include "pipeline/limits.h"
#include "pipeline/rig.h"

namespace grapnel::pipeline {
namespace {

using doubles::answer;
using Commits = doubles::MemoryStore::Commits;
using model::DeliveryState;
using std::chrono::minutes;
using std::chrono::seconds;

class PipelineStop : public testing::Test, public Rig {
 protected:
  PipelineStop() : source(make_source("demo")), out(make_action(source, "out")) { settle(); }
  ~PipelineStop() override { doubles::run(loop, scope.join()); }

  void stop_beside(std::chrono::nanoseconds time_left) {
    scope.spawn(stop_and_note(async::Deadline(timers.now() + time_left)));
    settle();
  }
  void receive_beside(const std::string& slug) {
    scope.spawn(receive_and_note(slug));
    settle();
  }
  /// A call of the store is under way that is never answered.
  void expect_end_in_time(std::chrono::nanoseconds time_left) {
    settle();
    ASSERT_EQ(store.stalled(), 1U);
    stop_beside(time_left);
    advance(std::chrono::duration_cast<Millis>(time_left) + kStopExtra - Millis{1});
    EXPECT_FALSE(stopped) << "the store may still answer";
    advance(Millis{1});
    EXPECT_TRUE(stopped);
    store.crash();
    settle();
    process.reset();
  }

  model::Source source;
  model::Action out;
  bool stopped = false;
  std::vector<std::expected<Receipt, Refusal>> receipts;
  async::Scope scope{loop.get_executor()};

 private:
  async::Task<> stop_and_note(async::Deadline deadline) {
    co_await process->stop(deadline);
    stopped = true;
  }
  async::Task<> receive_and_note(std::string slug) {
    receipts.push_back(co_await ingest().receive(slug, request(slug)));
  }
};

TEST_F(PipelineStop, WhatIngestStillAppendsIsAcknowledgedAndHandedBack) {
  store.set_commits(Commits::by_hand);
  receive_beside("demo");
  stop_beside(seconds{25});
  EXPECT_FALSE(stopped);
  store.set_commits(Commits::each_turn);
  settle();
  ASSERT_EQ(receipts.size(), 1U);
  EXPECT_TRUE(receipts[0]) << "it is durable";
  EXPECT_TRUE(stopped);
  EXPECT_EQ(only_delivery().state, DeliveryState::pending) << "born leased while it stopped";
  EXPECT_TRUE(sender.calls().empty());
}

TEST_F(PipelineStop, AttemptsGoOnUntilTheDeadlineAndAreThenHandedBack) {
  sender.set_script([](const auto&) { return answer(200, minutes{1}); });
  ASSERT_TRUE(receive("demo"));
  stop_beside(seconds{5});
  advance(seconds{4});
  EXPECT_FALSE(stopped);
  EXPECT_EQ(only_delivery().state, DeliveryState::running);
  advance(seconds{1});
  EXPECT_TRUE(stopped) << "the store needs no more than a few turns";
  EXPECT_EQ(only_delivery().state, DeliveryState::pending);
}

TEST_F(PipelineStop, StalledAppendDoesNotHoldUpTheEnd) {
  store.stall("append");
  receive_beside("demo");
  expect_end_in_time(seconds{25});
}

TEST_F(PipelineStop, StalledReleaseDoesNotHoldUpTheEnd) {
  auto held = make_source("held", model::SourceMode::paused);
  ASSERT_TRUE(receive("held"));
  store.stall("fan_out");
  held = current(held.id);
  held.mode = model::SourceMode::active;
  put(held);
  expect_end_in_time(seconds{25});
}

TEST_F(PipelineStop, StalledReplayDoesNotHoldUpTheEnd) {
  store.stall("step_job");
  ASSERT_TRUE(
      doubles::run(loop, store.start_job({.id = ids.make<model::JobId>(), .per_second = 0})));
  process->replayer().wake();
  expect_end_in_time(seconds{25});
}

TEST_F(PipelineStop, StalledUpkeepDoesNotHoldUpTheEnd) {
  store.stall("sweep");
  advance(kUpkeepEvery);
  expect_end_in_time(seconds{25});
}

TEST_F(PipelineStop, StalledLeaseCallDoesNotHoldUpTheEnd) {
  out.retry.schedule = {seconds{1}};
  put(out);
  sender.set_script([](const auto&) { return answer(500); });
  ASSERT_TRUE(receive("demo"));
  settle();
  store.stall("lease");
  advance(seconds{2});
  expect_end_in_time(seconds{25});
}

TEST_F(PipelineStop, StalledOutcomeDoesNotHoldUpTheEnd) {
  ASSERT_TRUE(receive("demo"));
  store.stall("settle");
  expect_end_in_time(seconds{25});
}

TEST_F(PipelineStop, DeadlineThatHasPassedStillLetsTheStoreTakeWhatIsCutOff) {
  sender.set_script([](const auto&) { return answer(200, minutes{1}); });
  ASSERT_TRUE(receive("demo"));
  settle();
  stop_beside(-seconds{10});
  EXPECT_TRUE(stopped);
  EXPECT_EQ(only_delivery().state, DeliveryState::pending);
}

TEST_F(PipelineStop, SecondStopIsHarmless) {
  ASSERT_TRUE(receive("demo"));
  stop_beside(minutes{1});
  EXPECT_TRUE(stopped);
  stopped = false;
  stop_beside(minutes{1});
  EXPECT_TRUE(stopped);
}

}  // namespace
}  // namespace grapnel::pipeline
