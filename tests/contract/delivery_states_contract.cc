// DeliveryBook: the table of docs/SEMANTICS.md, row by row, and what it refuses.
#include <gmock/gmock.h>

#include "contract/store_contract.h"

namespace grapnel::contract {
namespace {

using namespace model;
using model::errc;
using std::chrono::hours;
using std::chrono::seconds;
using Kind = Settlement::Kind;

constexpr std::array kTerminal{DeliveryState::delivered, DeliveryState::dead,
                               DeliveryState::cancelled};

TEST_P(DeliveryBookContract, ConfirmedAttemptDelivers) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  deliver_new(source);
  const Lease leased = lease(id);
  EXPECT_EQ(leased.delivery.state, DeliveryState::running);
  EXPECT_EQ(settle(leased, Kind::delivered), DeliveryState::delivered);
  const Delivery got = delivery(leased.delivery.id);
  EXPECT_EQ(got.state, DeliveryState::delivered);
  EXPECT_EQ(got.ended, now());
  EXPECT_GT(got.ended_seq, got.seq);
  EXPECT_EQ(got.reason, EndReason::none);
  EXPECT_EQ(got.attempts, 1);
  EXPECT_EQ(got.tries_used, 0);
  EXPECT_EQ(got.last_status, 204);
}

TEST_P(DeliveryBookContract, FailedAttemptRetriesWhenItIsDueAndNotBefore) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  deliver_new(source);
  const Lease leased = lease(id);
  EXPECT_EQ(settle(leased, Kind::retry), DeliveryState::retrying);
  const Delivery got = delivery(leased.delivery.id);
  EXPECT_EQ(got.state, DeliveryState::retrying);
  EXPECT_EQ(got.due, now() + seconds{5});
  EXPECT_EQ(got.tries_used, 1);
  EXPECT_EQ(got.last_status, 503);
  EXPECT_EQ(got.last_error, "status: 503 Service Unavailable");
  EXPECT_EQ(got.ended, std::nullopt);
  pass(seconds{5} - Millis{1});
  EXPECT_TRUE(lease_ids(id).empty());
  pass(Millis{1});
  const Lease second = lease(id);
  EXPECT_EQ(second.delivery.id, leased.delivery.id);
  EXPECT_EQ(second.delivery.attempts, 1);
  EXPECT_GT(second.fence, leased.fence);
}

TEST_P(DeliveryBookContract, LastFailureKillsForItsReason) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  for (const EndReason reason : {EndReason::retries_exhausted, EndReason::final_failure,
                                 EndReason::egress_refused, EndReason::bad_configuration}) {
    deliver_new(source);
    const Lease leased = lease(id);
    Settlement dead = settlement(leased, Kind::dead);
    dead.reason = reason;
    EXPECT_EQ(settle(dead).state, DeliveryState::dead);
    const Delivery got = delivery(leased.delivery.id);
    EXPECT_EQ(got.state, DeliveryState::dead);
    EXPECT_EQ(got.reason, reason);
    EXPECT_EQ(got.tries_used, 1);
    EXPECT_EQ(dead_letters().front(), got.id);
  }
}

TEST_P(DeliveryBookContract, HandedBackLeaseIsDueAtOnceAndCountsNothing) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  deliver_new(source);
  const Lease leased = lease(id);
  EXPECT_EQ(settle(leased, Kind::hand_back), DeliveryState::pending);
  const Delivery got = delivery(leased.delivery.id);
  EXPECT_EQ(got.state, DeliveryState::pending);
  EXPECT_EQ(got.attempts, 0);
  EXPECT_EQ(got.tries_used, 0);
  EXPECT_EQ(got.unknown_streak, 0);
  EXPECT_EQ(lease(id).delivery.id, got.id);
}

TEST_P(DeliveryBookContract, HandedBackLeaseMayRestFirst) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  deliver_new(source);
  Settlement rest = settlement(lease(id), Kind::hand_back);
  rest.due = now() + Millis{60'000};
  EXPECT_EQ(settle(rest).state, DeliveryState::pending);
  EXPECT_TRUE(lease_ids(id).empty());
  pass(Millis{60'000});
  EXPECT_EQ(lease_ids(id).size(), 1U);
}

TEST_P(DeliveryBookContract, UnknownOutcomeIsDueAtOnceAndUsesNoTry) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  deliver_new(source);
  const Lease leased = lease(id);
  EXPECT_EQ(settle(leased, Kind::unknown), DeliveryState::pending);
  const Delivery got = delivery(leased.delivery.id);
  EXPECT_EQ(got.attempts, 1);
  EXPECT_EQ(got.tries_used, 0);
  EXPECT_EQ(got.unknown_streak, 1);
  const auto attempts = must(catalog().attempts(got.seq));
  ASSERT_EQ(attempts.size(), 1U);
  EXPECT_EQ(attempts[0].result, AttemptResult::unknown);
  EXPECT_EQ(lease(id).delivery.id, got.id);
}

TEST_P(DeliveryBookContract, KnownOutcomeEndsTheStreakOfUnknowns) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  const DeliveryId made = deliver_new(source);
  finish(id, Kind::unknown);
  finish(id, Kind::unknown);
  EXPECT_EQ(delivery(made).unknown_streak, 2);
  finish(id, Kind::retry);
  EXPECT_EQ(delivery(made).unknown_streak, 0);
}

TEST_P(DeliveryBookContract, RestartMakesEveryLeaseOneUnknown) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  const DeliveryId leased = deliver_new(source);
  lease(id);
  const DeliveryId born = append(draft(source, Birth::leased)).deliveries.at(0).id;
  const DeliveryId waiting = deliver_new(source);
  reopen();
  for (const DeliveryId was_running : {leased, born}) {
    const Delivery got = delivery(was_running);
    EXPECT_EQ(got.state, DeliveryState::pending);
    EXPECT_EQ(got.attempts, 1);
    EXPECT_EQ(got.tries_used, 0);
    EXPECT_EQ(got.unknown_streak, 1);
    const auto attempts = must(catalog().attempts(got.seq));
    ASSERT_EQ(attempts.size(), 1U);
    EXPECT_EQ(attempts[0].result, AttemptResult::unknown);
    EXPECT_EQ(attempts[0].number, 1);
  }
  EXPECT_EQ(delivery(waiting).attempts, 0);
  EXPECT_EQ(book().open_work(id).pending, 3);
  EXPECT_EQ(lease_ids(id).size(), 3U);
}

TEST_P(DeliveryBookContract, UnknownAfterFiveInARowCountsAsAFailure) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  const DeliveryId made = deliver_new(source);
  for (int i = 1; i <= kUnknownStreakMax; ++i) {
    EXPECT_EQ(lease(id).delivery.unknown_streak, i - 1) << "who leases sees that it runs alone";
    reopen();
    EXPECT_EQ(delivery(made).unknown_streak, i);
    EXPECT_EQ(delivery(made).tries_used, 0);
    EXPECT_EQ(delivery(made).state, DeliveryState::pending);
  }
  lease(id);
  reopen();
  const Delivery got = delivery(made);
  EXPECT_EQ(got.state, DeliveryState::retrying);
  EXPECT_EQ(got.tries_used, 1);
  EXPECT_EQ(got.attempts, kUnknownStreakMax + 1);
  EXPECT_GT(got.due, now());
}

TEST_P(DeliveryBookContract, SettledUnknownsCountLikeThoseOfCrashes) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  const DeliveryId made = deliver_new(source);
  for (int i = 0; i < kUnknownStreakMax; ++i) {
    EXPECT_EQ(settle(lease(id), Kind::unknown), DeliveryState::pending);
  }
  EXPECT_EQ(settle(lease(id), Kind::unknown), DeliveryState::retrying);
  EXPECT_EQ(delivery(made).tries_used, 1);
}

TEST_P(DeliveryBookContract, UnknownThatCountsAndWasTheLastTryKills) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one", [](Action& action) {
    action.retry = RetryPolicy{.base = seconds{1}, .cap = seconds{1}, .max_attempts = 1};
  });
  const DeliveryId made = deliver_new(source);
  for (int i = 0; i <= kUnknownStreakMax; ++i) {
    lease(id);
    reopen();
  }
  const Delivery got = delivery(made);
  EXPECT_EQ(got.state, DeliveryState::dead);
  EXPECT_EQ(got.reason, EndReason::retries_exhausted);
}

TEST_P(DeliveryBookContract, LeaseMayEndAsAFailedTryWithoutAnAttempt) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  const DeliveryId made = deliver_new(source);
  Settlement failed = settlement(lease(id), Kind::retry);
  failed.attempt.reset();
  EXPECT_EQ(settle(failed).state, DeliveryState::retrying);
  EXPECT_EQ(delivery(made).tries_used, 1);
  EXPECT_EQ(delivery(made).attempts, 0);
  EXPECT_TRUE(must(catalog().attempts(delivery(made).seq)).empty());
}

TEST_P(DeliveryBookContract, RetryCanBeAskedToBeDueNow) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  const DeliveryId made = delivery_in(source, id, DeliveryState::retrying);
  const Delivery got = must(book().retry_now(made));
  EXPECT_EQ(got.state, DeliveryState::pending);
  EXPECT_EQ(got.tries_used, 1);
  EXPECT_EQ(lease(id).delivery.id, made);
}

TEST_P(DeliveryBookContract, RetryNowIsForRetryingDeliveriesAlone) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  EXPECT_EQ(error_of(book().retry_now(make_id<DeliveryId>())), errc::not_found);
  for (const DeliveryState state : {DeliveryState::pending, DeliveryState::running}) {
    EXPECT_EQ(error_of(book().retry_now(delivery_in(source, id, state))), errc::conflict);
  }
  for (const DeliveryState state : kTerminal) {
    const DeliveryId made = delivery_in(source, id, state);
    EXPECT_EQ(error_of(book().retry_now(made)), errc::already_ended);
    EXPECT_EQ(delivery(made).state, state);
  }
}

// --- fences

TEST_P(DeliveryBookContract, OutcomeOfAnOldLeaseIsRefusedAndChangesNothing) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  const DeliveryId made = deliver_new(source);
  const Lease old = lease(id);
  settle(old, Kind::hand_back);
  const Lease fresh = lease(id);
  ASSERT_EQ(fresh.delivery.id, made);
  for (const Kind kind :
       {Kind::delivered, Kind::retry, Kind::dead, Kind::hand_back, Kind::unknown}) {
    EXPECT_TRUE(settle(settlement(old, kind)).stale);
    EXPECT_EQ(delivery(made).state, DeliveryState::running);
    EXPECT_EQ(delivery(made).attempts, 0);
  }
  EXPECT_EQ(settle(fresh, Kind::delivered), DeliveryState::delivered);
}

TEST_P(DeliveryBookContract, LeaseOfBeforeARestartIsStale) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  const DeliveryId made = deliver_new(source);
  const Lease old = lease(id);
  reopen();
  EXPECT_TRUE(settle(settlement(old, Kind::delivered)).stale);
  EXPECT_EQ(delivery(made).state, DeliveryState::pending);
  const Lease fresh = lease(id);
  EXPECT_GT(fresh.fence, old.fence);
  EXPECT_TRUE(settle(settlement(old, Kind::delivered)).stale);
  EXPECT_EQ(delivery(made).state, DeliveryState::running);
}

TEST_P(DeliveryBookContract, StaleOutcomeInABatchHurtsNoOther) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  deliver_new(source);
  deliver_new(source);
  const auto leases = lease_batch(id, 2).leases;
  ASSERT_EQ(leases.size(), 2U);
  Settlement stale = settlement(leases[0], Kind::delivered);
  stale.fence -= 1;
  Settlement unknown = stale;
  unknown.delivery += 1'000'000;
  const auto got = must(book().settle({stale, settlement(leases[1], Kind::delivered), unknown}));
  ASSERT_EQ(got.size(), 3U);
  EXPECT_TRUE(got[0].stale);
  EXPECT_FALSE(got[1].stale);
  EXPECT_TRUE(got[2].stale);
  EXPECT_EQ(delivery(leases[0].delivery.id).state, DeliveryState::running);
  EXPECT_EQ(delivery(leases[1].delivery.id).state, DeliveryState::delivered);
}

TEST_P(DeliveryBookContract, NothingLeavesATerminalState) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  for (const DeliveryState state : kTerminal) {
    const DeliveryId made = delivery_in(source, id, state);
    const Delivery before = delivery(made);
    for (Fence fence = 0; fence < 20; ++fence) {
      const Lease lease{.delivery = before, .fence = fence};
      EXPECT_TRUE(settle(settlement(lease, Kind::retry)).stale);
    }
    const auto cancelled = cancel(made);
    ASSERT_FALSE(cancelled);
    EXPECT_EQ(cancelled.error().code, errc::already_ended);
    pass(hours{100});
    EXPECT_TRUE(lease_ids(id).empty());
    reopen();
    EXPECT_EQ(delivery(made).state, state);
    EXPECT_EQ(delivery(made).ended_seq, before.ended_seq);
    EXPECT_EQ(delivery(made).attempts, before.attempts);
  }
}

// --- cancelling

TEST_P(DeliveryBookContract, WaitingDeliveriesAreCancelledAtOnce) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  for (const DeliveryState state : {DeliveryState::pending, DeliveryState::retrying}) {
    const DeliveryId made = delivery_in(source, id, state);
    const auto got = cancel(made);
    ASSERT_TRUE(got);
    EXPECT_EQ(*got, DeliveryState::cancelled);
    EXPECT_EQ(delivery(made).state, DeliveryState::cancelled);
    EXPECT_EQ(delivery(made).reason, EndReason::by_person);
    EXPECT_EQ(delivery(made).ended, now());
  }
  pass(hours{100});
  EXPECT_TRUE(lease_ids(id).empty());
}

TEST_P(DeliveryBookContract, CancelAnswersEachDeliveryForItself) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  const DeliveryId waiting = deliver_new(source);
  const DeliveryId done = delivery_in(source, id, DeliveryState::delivered);
  const auto got = must(book().cancel({make_id<DeliveryId>(), done, waiting}));
  ASSERT_EQ(got.size(), 3U);
  EXPECT_EQ(got[0].error().code, errc::not_found);
  EXPECT_EQ(got[1].error().code, errc::already_ended);
  EXPECT_EQ(got[2], DeliveryState::cancelled);
}

TEST_P(DeliveryBookContract, CancelWishOverridesEveryReturnButDelivered) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  for (const Kind kind :
       {Kind::retry, Kind::dead, Kind::hand_back, Kind::unknown, Kind::delivered}) {
    const DeliveryId made = deliver_new(source);
    const Lease leased = lease(id);
    EXPECT_EQ(cancel(made), DeliveryState::running);
    EXPECT_EQ(cancel(made), DeliveryState::running);
    EXPECT_TRUE(delivery(made).cancel_wished);
    const DeliveryState wanted =
        kind == Kind::delivered ? DeliveryState::delivered : DeliveryState::cancelled;
    EXPECT_EQ(settle(leased, kind), wanted);
    EXPECT_EQ(delivery(made).state, wanted);
    EXPECT_EQ(delivery(made).reason,
              kind == Kind::delivered ? EndReason::none : EndReason::by_person);
  }
}

TEST_P(DeliveryBookContract, CancelWishSurvivesTheCrashOfItsWorker) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  const DeliveryId made = deliver_new(source);
  lease(id);
  static_cast<void>(cancel(made));
  reopen();
  EXPECT_EQ(delivery(made).state, DeliveryState::cancelled);
  EXPECT_EQ(delivery(made).reason, EndReason::by_person);
  EXPECT_EQ(book().open_work(id).count(), 0);
}

// --- health

TEST_P(DeliveryBookContract, GoneOfTheCurrentTargetIsStoredAndTold) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  SnapshotPtr seen;
  registry().watch([&](SnapshotPtr snapshot) { seen = std::move(snapshot); });
  make_gone(source, id);
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->find_action(id)->health, Health::gone);
  EXPECT_EQ(action(id)->health_reason, "410 Gone");
  EXPECT_EQ(action(id)->health_since, now());
  reopen();
  EXPECT_EQ(action(id)->health, Health::gone);
}

TEST_P(DeliveryBookContract, GoneOfAnOlderTargetChangesNothing) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  deliver_new(source);
  const Lease leased = lease(id);
  change_action(id, [](Action& a) {
    a.target_url = "https://elsewhere.test/";
    a.target_revision = 2;
  });
  Settlement gone = settlement(leased, Kind::retry);
  gone.health = HealthReport{.health = Health::gone, .target_revision = 1, .reason = "410"};
  EXPECT_EQ(settle(gone).state, DeliveryState::retrying);
  run_ready();
  EXPECT_EQ(action(id)->health, Health::ok);
}

TEST_P(DeliveryBookContract, WhileGoneWhateverWouldWaitDies) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  std::vector<DeliveryId> made;
  for (int i = 0; i < 5; ++i) made.push_back(deliver_new(source));
  const auto leases = lease_batch(id, 5).leases;
  ASSERT_EQ(leases.size(), 5U);
  make_gone(source, id);
  EXPECT_EQ(settle(leases[0], Kind::retry), DeliveryState::dead);
  EXPECT_EQ(settle(leases[1], Kind::hand_back), DeliveryState::dead);
  EXPECT_EQ(settle(leases[2], Kind::unknown), DeliveryState::dead);
  EXPECT_EQ(settle(leases[3], Kind::delivered), DeliveryState::delivered);
  reopen();  // the fifth is an unknown of the crash
  for (const std::size_t i : {0, 1, 2, 4}) {
    EXPECT_EQ(delivery(made[i]).state, DeliveryState::dead) << i;
    EXPECT_EQ(delivery(made[i]).reason, EndReason::endpoint_gone) << i;
  }
  EXPECT_EQ(book().open_work(id).count(), 0);
}

TEST_P(DeliveryBookContract, The410ThatMakesItGoneKillsItsOwnDelivery) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  const DeliveryId made = deliver_new(source);
  Settlement gone = settlement(lease(id), Kind::retry);
  gone.health = HealthReport{.health = Health::gone, .target_revision = 1, .reason = "410"};
  EXPECT_EQ(settle(gone).state, DeliveryState::dead);
  EXPECT_EQ(delivery(made).reason, EndReason::endpoint_gone);
}

TEST_P(DeliveryBookContract, SuccessStillInFlightDoesNotEndGone) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  deliver_new(source);
  const Lease leased = lease(id);
  make_gone(source, id);
  Settlement good = settlement(leased, Kind::delivered);
  good.health = HealthReport{.health = Health::ok, .target_revision = 1, .reason = ""};
  EXPECT_EQ(settle(good).state, DeliveryState::delivered);
  run_ready();
  EXPECT_EQ(action(id)->health, Health::gone);
}

TEST_P(DeliveryBookContract, NewTargetEndsGone) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  make_gone(source, id);
  change_action(id, [](Action& a) {
    a.target_revision = 2;
    a.health = Health::ok;
    a.health_reason.clear();
  });
  EXPECT_EQ(action(id)->health, Health::ok);
  const DeliveryId made = deliver_new(source);
  EXPECT_EQ(delivery(made).state, DeliveryState::pending);
}

TEST_P(DeliveryBookContract, NewUrlAloneEndsGoneAndIsAnotherTarget) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  make_gone(source, id);
  const Revision before = action(id)->target_revision;
  change_action(id, [](Action& a) { a.target_url = "https://elsewhere.test/"; });
  EXPECT_EQ(action(id)->health, Health::ok);
  EXPECT_EQ(action(id)->health_reason, "");
  EXPECT_GT(action(id)->target_revision, before);
}

TEST_P(DeliveryBookContract, OtherChangesLeaveGoneAsItIs) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  make_gone(source, id);
  const Revision before = action(id)->target_revision;
  change_action(id, [](Action& a) { a.max_in_flight = 2; });
  EXPECT_EQ(action(id)->health, Health::gone);
  EXPECT_EQ(action(id)->target_revision, before);
}

TEST_P(DeliveryBookContract, FailingIsReportedAndEndedByASuccess) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  deliver_new(source);
  Settlement bad = settlement(lease(id), Kind::retry);
  bad.health = HealthReport{.health = Health::failing, .target_revision = 1, .reason = "503"};
  settle(bad);
  run_ready();
  EXPECT_EQ(action(id)->health, Health::failing);
  EXPECT_EQ(action(id)->health_reason, "503");
  pass(seconds{5});
  Settlement good = settlement(lease(id), Kind::delivered);
  good.health = HealthReport{.health = Health::ok, .target_revision = 1, .reason = ""};
  settle(good);
  run_ready();
  EXPECT_EQ(action(id)->health, Health::ok);
}

}  // namespace
}  // namespace grapnel::contract
