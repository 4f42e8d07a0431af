// DeliveryBook: leasing, what is counted, what is told, what is recorded.
#include <gmock/gmock.h>

#include <map>
#include <optional>

#include "contract/store_contract.h"

namespace grapnel::contract {
namespace {

using namespace model;
using model::errc;
using std::chrono::hours;
using std::chrono::seconds;
using Kind = Settlement::Kind;
using testing::ElementsAre;

// --- leases

TEST_P(DeliveryBookContract, OldestDueIsLeasedFirst) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  const DeliveryId first = deliver_new(source);
  Settlement later = settlement(lease(id), Kind::retry);
  later.due = now() + seconds{30};
  settle(later);
  pass(seconds{10});
  const DeliveryId second = deliver_new(source);
  pass(seconds{10});
  const DeliveryId third = deliver_new(source);
  pass(seconds{60});
  EXPECT_THAT(lease_ids(id), ElementsAre(second, third, first));
}

TEST_P(DeliveryBookContract, DeliveriesOfOneTimeAreLeasedInSeqOrder) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  std::vector<DeliveryId> made;
  for (int i = 0; i < 6; ++i) made.push_back(deliver_new(source));
  std::vector<DeliveryId> got = lease_ids(id, 4);
  for (const DeliveryId more : lease_ids(id, 4)) got.push_back(more);
  EXPECT_EQ(got, made);
}

TEST_P(DeliveryBookContract, NoMoreIsLeasedThanWishedAndNothingTwice) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  for (int i = 0; i < 5; ++i) deliver_new(source);
  EXPECT_TRUE(lease_ids(id, 0).empty());
  EXPECT_EQ(lease_ids(id, 3).size(), 3U);
  EXPECT_EQ(lease_ids(id, 3).size(), 2U);
  EXPECT_TRUE(lease_ids(id, 3).empty());
}

TEST_P(DeliveryBookContract, EveryLeaseHasAFenceOfItsOwn) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  for (int i = 0; i < 3; ++i) deliver_new(source);
  const auto leases = lease_batch(id, 3).leases;
  ASSERT_EQ(leases.size(), 3U);
  EXPECT_NE(leases[0].fence, leases[1].fence);
  EXPECT_NE(leases[1].fence, leases[2].fence);
  for (const Lease& lease : leases) EXPECT_EQ(lease.delivery.state, DeliveryState::running);
}

TEST_P(DeliveryBookContract, ActionThatIsNotWishedForIsNotTouched) {
  const SourceId source = add_source("demo");
  const ActionId one = add_action(source, "one");
  const ActionId two = add_action(source, "two");
  deliver_new(source);
  EXPECT_EQ(lease_ids(one).size(), 1U);
  EXPECT_EQ(book().open_work(two).pending, 1);
  EXPECT_EQ(book().open_work(two).running, 0);
}

TEST_P(DeliveryBookContract, WishesOfOneCallAreAnsweredEach) {
  const SourceId source = add_source("demo");
  const ActionId one = add_action(source, "one");
  const ActionId two = add_action(source, "two");
  for (int i = 0; i < 2; ++i) deliver_new(source);
  const LeaseBatch got = must(book().lease(
      {{.action = two, .count = 1}, {.action = make_id<ActionId>(), .count = 1}, {one, 9}}));
  EXPECT_EQ(got.leases.size(), 3U);
  ASSERT_EQ(got.next_due.size(), 3U);
  std::map<ActionId, std::optional<Time>> due(got.next_due.begin(), got.next_due.end());
  EXPECT_NE(due.at(two), std::nullopt);
  EXPECT_LE(*due.at(two), now());
  EXPECT_EQ(due.at(one), std::nullopt);
}

TEST_P(DeliveryBookContract, NextDueTellsWhenTheNextRetryIs) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  EXPECT_EQ(lease_batch(id, 5).next_due.at(0).second, std::nullopt);
  deliver_new(source);
  deliver_new(source);
  const auto leases = lease_batch(id, 2).leases;
  Settlement late = settlement(leases.at(0), Kind::retry);
  late.due = now() + hours{3};
  Settlement soon = settlement(leases.at(1), Kind::retry);
  soon.due = now() + hours{2};
  must(book().settle({late, soon}));
  const LeaseBatch none = lease_batch(id, 5);
  EXPECT_TRUE(none.leases.empty());
  EXPECT_EQ(none.next_due.at(0), (std::pair{id, std::optional(soon.due)}));
}

TEST_P(DeliveryBookContract, NextDueDoesNotCountWhatWaitsForItsKey) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  deliver_new(source, "k");
  deliver_new(source, "k");
  const LeaseBatch got = lease_batch(id, 5);
  EXPECT_EQ(got.leases.size(), 1U);
  EXPECT_EQ(got.next_due.at(0).second, std::nullopt);
}

TEST_P(DeliveryBookContract, DeletingActionLeasesNothing) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  deliver_new(source);
  change_action(id, [](Action& a) { a.deleting = true; });
  EXPECT_TRUE(lease_ids(id).empty());
}

TEST_P(DeliveryBookContract, ActionOfADeletingSourceLeasesNothing) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  deliver_new(source);
  change_source(source, [](Source& s) { s.deleting = true; });
  EXPECT_TRUE(lease_ids(id).empty());
}

TEST_P(DeliveryBookContract, PausedActionIsTheCallersToKnow) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  deliver_new(source);
  change_action(id, [](Action& a) { a.desired = DesiredState::paused; });
  EXPECT_EQ(lease_ids(id).size(), 1U);
}

// --- attempts

TEST_P(DeliveryBookContract, EveryAttemptIsRecordedAsItWas) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  const DeliveryId made = deliver_new(source);
  finish(id, Kind::retry);
  pass(seconds{5});
  Settlement good = settlement(lease(id), Kind::delivered);
  good.attempt->action_revision = action(id)->revision;
  good.attempt->request_headers = {{"webhook-id", "x"}, {"A", "1"}, {"A", "2"}};
  good.attempt->response_headers = {{"Server", "echo"}};
  good.attempt->response_excerpt = std::string("ok\0!", 4);
  good.attempt->timings = {.dns_us = 1, .connect_us = 2, .tls_us = -1, .first_byte_us = 4};
  const Attempt sent = *good.attempt;
  settle(good);
  reopen();
  const auto got = must(catalog().attempts(delivery(made).seq));
  ASSERT_EQ(got.size(), 2U);
  EXPECT_EQ(got[0].number, 1);
  EXPECT_EQ(got[0].result, AttemptResult::failed);
  EXPECT_EQ(got[0].step, AttemptStep::status);
  EXPECT_EQ(got[0].response_status, 503);
  EXPECT_EQ(got[0].error, "status: 503 Service Unavailable");
  EXPECT_EQ(got[1].number, 2);
  EXPECT_EQ(got[1].id, sent.id);
  EXPECT_EQ(got[1].started, sent.started);
  EXPECT_EQ(got[1].result, AttemptResult::succeeded);
  EXPECT_EQ(got[1].action_revision, sent.action_revision);
  EXPECT_EQ(got[1].request_headers, sent.request_headers);
  EXPECT_EQ(got[1].response_headers, sent.response_headers);
  EXPECT_EQ(got[1].response_status, 204);
  EXPECT_EQ(got[1].response_excerpt, sent.response_excerpt);
  EXPECT_EQ(got[1].timings.connect_us, 2);
  EXPECT_EQ(got[1].timings.tls_us, -1);
}

// --- open work

TEST_P(DeliveryBookContract, OpenWorkCountsStatesAndBodiesPerAction) {
  const SourceId source = add_source("demo");
  const ActionId one = add_action(source, "one");
  const ActionId two = add_action(source, "two", [](Action& a) { a.event_types = {"other"}; });
  for (int i = 0; i < 3; ++i) {
    EventDraft made = draft(source);
    set_body(made, std::string(10, 'x'));
    append(std::move(made));
  }
  EXPECT_EQ(book().open_work(one).pending, 3);
  EXPECT_EQ(book().open_work(one).bytes, 30);
  EXPECT_EQ(book().open_work(two).count(), 0);
  const auto leases = lease_batch(one, 2).leases;
  settle(leases.at(0), Kind::retry);
  const OpenWork got = book().open_work(one);
  EXPECT_EQ(got.pending, 1);
  EXPECT_EQ(got.running, 1);
  EXPECT_EQ(got.retrying, 1);
  EXPECT_EQ(got.bytes, 30);
  settle(leases.at(1), Kind::delivered);
  EXPECT_EQ(book().open_work(one).count(), 2);
  EXPECT_EQ(book().open_work(one).bytes, 20);
  EXPECT_EQ(book().open_work(make_id<ActionId>()).count(), 0);
}

/// What the lists say is open.
OpenWork counted(const std::vector<Delivery>& deliveries, ActionId action) {
  OpenWork out;
  for (const Delivery& d : deliveries) {
    if (d.action != action) continue;
    out.pending += d.state == DeliveryState::pending;
    out.running += d.state == DeliveryState::running;
    out.retrying += d.state == DeliveryState::retrying;
  }
  return out;
}

TEST_P(DeliveryBookContract, OpenWorkStaysExactOverRandomWork) {
  const std::uint64_t seed = test_seed();
  SCOPED_TRACE("GRAPNEL_SEED=" + std::to_string(seed));
  SeededRandom random(seed);
  const SourceId source = add_source("demo");
  const std::array actions{add_action(source, "one"), add_action(source, "two")};
  std::vector<Lease> running;
  for (int step = 0; step < 150; ++step) {
    const ActionId id = actions[random.below(2)];
    switch (random.below(6)) {
      case 0: append(draft(source)); break;
      case 1: append(ordered(source, "k" + std::to_string(random.below(3)))); break;
      case 2:
        for (Lease& lease : lease_batch(id, 3).leases) running.push_back(std::move(lease));
        break;
      case 3:
        if (running.empty()) break;
        settle(running.back(), static_cast<Kind>(random.below(5)));
        running.pop_back();
        break;
      case 4: {
        const auto all = all_deliveries();
        if (!all.empty()) static_cast<void>(cancel(all[random.below(all.size())].id));
        break;
      }
      default:
        pass(seconds{3});
        if (random.below(5) != 0) break;
        reopen();
        running.clear();
    }
    const auto all = all_deliveries();
    for (const ActionId each : actions) {
      const OpenWork told = book().open_work(each);
      const OpenWork real = counted(all, each);
      ASSERT_EQ(told.pending, real.pending) << "step " << step;
      ASSERT_EQ(told.running, real.running) << "step " << step;
      ASSERT_EQ(told.retrying, real.retrying) << "step " << step;
    }
  }
}

// --- hints

struct Hints {
  std::vector<WorkHint> all;
  int calls = 0;
  std::optional<Time> take(ActionId action) {
    std::optional<Time> due;
    for (const WorkHint& hint : all) {
      if (hint.action == action) due = due ? std::min(*due, hint.due) : hint.due;
    }
    all.clear();
    return due;
  }
};

void listen(DeliveryBook& book, Hints& hints) {
  book.watch_work([&hints](const std::vector<WorkHint>& fresh) {
    ++hints.calls;
    hints.all.insert(hints.all.end(), fresh.begin(), fresh.end());
  });
}

TEST_P(DeliveryBookContract, WatcherHearsOfEveryCommitThatMakesWorkLeasable) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  Hints hints;
  listen(book(), hints);
  run_ready();
  hints.all.clear();

  deliver_new(source);
  run_ready();
  EXPECT_EQ(hints.take(id), now());
  Lease leased = lease(id);
  settle(leased, Kind::hand_back);
  run_ready();
  EXPECT_EQ(hints.take(id), now());
  settle(lease(id), Kind::retry);
  run_ready();
  EXPECT_EQ(hints.take(id), now() + seconds{5});
  must(book().retry_now(leased.delivery.id));
  run_ready();
  EXPECT_EQ(hints.take(id), now());
  finish(id, Kind::dead);
  run_ready();
  hints.all.clear();
  ASSERT_TRUE(replay(leased.delivery.id));
  run_ready();
  EXPECT_EQ(hints.take(id), now());
}

TEST_P(DeliveryBookContract, WatcherHearsWhenAnOrderingKeyGoesOn) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  deliver_new(source, "k");
  const Lease former = lease(id);
  Hints hints;
  listen(book(), hints);
  run_ready();
  hints.all.clear();
  deliver_new(source, "k");
  run_ready();
  EXPECT_EQ(hints.take(id), std::nullopt) << "it waits for its key";
  settle(former, Kind::delivered);
  run_ready();
  const auto due = hints.take(id);
  ASSERT_TRUE(due);
  EXPECT_LE(*due, now());
}

TEST_P(DeliveryBookContract, OneCommitHintsOnceAnAction) {
  const SourceId source = add_source("demo");
  const ActionId one = add_action(source, "one");
  const ActionId two = add_action(source, "two");
  Hints hints;
  listen(book(), hints);
  run_ready();
  hints = {};
  std::vector<EventDraft> drafts;
  for (int i = 0; i < 10; ++i) drafts.push_back(draft(source));
  append_all(std::move(drafts));
  run_ready();
  EXPECT_EQ(hints.calls, 1);
  std::vector<ActionId> told;
  for (const WorkHint& hint : hints.all) told.push_back(hint.action);
  EXPECT_THAT(told, testing::UnorderedElementsAre(one, two));
}

TEST_P(DeliveryBookContract, WatcherHearsAfterAStartOfEverythingThatWaits) {
  const SourceId source = add_source("demo");
  const ActionId one = add_action(source, "one");
  const ActionId two = add_action(source, "two", [](Action& a) { a.event_types = {"other"}; });
  deliver_new(source);
  finish(one, Kind::retry);
  const Time due = now() + seconds{5};
  reopen();
  Hints hints;
  listen(book(), hints);
  run_ready();
  ASSERT_EQ(hints.all.size(), 1U);
  EXPECT_EQ(hints.take(one), due);
  EXPECT_EQ(hints.take(two), std::nullopt);
}

}  // namespace
}  // namespace grapnel::contract
