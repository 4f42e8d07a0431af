#include "pipeline/releaser.h"

#include <gtest/gtest.h>

#include "pipeline/rig.h"

namespace grapnel::pipeline {
namespace {

using doubles::CommitInfo;
using doubles::Fate;
using model::Admission;
using model::DeliveryState;
using model::SourceMode;
using std::chrono::seconds;

class ReleaserTest : public testing::Test, public Rig {
 protected:
  model::Source hold(const std::string& slug, int events) {
    const auto source = make_source(slug, SourceMode::paused);
    make_action(source, "to-" + slug);
    for (int i = 0; i < events; ++i) EXPECT_EQ(receive(slug)->admission, Admission::held);
    return source;
  }
  void set_mode(const model::Source& source, SourceMode mode) {
    auto changed = current(source.id);
    changed.mode = mode;
    put(changed);
  }
};

TEST_F(ReleaserTest, StoreThatFailsIsTriedAgainAndNothingIsReleasedTwice) {
  const auto source = hold("demo", 3);
  int failures = 0;
  store.decide_commits([&](const CommitInfo& info) {
    if (std::ranges::find(info.calls, "fan_out") == info.calls.end()) return Fate::commit;
    return ++failures <= 3 ? Fate::fail_unavailable : Fate::commit;
  });
  set_mode(source, SourceMode::active);
  settle();
  EXPECT_EQ(failures, 1) << "not in a hurry";
  advance(seconds{10});
  EXPECT_EQ(store.held_work(source.id).count, 0);
  EXPECT_EQ(sender.calls().size(), 3U);
}

TEST_F(ReleaserTest, SourceThatMustWaitDoesNotSlowAnother) {
  const auto stuck = hold("stuck", 2);
  auto full = *store.snapshot()->find_source(stuck.id)->actions[0];
  full.backlog_bound.count = 0;
  full.on_full = model::OnFull::refuse;
  put(full);
  set_mode(stuck, SourceMode::active);
  settle();
  const auto large = hold("large", 3 * kReleaseStep);
  set_mode(large, SourceMode::active);
  settle();
  EXPECT_EQ(store.held_work(large.id).count, 0) << "without a pause between its steps";
  EXPECT_EQ(store.held_work(stuck.id).count, 2);
}

TEST_F(ReleaserTest, HeldBecauseOfABacklogGoOnWhenThereIsRoom) {
  const auto source = hold("demo", 2);
  auto full = *store.snapshot()->find_source(source.id)->actions[0];
  full.backlog_bound.count = 0;
  full.on_full = model::OnFull::refuse;
  full = put(full);
  set_mode(source, SourceMode::active);
  advance(seconds{10});
  EXPECT_EQ(store.held_work(source.id).count, 2);
  full.backlog_bound.count = 100;
  put(full);
  settle();
  EXPECT_EQ(count(DeliveryState::delivered), 2) << "at once, since the definition changed";
}

TEST_F(ReleaserTest, ChangeThatComesDuringAStepIsNotMissed) {
  const auto first = hold("first", 1);
  const auto second = hold("second", 1);
  store.set_commits(doubles::MemoryStore::Commits::by_hand);
  auto changed = current(first.id);
  changed.mode = SourceMode::active;
  boost::asio::co_spawn(loop, store.commit({model::PutSource{changed, changed.revision}}),
                        [](const std::exception_ptr&, const Result<model::SnapshotPtr>&) {});
  settle();
  store.commit_waiting();
  settle();
  ASSERT_EQ(store.waiting(), 2U) << "the release of the first, and upkeep";
  changed = current(second.id);
  changed.mode = SourceMode::active;
  boost::asio::co_spawn(loop, store.commit({model::PutSource{changed, changed.revision}}),
                        [](const std::exception_ptr&, const Result<model::SnapshotPtr>&) {});
  settle();
  store.commit_waiting();
  store.set_commits(doubles::MemoryStore::Commits::each_turn);
  settle();
  EXPECT_EQ(store.held_work(second.id).count, 0);
}

TEST_F(ReleaserTest, WhatIsHeldSurvivesACrashAndIsReleasedAfterIt) {
  const auto source = hold("demo", kReleaseStep + 10);
  bool crashed = false;
  store.decide_commits([&](const CommitInfo& info) {
    const bool releases = std::ranges::find(info.calls, "fan_out") != info.calls.end();
    if (!releases || std::exchange(crashed, true)) return Fate::commit;
    return Fate::crash_after;
  });
  set_mode(source, SourceMode::active);
  settle();
  ASSERT_TRUE(store.is_crashed());
  crash();
  start_again();
  advance(seconds{1});
  EXPECT_EQ(store.held_work(source.id).count, 0);
  EXPECT_EQ(count(DeliveryState::delivered), kReleaseStep + 10);
  EXPECT_EQ(store.tables().deliveries().size(), static_cast<std::size_t>(kReleaseStep + 10));
}

TEST_F(ReleaserTest, ActiveSourceThatStillHoldsKeepsToItsHeldBound) {
  const auto source = hold("demo", 2);
  auto full = *store.snapshot()->find_source(source.id)->actions[0];
  full.backlog_bound.count = 0;
  full.on_full = model::OnFull::refuse;
  put(full);
  auto changed = current(source.id);
  changed.held_bound.count = 2;
  changed.mode = SourceMode::active;
  put(changed);
  settle();
  const auto refused = receive("demo");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, RefusalKind::held_full);
}

TEST_F(ReleaserTest, DeletedSourceReleasesNothing) {
  const auto source = hold("demo", 2);
  auto changed = current(source.id);
  changed.mode = SourceMode::active;
  changed.deleting = true;
  put(changed);
  settle();
  EXPECT_TRUE(sender.calls().empty());
}

}  // namespace
}  // namespace grapnel::pipeline
