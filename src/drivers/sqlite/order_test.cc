// One key, one delivery at a time.
#include "drivers/sqlite/order.h"

#include <gtest/gtest.h>

#include "drivers/sqlite/store_harness.h"
#include "model/errors.h"

namespace grapnel::sqlite {
namespace {

using model::DeliveryState;
using model::OnDead;
using Kind = model::Settlement::Kind;

struct OrderTest : testing::Test {
  StoreHarness harness;
  model::SourceId source;
  model::ActionId action;

  void set_up(OnDead on_dead) {
    harness.open();
    source = harness.add_source("demo");
    action = harness.add_action(source, "sink", on_dead);
  }
  model::BornDelivery lease_one() {
    const auto batch = harness.lease(action, 10);
    EXPECT_EQ(batch.leases.size(), 1U);
    if (batch.leases.empty()) return {};
    return {.id = batch.leases[0].delivery.id,
            .seq = batch.leases[0].delivery.seq,
            .fence = batch.leases[0].fence};
  }
  void expect_nothing_leasable() {
    const auto batch = harness.lease(action, 10);
    EXPECT_TRUE(batch.leases.empty());
    EXPECT_EQ(batch.next_due.at(0).second, std::nullopt);
  }
  model::BornDelivery replay(model::DeliveryId original) {
    const auto id = harness.new_id<model::DeliveryId>();
    const auto answers =
        harness.run(harness.store->ports().book.replay({{.original = original, .replay = id}}));
    EXPECT_TRUE(answers && answers->at(0));
    return {.id = id, .seq = answers->at(0)->seq};
  }
};

TEST_F(OrderTest, NextOfAKeyWaitsUntilTheFormerHasEnded) {
  set_up(OnDead::go_on);
  const auto first = harness.append_ordered(source, "a");
  const auto second = harness.append_ordered(source, "a");
  const auto other = harness.append_ordered(source, "b");
  EXPECT_FALSE(first.waits_for_order);
  EXPECT_TRUE(second.waits_for_order);
  EXPECT_EQ(second.fence, 0);
  EXPECT_FALSE(other.waits_for_order);
  expect_nothing_leasable();
  auto retry = harness.outcome(first, Kind::retry);
  retry.due = harness.store->ports().clock.now() + Millis{1000};
  harness.settle(retry);
  EXPECT_EQ(harness.lease(action, 10).leases.size(), 0U);
  harness.clock.advance(std::chrono::seconds{1});
  const auto again = lease_one();
  EXPECT_EQ(again.id, first.id);
  harness.settle(harness.outcome(again, Kind::delivered));
  EXPECT_EQ(lease_one().id, second.id);
}

TEST_F(OrderTest, WaitingOnesGoOnInOrderOfSequence) {
  set_up(OnDead::go_on);
  auto running = harness.append_ordered(source, "a");
  std::vector<model::DeliveryId> rest;
  for (int i = 0; i < 4; ++i) rest.push_back(harness.append_ordered(source, "a").id);
  for (const auto id : rest) {
    harness.settle(harness.outcome(running, Kind::dead));
    running = lease_one();
    EXPECT_EQ(running.id, id);
  }
}

TEST_F(OrderTest, CancellingAWaitingOneFreesNobody) {
  set_up(OnDead::go_on);
  harness.append_ordered(source, "a");
  const auto second = harness.append_ordered(source, "a");
  harness.append_ordered(source, "a");
  ASSERT_TRUE(harness.run(harness.store->ports().book.cancel({second.id})));
  expect_nothing_leasable();
}

TEST_F(OrderTest, BlockingDeadHoldsItsKeyUntilItsReplayIsDelivered) {
  set_up(OnDead::block);
  const auto first = harness.append_ordered(source, "a");
  const auto second = harness.append_ordered(source, "a");
  harness.settle(harness.outcome(first, Kind::dead));
  const auto third = harness.append_ordered(source, "a");
  EXPECT_TRUE(third.waits_for_order);
  expect_nothing_leasable();

  const auto replayed = replay(first.id);
  auto running = lease_one();
  EXPECT_EQ(running.id, replayed.id);
  harness.settle(harness.outcome(running, Kind::dead));
  expect_nothing_leasable();
  const auto once_more = replay(replayed.id);
  running = lease_one();
  EXPECT_EQ(running.id, once_more.id);
  harness.settle(harness.outcome(running, Kind::delivered));
  EXPECT_EQ(lease_one().id, second.id);
}

TEST_F(OrderTest, SkippingABlockingDeadLetsItsKeyGoOn) {
  set_up(OnDead::block);
  const auto first = harness.append_ordered(source, "a");
  const auto second = harness.append_ordered(source, "a");
  const auto early = harness.run(harness.store->ports().book.skip(second.id));
  ASSERT_FALSE(early);
  EXPECT_EQ(early.error().code, model::errc::conflict);
  harness.settle(harness.outcome(first, Kind::dead));
  const auto skipped = harness.run(harness.store->ports().book.skip(first.id));
  ASSERT_TRUE(skipped);
  EXPECT_TRUE(skipped->skipped);
  EXPECT_EQ(skipped->state, DeliveryState::dead);
  EXPECT_EQ(lease_one().id, second.id);
}

TEST_F(OrderTest, ReplayStandsBeforeWhatCameLater) {
  set_up(OnDead::go_on);
  const auto first = harness.append_ordered(source, "a");
  auto second = harness.append_ordered(source, "a");
  const auto third = harness.append_ordered(source, "a");
  harness.settle(harness.outcome(first, Kind::dead));
  second = lease_one();
  const auto replayed = replay(first.id);
  EXPECT_TRUE(harness.delivery(replayed.id).waits_for_order);
  harness.settle(harness.outcome(second, Kind::delivered));
  const auto running = lease_one();
  EXPECT_EQ(running.id, replayed.id);
  harness.settle(harness.outcome(running, Kind::delivered));
  EXPECT_EQ(lease_one().id, third.id);
}

TEST_F(OrderTest, ChangeFromBlockToContinueLetsWaitingOnesGoOn) {
  set_up(OnDead::block);
  std::vector<model::DeliveryId> seconds;
  for (const char* key : {"a", "b", "c"}) {
    const auto first = harness.append_ordered(source, key);
    seconds.push_back(harness.append_ordered(source, key).id);
    harness.settle(harness.outcome(first, Kind::dead));
  }
  expect_nothing_leasable();
  std::vector<model::WorkHint> hints;
  harness.store->ports().book.watch_work([&](const auto& found) { hints = found; });
  auto changed = *harness.action(action);
  changed.on_dead = OnDead::go_on;
  harness.commit({model::PutAction{.action = changed, .expected = changed.revision}});
  ASSERT_TRUE(doubles::wait_until(harness.loop, [&] { return !hints.empty(); }));
  const auto batch = harness.lease(action, 10);
  ASSERT_EQ(batch.leases.size(), 3U);
  for (const auto& lease : batch.leases) {
    EXPECT_NE(std::ranges::find(seconds, lease.delivery.id), seconds.end());
  }
}

}  // namespace
}  // namespace grapnel::sqlite
