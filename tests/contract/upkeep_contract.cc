// Upkeep: slow work in steps that a crash may cut anywhere; retention that deletes no open work.
#include <gmock/gmock.h>

#include "contract/store_contract.h"

namespace grapnel::contract {
namespace {

using namespace model;
using model::errc;
using std::chrono::days;
using std::chrono::hours;
using Kind = Settlement::Kind;

constexpr RetentionPolicy kAtOnce{.finished = Millis{0}, .dead = Millis{0}};
/// More rows than one step of any store should take together with one restart between steps.
constexpr int kManyRows = 80;

// --- bury

TEST_P(UpkeepContract, BuryEndsWhatWaitsForAGoneAction) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  const DeliveryId pending = deliver_new(source);
  const DeliveryId retrying = delivery_in(source, id, DeliveryState::retrying);
  const DeliveryId running = delivery_in(source, id, DeliveryState::running);
  make_gone(source, id);
  until_done([&] { return upkeep().bury(id); });
  for (const DeliveryId each : {pending, retrying}) {
    EXPECT_EQ(delivery(each).state, DeliveryState::dead);
    EXPECT_EQ(delivery(each).reason, EndReason::endpoint_gone);
  }
  EXPECT_EQ(delivery(running).state, DeliveryState::running);
  EXPECT_EQ(book().open_work(id).count(), 1);
}

TEST_P(UpkeepContract, BuryTouchesNothingWhileHealthIsNotGone) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  const DeliveryId made = deliver_new(source);
  EXPECT_EQ(must(upkeep().bury(id)), StepResult::done);
  EXPECT_EQ(must(upkeep().bury(make_id<ActionId>())), StepResult::done);
  EXPECT_EQ(delivery(made).state, DeliveryState::pending);
}

TEST_P(UpkeepContract, BuryGoesOnAfterACrashBetweenItsSteps) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  std::vector<EventDraft> drafts;
  for (int i = 0; i < kManyRows; ++i) drafts.push_back(draft(source));
  append_all(std::move(drafts));
  make_gone(source, id);
  must(upkeep().bury(id));
  reopen();
  until_done([&] { return upkeep().bury(id); });
  EXPECT_EQ(book().open_work(id).count(), 0);
  EXPECT_EQ(must(catalog().count_dead({}, {.reason = EndReason::endpoint_gone})), kManyRows + 1);
}

TEST_P(UpkeepContract, BuryReachesWhatWaitsForAnOrderingKey) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  for (int i = 0; i < 3; ++i) deliver_new(source, "k");
  make_gone(source, id);
  until_done([&] { return upkeep().bury(id); });
  EXPECT_EQ(book().open_work(id).count(), 0);
}

// --- deletions

TEST_P(UpkeepContract, DeletedActionsWorkIsCancelledAndItsDefinitionRemoved) {
  const SourceId source = add_source("demo");
  const ActionId gone = add_action(source, "gone");
  const DeliveryId pending = deliver_new(source);
  const DeliveryId retrying = delivery_in(source, gone, DeliveryState::retrying);
  const DeliveryId done = delivery_in(source, gone, DeliveryState::delivered);
  const ActionId kept = add_action(source, "kept");
  change_action(gone, [](Action& a) { a.deleting = true; });
  until_done([&] { return upkeep().finish_deletions(); });
  for (const DeliveryId each : {pending, retrying}) {
    EXPECT_EQ(delivery(each).state, DeliveryState::cancelled);
    EXPECT_EQ(delivery(each).reason, EndReason::definition_deleted);
  }
  EXPECT_EQ(delivery(done).state, DeliveryState::delivered);
  EXPECT_EQ(action(gone), nullptr);
  EXPECT_NE(action(kept), nullptr);
  reopen();
  EXPECT_EQ(action(gone), nullptr);
  EXPECT_EQ(delivery(done).action, gone) << "history stays";
}

TEST_P(UpkeepContract, RunningDeliveryOfADeletedActionEndsFirst) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  deliver_new(source);
  const Lease delivered = lease(id);
  deliver_new(source);
  const Lease failed = lease(id);
  change_action(id, [](Action& a) { a.deleting = true; });
  until_done([&] { return upkeep().finish_deletions(); });
  EXPECT_NE(action(id), nullptr) << "attempts are in flight";
  EXPECT_EQ(settle(delivered, Kind::delivered), DeliveryState::delivered);
  EXPECT_EQ(settle(failed, Kind::retry), DeliveryState::cancelled);
  EXPECT_EQ(delivery(failed.delivery.id).reason, EndReason::definition_deleted);
  until_done([&] { return upkeep().finish_deletions(); });
  EXPECT_EQ(action(id), nullptr);
}

TEST_P(UpkeepContract, DeletedSourceTakesItsActionsAndHeldEventsWithIt) {
  const SourceId source = add_source("demo", SourceMode::paused);
  const ActionId id = add_action(source, "one");
  const Seq held = append(draft(source)).seq;
  const SourceId other = add_source("other");
  change_source(source, [](Source& s) { s.deleting = true; });
  SnapshotPtr seen;
  registry().watch([&](SnapshotPtr snapshot) { seen = std::move(snapshot); });
  until_done([&] { return upkeep().finish_deletions(); });
  run_ready();
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->find_source(source), nullptr);
  EXPECT_EQ(seen->find_action(id), nullptr);
  EXPECT_NE(seen->find_source(other), nullptr);
  EXPECT_EQ(read(held).fanout, FanoutState::cancelled);
  EXPECT_EQ(log().held_work(source).count, 0);
}

TEST_P(UpkeepContract, DeletionGoesOnAfterACrashBetweenItsSteps) {
  const SourceId source = add_source("demo");
  const ActionId one = add_action(source, "one");
  const ActionId two = add_action(source, "two");
  std::vector<EventDraft> drafts;
  for (int i = 0; i < kManyRows; ++i) drafts.push_back(draft(source));
  append_all(std::move(drafts));
  lease_batch(one, 3);
  change_source(source, [](Source& s) { s.deleting = true; });
  for (int i = 0; i < 3; ++i) {
    must(upkeep().finish_deletions());
    reopen();  // what ran is an unknown, and cancelled by the wish or by the next steps
  }
  until_done([&] { return upkeep().finish_deletions(); });
  EXPECT_EQ(registry().snapshot()->find_source(source), nullptr);
  EXPECT_EQ(book().open_work(one).count(), 0);
  EXPECT_EQ(book().open_work(two).count(), 0);
  for (const Delivery& d : all_deliveries({.limit = kPageMax})) {
    ASSERT_EQ(d.state, DeliveryState::cancelled);
    ASSERT_EQ(d.reason, EndReason::definition_deleted);
  }
}

TEST_P(UpkeepContract, NothingToDeleteIsDoneAtOnce) {
  add_action(add_source("demo"), "one");
  EXPECT_EQ(must(upkeep().finish_deletions()), StepResult::done);
}

// --- retention

TEST_P(UpkeepContract, EventIsKeptForItsPeriodAfterItsLastDeliveryEnded) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  const Appended event = append(draft(source));
  pass(days{20});
  finish(id, Kind::delivered);
  pass(days{30} - Millis{1});
  EXPECT_EQ(sweep_all({}), 0);
  EXPECT_EQ(read(event.seq).id, event.event);
  pass(days{1});
  EXPECT_EQ(sweep_all({}), 1);
  EXPECT_EQ(must(catalog().event(event.event, Catalog::WithBody::no)), std::nullopt);
  EXPECT_EQ(must(catalog().delivery(event.deliveries.at(0).id)), std::nullopt);
  EXPECT_TRUE(must(catalog().attempts(event.deliveries[0].seq)).empty());
}

TEST_P(UpkeepContract, HeldEventIsKeptForItsPeriodAfterItWasRecorded) {
  const SourceId source = add_source("demo", SourceMode::paused);
  append(draft(source));
  pass(days{40});
  change_source(source, [](Source& s) { s.mode = SourceMode::record; });
  until_done([&] { return upkeep().record_held(source); });
  EXPECT_EQ(sweep_all({}), 0) << "it finished just now";
  pass(days{31});
  EXPECT_EQ(sweep_all({}), 1);
}

TEST_P(UpkeepContract, ReleasedEventIsKeptForItsPeriodThoughNothingMatchedIt) {
  const SourceId source = add_source("demo", SourceMode::paused);
  const Appended event = append(draft(source));
  pass(days{40});
  change_source(source, [](Source& s) { s.mode = SourceMode::active; });
  must(log().fan_out({{.event = event.seq, .plan = plan(source)}}));
  EXPECT_EQ(sweep_all({}), 0) << "it finished just now";
  pass(days{31});
  EXPECT_EQ(sweep_all({}), 1);
}

TEST_P(UpkeepContract, DeadLettersHaveAPeriodOfTheirOwn) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  const DeliveryId dead = delivery_in(source, id, DeliveryState::dead);
  const DeliveryId done = delivery_in(source, id, DeliveryState::delivered);
  const RetentionPolicy policy{.finished = days{1}, .dead = days{10}};
  pass(days{3});
  EXPECT_EQ(sweep_all(policy), 1);
  EXPECT_EQ(must(catalog().delivery(done)), std::nullopt);
  EXPECT_TRUE(must(catalog().delivery(dead)));
  pass(days{8});
  EXPECT_EQ(sweep_all(policy), 1);
  EXPECT_EQ(must(catalog().delivery(dead)), std::nullopt);
  EXPECT_TRUE(dead_letters().empty());
  EXPECT_EQ(must(catalog().count_dead({}, {})), 0);
}

TEST_P(UpkeepContract, ReplayedDeadLetterFallsUnderTheOrdinaryPeriod) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  ASSERT_TRUE(replay(delivery_in(source, id, DeliveryState::dead)));
  finish(id, Kind::delivered);
  pass(days{3});
  EXPECT_EQ(sweep_all({.finished = days{1}, .dead = days{10}}), 1);
}

TEST_P(UpkeepContract, OpenWorkIsNeverSwept) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  const ActionId two = add_action(source, "two", [](Action& a) { a.event_types = {"other"}; });
  static_cast<void>(two);
  std::vector<DeliveryId> open;
  for (const DeliveryState state :
       {DeliveryState::pending, DeliveryState::running, DeliveryState::retrying}) {
    open.push_back(delivery_in(source, id, state));
  }
  const DeliveryId done = delivery_in(source, id, DeliveryState::delivered);
  const SourceId paused = add_source("paused", SourceMode::paused);
  const Appended held = append(draft(paused));
  pass(days{400});
  EXPECT_EQ(sweep_all(kAtOnce), 1) << "the one that is finished, behind those that are not";
  EXPECT_EQ(must(catalog().delivery(done)), std::nullopt);
  for (const DeliveryId each : open) EXPECT_TRUE(must(catalog().delivery(each)));
  EXPECT_EQ(read(held.seq).id, held.event);
}

TEST_P(UpkeepContract, OneOpenDeliveryKeepsItsWholeEvent) {
  const SourceId source = add_source("demo");
  const ActionId one = add_action(source, "one");
  const ActionId two = add_action(source, "two");
  const Appended event = append(draft(source));
  finish(one, Kind::delivered);
  pass(days{400});
  EXPECT_EQ(sweep_all(kAtOnce), 0);
  EXPECT_EQ(all_deliveries({.event = event.seq}).size(), 2U);
  finish(two, Kind::delivered);
  pass(hours{1});
  EXPECT_EQ(sweep_all(kAtOnce), 1);
}

TEST_P(UpkeepContract, ReplayIsOpenWorkOfItsEvent) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  const auto again = replay(delivery_in(source, id, DeliveryState::dead));
  ASSERT_TRUE(again);
  pass(days{400});
  EXPECT_EQ(sweep_all(kAtOnce), 0);
  EXPECT_EQ(read(again->event_seq).id, again->event);
}

TEST_P(UpkeepContract, WhatAJobStillCoversIsNotSwept) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  for (int i = 0; i < 3; ++i) delivery_in(source, id, DeliveryState::dead);
  const JobId job = make_id<JobId>();
  must(book().start_job({.id = job, .filter = {.action = id}}));
  const DeliveryId later = delivery_in(source, id, DeliveryState::dead);
  pass(days{400});
  EXPECT_EQ(sweep_all(kAtOnce), 1) << "what died after the job began";
  EXPECT_EQ(must(catalog().delivery(later)), std::nullopt);
  EXPECT_EQ(dead_letters().size(), 3U);
  reopen();
  EXPECT_EQ(sweep_all(kAtOnce), 0);
  must(book().cancel_job(job));
  EXPECT_EQ(sweep_all(kAtOnce), 3);
}

TEST_P(UpkeepContract, WhatAJobPassedOverIsNoLongerCovered) {
  const SourceId source = add_source("demo");
  const SourceId other = add_source("other");
  const ActionId id = add_action(source, "one");
  const ActionId kept = add_action(other, "kept");
  const DeliveryId skipped = delivery_in(source, id, DeliveryState::dead);
  const DeliveryId covered = delivery_in(other, kept, DeliveryState::dead);
  const JobId job = make_id<JobId>();
  must(book().start_job({.id = job}));
  change_action(id, [](Action& a) { a.deleting = true; });
  for (int i = 0; i < 2; ++i) {
    const ReplayJob after = must(book().step_job(job, {make_id<DeliveryId>()}));
    if (after.skipped + after.replayed == 2) return;  // it steps over both at once
    if (after.skipped == 1) break;
  }
  pass(days{400});
  EXPECT_EQ(sweep_all(kAtOnce), 1);
  EXPECT_EQ(must(catalog().delivery(skipped)), std::nullopt);
  EXPECT_TRUE(must(catalog().delivery(covered)));
}

TEST_P(UpkeepContract, BlockingDeadLetterIsNotSweptUntilItIsSkipped) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one", [](Action& a) { a.on_dead = OnDead::block; });
  const DeliveryId blocking = deliver_new(source, "k");
  finish(id, Kind::dead);
  pass(days{400});
  EXPECT_EQ(sweep_all(kAtOnce), 0);
  must(book().skip(blocking));
  EXPECT_EQ(sweep_all(kAtOnce), 1);
}

TEST_P(UpkeepContract, SweepRunsOverManyStepsAndRestarts) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  std::vector<EventDraft> drafts;
  for (int i = 0; i < kManyRows; ++i) drafts.push_back(draft(source));
  append_all(std::move(drafts));
  for (int i = 0; i < kManyRows / 2; ++i) settle(lease_batch(id, 1).leases.at(0), Kind::delivered);
  pass(days{1});
  std::int64_t swept = must(upkeep().sweep(kAtOnce)).events;
  reopen();
  swept += sweep_all(kAtOnce);
  EXPECT_EQ(swept, kManyRows / 2);
  EXPECT_EQ(all_deliveries({.limit = kPageMax}).size(), static_cast<std::size_t>(kManyRows / 2));
  EXPECT_EQ(book().open_work(id).count(), kManyRows / 2);
}

// --- held events, backup, health

TEST_P(UpkeepContract, PausedToRecordLeavesWhatIsHeldRecorded) {
  const SourceId source = add_source("demo", SourceMode::paused);
  const SourceId other = add_source("other", SourceMode::paused);
  std::vector<EventDraft> drafts;
  for (int i = 0; i < kManyRows; ++i) drafts.push_back(draft(source));
  append_all(std::move(drafts));
  append(draft(other));
  change_source(source, [](Source& s) { s.mode = SourceMode::record; });
  must(upkeep().record_held(source));
  reopen();
  until_done([&] { return upkeep().record_held(source); });
  EXPECT_EQ(log().held_work(source).count, 0);
  EXPECT_EQ(log().held_work(source).bytes, 0);
  EXPECT_EQ(log().held_work(other).count, 1);
  EXPECT_TRUE(must(log().held(source, 10)).empty());
  const auto held = must(catalog().events({.fanout = FanoutState::held})).items;
  ASSERT_EQ(held.size(), 1U);
  EXPECT_EQ(held[0].source, other);
}

TEST_P(UpkeepContract, BackupIsMadeBesideOpenWorkAndNeverOverAnother) {
  const SourceId source = add_source("demo");
  add_action(source, "one");
  append(draft(source));
  const std::string folder = store_->backup_folder();
  must(upkeep().backup(folder));
  append(draft(source));
  EXPECT_FALSE(run(upkeep().backup(folder)));
}

TEST_P(UpkeepContract, HealthIsWritableAndTheEpochCountsStarts) {
  const StoreHealth first = upkeep().health();
  EXPECT_TRUE(first.writable);
  EXPECT_EQ(first.reason, "");
  reopen();
  EXPECT_GT(upkeep().health().epoch, first.epoch);
}

TEST_P(UpkeepContract, StoreTimeNeverGoesBackOverARestart) {
  append(draft(add_source("demo")));
  pass(hours{5});
  append(draft(registry().snapshot()->slugs.at("demo")));
  const Time before = now();
  store_->clock().jump_wall(-days{30});
  EXPECT_EQ(now(), before) << "a jump of the wall clock changes nothing";
  reopen();
  EXPECT_GE(now(), before);
}

}  // namespace
}  // namespace grapnel::contract
