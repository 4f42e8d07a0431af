// DeliveryBook: ordering keys. A key's next delivery never starts before the former one has ended.
#include <gmock/gmock.h>

#include <algorithm>
#include <map>

#include "contract/store_contract.h"

namespace grapnel::contract {
namespace {

using namespace model;
using model::errc;
using std::chrono::hours;
using std::chrono::seconds;
using Kind = Settlement::Kind;
using testing::ElementsAre;

void block(Action& action) { action.on_dead = OnDead::block; }

TEST_P(OrderContract, NextOfAKeyWaitsUntilTheFormerIsTerminal) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  for (const Kind end : {Kind::delivered, Kind::dead}) {
    const DeliveryId first = deliver_new(source, "k");
    const DeliveryId second = deliver_new(source, "k");
    EXPECT_FALSE(delivery(first).waits_for_order);
    EXPECT_TRUE(delivery(second).waits_for_order);
    const Lease former = lease(id);
    EXPECT_EQ(former.delivery.id, first);
    settle(former, end);
    EXPECT_FALSE(delivery(second).waits_for_order);
    EXPECT_EQ(finish(id, Kind::delivered), second);
  }
}

TEST_P(OrderContract, FormerThatRetriesKeepsTheNextWaiting) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  const DeliveryId first = deliver_new(source, "k");
  deliver_new(source, "k");
  finish(id, Kind::retry);
  EXPECT_TRUE(lease_ids(id).empty());
  pass(seconds{5});
  EXPECT_EQ(finish(id, Kind::unknown), first);
  EXPECT_EQ(finish(id, Kind::hand_back), first);
  EXPECT_EQ(lease(id).delivery.id, first);
}

TEST_P(OrderContract, CancelledFormerLetsTheNextGo) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  const DeliveryId first = deliver_new(source, "k");
  const DeliveryId second = deliver_new(source, "k");
  const DeliveryId third = deliver_new(source, "k");
  static_cast<void>(cancel(second));
  EXPECT_TRUE(delivery(third).waits_for_order);
  static_cast<void>(cancel(first));
  EXPECT_EQ(lease(id).delivery.id, third);
}

TEST_P(OrderContract, OtherKeysActionsAndUnkeyedEventsDoNotWait) {
  const SourceId source = add_source("demo");
  const ActionId one = add_action(source, "one");
  const ActionId two = add_action(source, "two");
  deliver_new(source, "a");
  deliver_new(source, "b");
  append(draft(source));
  append(draft(source));
  EXPECT_EQ(lease_ids(one).size(), 4U);
  EXPECT_EQ(lease_ids(two).size(), 4U);
}

TEST_P(OrderContract, SameKeyOfAnotherSourceIsAnotherKey) {
  const SourceId source = add_source("demo");
  const SourceId other = add_source("other");
  const ActionId one = add_action(source, "one");
  const ActionId two = add_action(other, "one");
  deliver_new(source, "k");
  deliver_new(other, "k");
  EXPECT_EQ(lease_ids(one).size(), 1U);
  EXPECT_EQ(lease_ids(two).size(), 1U);
}

TEST_P(OrderContract, OfABatchOnlyTheFirstOfAKeyIsBornLeased) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  std::vector<EventDraft> drafts;
  for (int i = 0; i < 3; ++i) drafts.push_back(ordered(source, "k", Birth::leased));
  const auto got = append_all(std::move(drafts));
  EXPECT_GT(got[0].deliveries.at(0).fence, 0);
  EXPECT_FALSE(got[0].deliveries[0].waits_for_order);
  for (const std::size_t i : {1, 2}) {
    EXPECT_EQ(got[i].deliveries.at(0).fence, 0);
    EXPECT_TRUE(got[i].deliveries[0].waits_for_order);
    EXPECT_EQ(delivery(got[i].deliveries[0].id).state, DeliveryState::pending);
  }
  EXPECT_TRUE(lease_ids(id).empty());
  EXPECT_EQ(book().open_work(id).pending, 2);
}

TEST_P(OrderContract, OneCallNeverLeasesTwoOfAKey) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  for (int i = 0; i < 5; ++i) deliver_new(source, "k");
  EXPECT_EQ(lease_ids(id, 5).size(), 1U);
}

TEST_P(OrderContract, KeysKeepTheirOrderOverARestart) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  std::vector<DeliveryId> made;
  for (int i = 0; i < 4; ++i) made.push_back(deliver_new(source, "k"));
  std::vector<DeliveryId> got;
  for (int i = 0; i < 4; ++i) {
    lease(id);
    reopen();
    got.push_back(finish(id, Kind::delivered));
  }
  EXPECT_EQ(got, made);
}

// --- on_dead: block

TEST_P(OrderContract, DeadDeliveryBlocksItsKeyUntilAPersonSkipsIt) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one", block);
  const DeliveryId first = deliver_new(source, "k");
  const DeliveryId second = deliver_new(source, "k");
  finish(id, Kind::dead);
  EXPECT_TRUE(delivery(second).waits_for_order);
  const DeliveryId later = deliver_new(source, "k");
  EXPECT_TRUE(delivery(later).waits_for_order);
  reopen();
  EXPECT_TRUE(lease_ids(id).empty());
  const Delivery skipped = must(book().skip(first));
  EXPECT_TRUE(skipped.skipped);
  EXPECT_EQ(skipped.state, DeliveryState::dead);
  EXPECT_EQ(finish(id, Kind::delivered), second);
  EXPECT_EQ(finish(id, Kind::delivered), later);
  EXPECT_EQ(dead_letters(), std::vector{first});
}

TEST_P(OrderContract, SkipIsForBlockingDeadDeliveriesAlone) {
  const SourceId source = add_source("demo");
  const ActionId free = add_action(source, "free");
  EXPECT_EQ(error_of(book().skip(make_id<DeliveryId>())), errc::not_found);
  const DeliveryId going_on = deliver_new(source, "k");
  EXPECT_EQ(error_of(book().skip(going_on)), errc::conflict);
  finish(free, Kind::dead);
  EXPECT_EQ(error_of(book().skip(going_on)), errc::conflict);

  const SourceId strict = add_source("strict");
  const ActionId id = add_action(strict, "one", block);
  const DeliveryId unkeyed = deliver_new(strict);
  finish(id, Kind::dead);
  EXPECT_EQ(error_of(book().skip(unkeyed)), errc::conflict);
  const DeliveryId once = deliver_new(strict, "k");
  finish(id, Kind::dead);
  must(book().skip(once));
  EXPECT_EQ(error_of(book().skip(once)), errc::conflict);
}

TEST_P(OrderContract, DeliveredReplayUnblocksTheKey) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one", block);
  const DeliveryId first = deliver_new(source, "k");
  const DeliveryId second = deliver_new(source, "k");
  finish(id, Kind::dead);
  const auto again = replay(first);
  ASSERT_TRUE(again) << describe(again.error());
  EXPECT_FALSE(again->waits_for_order) << "a replay stands at its original's place";
  EXPECT_TRUE(delivery(second).waits_for_order);
  EXPECT_EQ(finish(id, Kind::delivered), again->id);
  EXPECT_EQ(lease(id).delivery.id, second);
}

TEST_P(OrderContract, AnyReplayDownTheChainUnblocks) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one", block);
  DeliveryId tip = deliver_new(source, "k");
  const DeliveryId second = deliver_new(source, "k");
  finish(id, Kind::dead);
  for (int i = 0; i < 3; ++i) {
    const auto again = replay(tip);
    ASSERT_TRUE(again) << describe(again.error());
    EXPECT_EQ(finish(id, i < 2 ? Kind::dead : Kind::delivered), again->id);
    tip = again->id;
    if (i == 1) reopen();
    EXPECT_EQ(delivery(second).waits_for_order, i < 2);
  }
  EXPECT_EQ(lease(id).delivery.id, second);
}

TEST_P(OrderContract, SkippedReplayUnblocksToo) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one", block);
  const DeliveryId first = deliver_new(source, "k");
  const DeliveryId second = deliver_new(source, "k");
  finish(id, Kind::dead);
  const auto again = replay(first);
  ASSERT_TRUE(again);
  finish(id, Kind::dead);
  must(book().skip(again->id));
  EXPECT_EQ(lease(id).delivery.id, second);
}

TEST_P(OrderContract, SkippedOriginalUnblocksThoughItsReplayDiedToo) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one", block);
  const DeliveryId first = deliver_new(source, "k");
  const DeliveryId second = deliver_new(source, "k");
  finish(id, Kind::dead);
  ASSERT_TRUE(replay(first));
  finish(id, Kind::dead);
  must(book().skip(first));
  EXPECT_EQ(lease(id).delivery.id, second);
}

TEST_P(OrderContract, CancelledReplayLeavesTheKeyBlocked) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one", block);
  const DeliveryId first = deliver_new(source, "k");
  const DeliveryId second = deliver_new(source, "k");
  finish(id, Kind::dead);
  const auto again = replay(first);
  ASSERT_TRUE(again);
  static_cast<void>(cancel(again->id));
  EXPECT_TRUE(delivery(second).waits_for_order);
  EXPECT_TRUE(lease_ids(id).empty());
}

TEST_P(OrderContract, ChangeToContinueFreesWhatWasBlocked) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one", block);
  deliver_new(source, "k");
  const DeliveryId second = deliver_new(source, "k");
  finish(id, Kind::dead);
  EXPECT_TRUE(lease_ids(id).empty());
  change_action(id, [](Action& a) { a.on_dead = OnDead::go_on; });
  EXPECT_EQ(lease(id).delivery.id, second);
}

TEST_P(OrderContract, DeadOfAnotherKeyBlocksNothing) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one", block);
  deliver_new(source, "a");
  finish(id, Kind::dead);
  const DeliveryId other = deliver_new(source, "b");
  EXPECT_EQ(lease(id).delivery.id, other);
}

TEST_P(OrderContract, BornDeadBlocksLikeAnyOther) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one", block);
  EventDraft full = ordered(source, "k", Birth::dead);
  full.plan.deliveries[0].reason = EndReason::backlog_full;
  const DeliveryId first = append(std::move(full)).deliveries.at(0).id;
  const DeliveryId second = deliver_new(source, "k");
  EXPECT_TRUE(lease_ids(id).empty());
  must(book().skip(first));
  EXPECT_EQ(lease(id).delivery.id, second);
}

TEST_P(OrderContract, ReplayGoesBeforeWhatStillWaits) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  const DeliveryId first = deliver_new(source, "k");
  const DeliveryId second = deliver_new(source, "k");
  const DeliveryId third = deliver_new(source, "k");
  finish(id, Kind::dead);
  const Lease running = lease(id);
  ASSERT_EQ(running.delivery.id, second);
  const auto again = replay(first);
  ASSERT_TRUE(again);
  settle(running, Kind::delivered);
  EXPECT_EQ(finish(id, Kind::delivered), again->id);
  EXPECT_EQ(finish(id, Kind::delivered), third);
}

TEST_P(OrderContract, ReplayNeverRunsBesideAnotherOfItsKey) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  const DeliveryId first = deliver_new(source, "k");
  deliver_new(source, "k");
  finish(id, Kind::dead);
  lease(id);
  ASSERT_TRUE(replay(first));
  EXPECT_TRUE(lease_ids(id).empty());
}

TEST_P(OrderContract, ReleasedEventsKeepTheOrderTheyWereHeldIn) {
  const SourceId source = add_source("demo", SourceMode::paused);
  const ActionId id = add_action(source, "one");
  std::vector<Seq> held;
  for (int i = 0; i < 3; ++i) held.push_back(append(ordered(source, "k")).seq);
  change_source(source, [](Source& s) { s.mode = SourceMode::active; });
  held.push_back(append(ordered(source, "k")).seq);
  for (const Seq seq : held) {
    must(log().fan_out({{.event = seq, .plan = plan(source, Birth::leased)}}));
  }
  for (const Seq seq : held) {
    const auto open = all_deliveries({.states = {DeliveryState::running}});
    if (open.empty()) {
      const Lease next = lease(id);
      EXPECT_EQ(next.delivery.event_seq, seq);
      settle(next, Kind::delivered);
    } else {
      ASSERT_EQ(open.size(), 1U) << "of one key one runs";
      EXPECT_EQ(open[0].event_seq, seq);
      reopen();  // gives the lease back
      settle(lease(id), Kind::delivered);
    }
  }
}

/// Random work on few keys; after each step no key has two running, and what runs is the first of
/// those of its key that are open.
TEST_P(OrderContract, RandomWorkNeverBreaksTheOrderOfAKey) {
  const std::uint64_t seed = test_seed();
  SCOPED_TRACE("GRAPNEL_SEED=" + std::to_string(seed));
  SeededRandom random(seed);
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  std::map<DeliveryId, std::string> keys;
  std::vector<Lease> running;
  for (int step = 0; step < 200; ++step) {
    const std::string key = "k" + std::to_string(random.below(3));
    const auto birth = random.below(2) == 0 ? Birth::leased : Birth::pending;
    switch (random.below(4)) {
      case 0: {
        const BornDelivery born = append(ordered(source, key, birth)).deliveries.at(0);
        keys[born.id] = key;
        if (born.fence) running.push_back({.delivery = delivery(born.id), .fence = born.fence});
        break;
      }
      case 1:
        for (Lease& lease : lease_batch(id, 2).leases) running.push_back(std::move(lease));
        break;
      case 2: {
        if (running.empty()) break;
        const auto at = running.begin() + static_cast<std::ptrdiff_t>(random.below(running.size()));
        settle(*at, static_cast<Kind>(random.below(5)));
        running.erase(at);
        break;
      }
      default:
        pass(seconds{4});
        if (random.below(8) != 0) break;
        reopen();
        running.clear();
    }
    std::map<std::string, Seq> first_open;
    std::map<std::string, Seq> runs;
    for (const Delivery& d : all_deliveries()) {  // newest first
      if (is_terminal(d.state)) continue;
      first_open[keys.at(d.id)] = d.seq;
      if (d.state != DeliveryState::running) continue;
      ASSERT_FALSE(runs.contains(keys.at(d.id))) << "two run at step " << step;
      runs[keys.at(d.id)] = d.seq;
    }
    for (const auto& [name, seq] : runs) ASSERT_EQ(seq, first_open.at(name)) << "step " << step;
  }
}

}  // namespace
}  // namespace grapnel::contract
