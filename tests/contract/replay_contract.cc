// DeliveryBook: replays, one by one and as durable jobs.
#include <gmock/gmock.h>

#include "contract/store_contract.h"

namespace grapnel::contract {
namespace {

using namespace model;
using model::errc;
using std::chrono::hours;
using std::chrono::seconds;
using Kind = Settlement::Kind;
using testing::ElementsAre;

// --- one

TEST_P(ReplayContract, ReplayOfADeadDeliveryIsANewOneAndTheDeadLeavesItsList) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  const DeliveryId dead = delivery_in(source, id, DeliveryState::dead);
  pass(seconds{9});
  const auto got = replay(dead);
  ASSERT_TRUE(got) << describe(got.error());
  const Delivery original = delivery(dead);
  EXPECT_EQ(original.state, DeliveryState::dead);
  EXPECT_EQ(original.replayed_by, got->id);
  EXPECT_TRUE(dead_letters().empty());
  for (const Delivery& made : {*got, delivery(got->id)}) {
    EXPECT_EQ(made.state, DeliveryState::pending);
    EXPECT_EQ(made.replay_of, dead);
    EXPECT_EQ(made.event, original.event);
    EXPECT_EQ(made.event_seq, original.event_seq);
    EXPECT_EQ(made.action, id);
    EXPECT_EQ(made.source, source);
    EXPECT_EQ(made.run, original.run);
    EXPECT_EQ(made.created, now());
    EXPECT_EQ(made.attempts, 0);
    EXPECT_EQ(made.tries_used, 0);
    EXPECT_GT(made.seq, original.seq);
  }
  EXPECT_EQ(finish(id, Kind::delivered), got->id);
}

TEST_P(ReplayContract, DeliveredAndCancelledOnesCanBeReplayedAgainAndAgain) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  for (const DeliveryState state : {DeliveryState::delivered, DeliveryState::cancelled}) {
    const DeliveryId made = delivery_in(source, id, state);
    EXPECT_TRUE(replay(made));
    EXPECT_TRUE(replay(made));
    EXPECT_EQ(delivery(made).state, state);
  }
  EXPECT_EQ(lease_ids(id).size(), 4U);
}

TEST_P(ReplayContract, DeadReplayIsADeadLetterThatCanBeReplayed) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  const DeliveryId dead = delivery_in(source, id, DeliveryState::dead);
  const auto again = replay(dead);
  ASSERT_TRUE(again);
  finish(id, Kind::dead);
  EXPECT_EQ(dead_letters(), std::vector{again->id});
  const auto third = replay(again->id);
  ASSERT_TRUE(third);
  EXPECT_EQ(third->replay_of, again->id);
}

TEST_P(ReplayContract, DeadDeliveryIsReplayedOnce) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  const DeliveryId dead = delivery_in(source, id, DeliveryState::dead);
  const auto got =
      must(book().replay({{dead, make_id<DeliveryId>()}, {dead, make_id<DeliveryId>()}}));
  EXPECT_TRUE(got.at(0));
  ASSERT_FALSE(got.at(1));
  EXPECT_EQ(got[1].error().code, errc::already_replayed);
  reopen();
  const auto later = replay(dead);
  ASSERT_FALSE(later);
  EXPECT_EQ(later.error().code, errc::already_replayed);
  EXPECT_EQ(all_deliveries().size(), 2U);
}

TEST_P(ReplayContract, OpenDeliveryCannotBeReplayed) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  for (const DeliveryState state :
       {DeliveryState::pending, DeliveryState::running, DeliveryState::retrying}) {
    const auto got = replay(delivery_in(source, id, state));
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, errc::not_terminal);
  }
}

TEST_P(ReplayContract, UnknownDeliveryIsNotFoundAndHurtsNoOther) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  const DeliveryId dead = delivery_in(source, id, DeliveryState::dead);
  const auto got = must(book().replay(
      {{make_id<DeliveryId>(), make_id<DeliveryId>()}, {dead, make_id<DeliveryId>()}}));
  ASSERT_FALSE(got.at(0));
  EXPECT_EQ(got[0].error().code, errc::not_found);
  EXPECT_TRUE(got.at(1));
}

TEST_P(ReplayContract, ActionThatIsDeletingOrRemovedTakesNoReplay) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  const DeliveryId dead = delivery_in(source, id, DeliveryState::dead);
  change_action(id, [](Action& a) { a.deleting = true; });
  const auto deleting = replay(dead);
  ASSERT_FALSE(deleting);
  EXPECT_EQ(deleting.error().code, errc::action_deleted);
  until_done([&] { return upkeep().finish_deletions(); });
  const auto removed = replay(dead);
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().code, errc::action_deleted);
  EXPECT_EQ(dead_letters(), std::vector{dead});
}

TEST_P(ReplayContract, GoneActionRefusesReplaysUntilItsNewTarget) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  const DeliveryId dead = delivery_in(source, id, DeliveryState::dead);
  make_gone(source, id);
  const auto refused = replay(dead);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::endpoint_gone);
  change_action(id, [](Action& a) {
    a.target_revision = 2;
    a.health = Health::ok;
  });
  EXPECT_TRUE(replay(dead));
}

TEST_P(ReplayContract, RetainedAwayDeliveryCannotBeReplayed) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  const DeliveryId dead = delivery_in(source, id, DeliveryState::dead);
  pass(hours{1});
  ASSERT_EQ(sweep_all({.finished = Millis{0}, .dead = Millis{0}}), 1);
  const auto got = replay(dead);
  ASSERT_FALSE(got);
  EXPECT_TRUE(got.error().code == errc::not_found || got.error().code == errc::body_gone);
}

// --- jobs

std::vector<DeliveryId> fresh_ids(int count, const std::function<DeliveryId()>& make) {
  std::vector<DeliveryId> out;
  for (int i = 0; i < count; ++i) out.push_back(make());
  return out;
}

TEST_P(ReplayContract, JobReplaysAllThatMatchedInBoundedSteps) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  for (int i = 0; i < 7; ++i) delivery_in(source, id, DeliveryState::dead);
  delivery_in(source, id, DeliveryState::delivered);
  const auto make = [&] { return make_id<DeliveryId>(); };
  const JobId job_id = make_id<JobId>();
  ReplayJob job = must(book().start_job({.id = job_id, .per_second = 2.5}));
  EXPECT_EQ(job.state, JobState::running);
  EXPECT_EQ(job.matched, 7);
  EXPECT_EQ(job.replayed, 0);
  EXPECT_EQ(job.created, now());
  EXPECT_EQ(job.per_second, 2.5);
  EXPECT_GT(job.ceiling, 0);
  job = must(book().step_job(job_id, fresh_ids(3, make)));
  EXPECT_EQ(job.replayed, 3);
  EXPECT_EQ(job.state, JobState::running);
  EXPECT_EQ(book().open_work(id).pending, 3);
  for (int i = 0; i < 3; ++i) job = must(book().step_job(job_id, fresh_ids(3, make)));
  EXPECT_EQ(job.state, JobState::done);
  EXPECT_EQ(job.replayed, 7);
  EXPECT_EQ(job.skipped, 0);
  EXPECT_NE(job.ended, std::nullopt);
  EXPECT_EQ(book().open_work(id).pending, 7);
  EXPECT_TRUE(dead_letters().empty());
}

TEST_P(ReplayContract, JobTakesTheIdsItIsGivenOldestDeadFirst) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  const DeliveryId first = delivery_in(source, id, DeliveryState::dead);
  const DeliveryId second = delivery_in(source, id, DeliveryState::dead);
  const JobId job = make_id<JobId>();
  must(book().start_job({.id = job}));
  const std::vector ids{make_id<DeliveryId>(), make_id<DeliveryId>()};
  must(book().step_job(job, ids));
  EXPECT_EQ(delivery(ids[0]).replay_of, first);
  EXPECT_EQ(delivery(ids[1]).replay_of, second);
  EXPECT_EQ(delivery(first).replayed_by, ids[0]);
}

TEST_P(ReplayContract, JobDoesNotFeedOnWhatDiesAfterItsStart) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  for (int i = 0; i < 3; ++i) delivery_in(source, id, DeliveryState::dead);
  const JobId job_id = make_id<JobId>();
  must(book().start_job({.id = job_id}));
  const DeliveryId later = delivery_in(source, id, DeliveryState::dead);
  std::int64_t replayed = 0;
  for (int i = 0; i < 10; ++i) {
    const ReplayJob job = must(book().step_job(job_id, {make_id<DeliveryId>()}));
    replayed = job.replayed;
    for (const Lease& lease : lease_batch(id, 9).leases) settle(lease, Kind::dead);
  }
  EXPECT_EQ(replayed, 3);
  EXPECT_EQ(delivery(later).replayed_by, std::nullopt);
  EXPECT_EQ(dead_letters().size(), 4U);
}

TEST_P(ReplayContract, JobGoesOnAfterARestartWhereItsLastStepWasDurable) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  for (int i = 0; i < 5; ++i) delivery_in(source, id, DeliveryState::dead);
  const auto make = [&] { return make_id<DeliveryId>(); };
  const JobId job_id = make_id<JobId>();
  must(book().start_job({.id = job_id, .filter = {.action = id}}));
  must(book().step_job(job_id, fresh_ids(2, make)));
  reopen();
  const auto jobs = must(book().jobs());
  ASSERT_EQ(jobs.size(), 1U);
  EXPECT_EQ(jobs[0].id, job_id);
  EXPECT_EQ(jobs[0].state, JobState::running);
  EXPECT_EQ(jobs[0].replayed, 2);
  EXPECT_EQ(jobs[0].matched, 5);
  EXPECT_EQ(jobs[0].filter.action, id);
  ReplayJob job = jobs[0];
  for (int i = 0; i < 5 && job.state == JobState::running; ++i) {
    job = must(book().step_job(job_id, fresh_ids(2, make)));
  }
  EXPECT_EQ(job.state, JobState::done);
  EXPECT_EQ(job.replayed, 5);
  EXPECT_EQ(book().open_work(id).pending, 5);
}

TEST_P(ReplayContract, JobCoversItsFilterAlone) {
  const SourceId source = add_source("demo");
  const SourceId other = add_source("other");
  const ActionId one = add_action(source, "one");
  const ActionId two = add_action(other, "two");
  const DeliveryId early = delivery_in(source, one, DeliveryState::dead);
  pass(hours{1});
  const Time from = now();
  const DeliveryId wanted = delivery_in(source, one, DeliveryState::dead);
  EventDraft full = draft(source, Birth::dead);
  full.plan.deliveries[0].reason = EndReason::backlog_full;
  const DeliveryId for_another_reason = append(std::move(full)).deliveries.at(0).id;
  const DeliveryId foreign = delivery_in(other, two, DeliveryState::dead);
  pass(hours{1});
  const Time to = now();
  const DeliveryId late = delivery_in(source, one, DeliveryState::dead);

  const JobId job_id = make_id<JobId>();
  ReplayJob job = must(book().start_job({.id = job_id,
                                         .filter = {.source = source,
                                                    .action = one,
                                                    .reason = EndReason::final_failure,
                                                    .ended_from = from,
                                                    .ended_to = to}}));
  EXPECT_EQ(job.matched, 1);
  job = must(book().step_job(job_id, fresh_ids(9, [&] { return make_id<DeliveryId>(); })));
  EXPECT_EQ(job.state, JobState::done);
  EXPECT_EQ(job.replayed, 1);
  EXPECT_NE(delivery(wanted).replayed_by, std::nullopt);
  for (const DeliveryId not_wanted : {early, for_another_reason, foreign, late}) {
    EXPECT_EQ(delivery(not_wanted).replayed_by, std::nullopt);
  }
}

TEST_P(ReplayContract, JobPassesOverWhatAPersonReplayedMeanwhile) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  const DeliveryId first = delivery_in(source, id, DeliveryState::dead);
  delivery_in(source, id, DeliveryState::dead);
  const JobId job_id = make_id<JobId>();
  must(book().start_job({.id = job_id}));
  ASSERT_TRUE(replay(first));
  const ReplayJob job =
      must(book().step_job(job_id, fresh_ids(9, [&] { return make_id<DeliveryId>(); })));
  EXPECT_EQ(job.state, JobState::done);
  EXPECT_EQ(job.replayed, 1);
  EXPECT_EQ(all_deliveries().size(), 4U);
}

TEST_P(ReplayContract, JobCountsWhatItCannotReplayAsSkippedAndEnds) {
  const SourceId source = add_source("demo");
  const ActionId one = add_action(source, "one");
  for (int i = 0; i < 3; ++i) delivery_in(source, one, DeliveryState::dead);
  const JobId job_id = make_id<JobId>();
  must(book().start_job({.id = job_id}));
  change_action(one, [](Action& a) { a.deleting = true; });
  ReplayJob job{};
  for (int i = 0; i < 10 && job.state == JobState::running; ++i) {
    job = must(book().step_job(job_id, {make_id<DeliveryId>()}));
  }
  EXPECT_EQ(job.state, JobState::done);
  EXPECT_EQ(job.replayed, 0);
  EXPECT_EQ(job.skipped, 3);
  EXPECT_EQ(dead_letters().size(), 3U);
}

TEST_P(ReplayContract, CancelledJobStopsForGood) {
  const SourceId source = add_source("demo");
  const ActionId id = add_action(source, "one");
  for (int i = 0; i < 3; ++i) delivery_in(source, id, DeliveryState::dead);
  const JobId job_id = make_id<JobId>();
  must(book().start_job({.id = job_id}));
  must(book().step_job(job_id, {make_id<DeliveryId>()}));
  EXPECT_EQ(must(book().cancel_job(job_id)).state, JobState::cancelled);
  reopen();
  const ReplayJob job = must(book().step_job(job_id, {make_id<DeliveryId>()}));
  EXPECT_EQ(job.state, JobState::cancelled);
  EXPECT_EQ(job.replayed, 1);
  EXPECT_EQ(dead_letters().size(), 2U);
}

TEST_P(ReplayContract, JobThatIsDoneCannotBeCancelled) {
  const JobId job_id = make_id<JobId>();
  must(book().start_job({.id = job_id}));
  EXPECT_EQ(must(book().step_job(job_id, {make_id<DeliveryId>()})).state, JobState::done);
  EXPECT_EQ(must(book().cancel_job(job_id)).state, JobState::done);
}

TEST_P(ReplayContract, UnknownJobIsNotFound) {
  EXPECT_EQ(error_of(book().step_job(make_id<JobId>(), {})), errc::not_found);
  EXPECT_EQ(error_of(book().cancel_job(make_id<JobId>())), errc::not_found);
  EXPECT_TRUE(must(book().jobs()).empty());
}

}  // namespace
}  // namespace grapnel::contract
