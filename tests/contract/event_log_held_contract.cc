// EventLog: held events, their release, and running a fan-out again.
#include <gmock/gmock.h>

#include "contract/store_contract.h"

namespace grapnel::contract {
namespace {

using namespace model;
using model::errc;

std::vector<EventId> ids_of(const std::vector<EventPtr>& events) {
  std::vector<EventId> out;
  for (const EventPtr& event : events) out.push_back(event->id);
  return out;
}

FanoutDraft first_run(Seq event, FanoutPlan plan) {
  return {.event = event, .run = FanoutDraft::Run::first, .plan = std::move(plan)};
}
FanoutDraft run_again(Seq event, FanoutPlan plan) {
  return {.event = event, .run = FanoutDraft::Run::again, .plan = std::move(plan)};
}

TEST_P(EventLogContract, PausedSourceHoldsInSeqOrderWithoutBodies) {
  const SourceId source = add_source("demo", SourceMode::paused);
  const ActionId id = add_action(source, "one");
  std::vector<EventId> made;
  for (int i = 0; i < 4; ++i) {
    const Appended got = append(draft(source));
    EXPECT_EQ(got.admission, Admission::held);
    EXPECT_TRUE(got.deliveries.empty());
    EXPECT_EQ(read(got.seq).fanout, FanoutState::held);
    made.push_back(got.event);
  }
  const auto held = must(log().held(source, 100));
  EXPECT_EQ(ids_of(held), made);
  for (const EventPtr& event : held) EXPECT_TRUE(event->body.empty());
  EXPECT_EQ(ids_of(must(log().held(source, 2))), (std::vector{made[0], made[1]}));
  EXPECT_EQ(book().open_work(id).count(), 0);
}

TEST_P(EventLogContract, HeldWorkIsCountedPerSourceOverReleaseAndRestart) {
  const SourceId source = add_source("demo", SourceMode::paused);
  const SourceId other = add_source("other", SourceMode::paused);
  EventDraft one = draft(source);
  EventDraft two = draft(source);
  set_body(one, std::string(100, 'a'));
  set_body(two, std::string(11, 'b'));
  const Seq first = append(std::move(one)).seq;
  append(std::move(two));
  EXPECT_EQ(log().held_work(source).count, 2);
  EXPECT_EQ(log().held_work(source).bytes, 111);
  EXPECT_EQ(log().held_work(other).count, 0);
  reopen();
  EXPECT_EQ(log().held_work(source).count, 2);
  EXPECT_EQ(log().held_work(source).bytes, 111);
  change_source(source, [](Source& s) { s.mode = SourceMode::active; });
  must(log().fan_out({first_run(first, plan(source))}));
  EXPECT_EQ(log().held_work(source).count, 1);
  EXPECT_EQ(log().held_work(source).bytes, 11);
}

TEST_P(EventLogContract, NewEventsJoinTheEndWhileSomethingIsHeld) {
  const SourceId source = add_source("demo", SourceMode::paused);
  const ActionId id = add_action(source, "one");
  const Appended held = append(draft(source));
  change_source(source, [](Source& s) { s.mode = SourceMode::active; });
  const Appended joined = append(draft(source, Birth::leased));
  EXPECT_EQ(joined.admission, Admission::held);
  EXPECT_TRUE(joined.deliveries.empty());
  EXPECT_EQ(book().open_work(id).count(), 0);
  EXPECT_EQ(ids_of(must(log().held(source, 10))), (std::vector{held.event, joined.event}));
  must(log().fan_out({first_run(held.seq, plan(source)), first_run(joined.seq, plan(source))}));
  EXPECT_EQ(append(draft(source)).admission, Admission::accepted);
}

TEST_P(EventLogContract, HeldEventsOfOneSourceHoldNoOther) {
  append(draft(add_source("demo", SourceMode::paused)));
  EXPECT_EQ(append(draft(add_source("other"))).admission, Admission::accepted);
}

TEST_P(EventLogContract, ReleaseMakesDeliveriesInSeqOrderOnce) {
  const SourceId source = add_source("demo", SourceMode::paused);
  const ActionId id = add_action(source, "one");
  std::vector<FanoutDraft> release;
  std::vector<Appended> held;
  for (int i = 0; i < 3; ++i) held.push_back(append(draft(source)));
  change_source(source, [](Source& s) { s.mode = SourceMode::active; });
  for (const Appended& one : held) release.push_back(first_run(one.seq, plan(source)));
  const auto got = must(log().fan_out(release));
  ASSERT_EQ(got.size(), 3U);
  Seq last = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_EQ(got[i].admission, Admission::accepted);
    EXPECT_EQ(got[i].event, held[i].event);
    ASSERT_EQ(got[i].deliveries.size(), 1U);
    EXPECT_GT(got[i].deliveries[0].seq, last);
    last = got[i].deliveries[0].seq;
    EXPECT_EQ(delivery(got[i].deliveries[0].id).run, 1);
    EXPECT_EQ(read(got[i].seq).fanout, FanoutState::done);
  }
  const auto again = must(log().fan_out({first_run(held[0].seq, plan(source))}));
  EXPECT_EQ(again.at(0).admission, Admission::duplicate);
  EXPECT_TRUE(again[0].deliveries.empty());
  EXPECT_EQ(book().open_work(id).pending, 3);
}

TEST_P(EventLogContract, SameReleaseTwiceInOneBatchHappensOnce) {
  const SourceId source = add_source("demo", SourceMode::paused);
  const ActionId id = add_action(source, "one");
  const Seq seq = append(draft(source)).seq;
  change_source(source, [](Source& s) { s.mode = SourceMode::active; });
  const auto got =
      must(log().fan_out({first_run(seq, plan(source)), first_run(seq, plan(source))}));
  EXPECT_EQ(got.at(0).admission, Admission::accepted);
  EXPECT_EQ(got.at(1).admission, Admission::duplicate);
  EXPECT_EQ(book().open_work(id).count(), 1);
}

TEST_P(EventLogContract, ReleaseWithAStalePlanLeavesItHeld) {
  const SourceId source = add_source("demo", SourceMode::paused);
  const Seq seq = append(draft(source)).seq;
  change_source(source, [](Source& s) { s.mode = SourceMode::active; });
  const FanoutPlan stale = plan(source);
  add_action(source, "one");
  EXPECT_EQ(must(log().fan_out({first_run(seq, stale)})).at(0).admission, Admission::stale_plan);
  EXPECT_EQ(log().held_work(source).count, 1);
  EXPECT_EQ(must(log().fan_out({first_run(seq, plan(source))})).at(0).deliveries.size(), 1U);
}

TEST_P(EventLogContract, ReleaseIntoARecordingSourceRecords) {
  const SourceId source = add_source("demo", SourceMode::paused);
  add_action(source, "one");
  const Seq seq = append(draft(source)).seq;
  change_source(source, [](Source& s) { s.mode = SourceMode::record; });
  EXPECT_EQ(must(log().fan_out({first_run(seq, plan(source))})).at(0).admission,
            Admission::recorded);
  EXPECT_EQ(read(seq).fanout, FanoutState::recorded);
  EXPECT_EQ(log().held_work(source).count, 0);
  EXPECT_TRUE(all_deliveries().empty());
}

TEST_P(EventLogContract, HeldEventsSurviveARestartInOrder) {
  const SourceId source = add_source("demo", SourceMode::paused);
  std::vector<EventId> made;
  for (int i = 0; i < 3; ++i) made.push_back(append(draft(source)).event);
  reopen();
  EXPECT_EQ(ids_of(must(log().held(source, 10))), made);
}

// --- runs

TEST_P(EventLogContract, EachReplayOfAnEventIsARunOfItsOwn) {
  const SourceId source = add_source("demo");
  add_action(source, "one");
  const Appended event = append(draft(source));
  for (int run = 2; run <= 4; ++run) {
    const Appended again = must(log().fan_out({run_again(event.seq, plan(source))})).at(0);
    EXPECT_EQ(again.admission, Admission::accepted);
    EXPECT_EQ(again.seq, event.seq);
    EXPECT_EQ(delivery(again.deliveries.at(0).id).run, run);
    EXPECT_EQ(read(event.seq).run, run);
    if (run == 3) reopen();
  }
  EXPECT_EQ(delivery(event.deliveries[0].id).run, 1);
  EXPECT_EQ(all_deliveries({.event = event.seq}).size(), 4U);
}

TEST_P(EventLogContract, RunUsesTheActionsOfToday) {
  const SourceId source = add_source("demo");
  const Appended event = append(draft(source));
  EXPECT_TRUE(event.deliveries.empty());
  const ActionId id = add_action(source, "late");
  const Appended again = must(log().fan_out({run_again(event.seq, plan(source))})).at(0);
  EXPECT_EQ(delivery(again.deliveries.at(0).id).action, id);
}

TEST_P(EventLogContract, RecordedEventCanBeRunLater) {
  const SourceId source = add_source("demo", SourceMode::record);
  add_action(source, "one");
  const Appended event = append(draft(source));
  change_source(source, [](Source& s) { s.mode = SourceMode::active; });
  const Appended again = must(log().fan_out({run_again(event.seq, plan(source))})).at(0);
  EXPECT_EQ(again.admission, Admission::accepted);
  EXPECT_EQ(again.deliveries.size(), 1U);
  EXPECT_EQ(read(event.seq).fanout, FanoutState::done);
}

TEST_P(EventLogContract, RunWithAStalePlanMakesNothing) {
  const SourceId source = add_source("demo");
  const Appended event = append(draft(source));
  const FanoutPlan stale = plan(source);
  add_action(source, "one");
  EXPECT_EQ(must(log().fan_out({run_again(event.seq, stale)})).at(0).admission,
            Admission::stale_plan);
  EXPECT_EQ(read(event.seq).run, 1);
  EXPECT_TRUE(all_deliveries().empty());
}

TEST_P(EventLogContract, DeletingSourceFansNothingOut) {
  const SourceId source = add_source("demo", SourceMode::paused);
  const Seq held = append(draft(source)).seq;
  change_source(source, [](Source& s) { s.deleting = true; });
  const FanoutPlan fresh = plan(source);
  EXPECT_EQ(must(log().fan_out({first_run(held, fresh)})).at(0).admission, Admission::source_gone);
  EXPECT_TRUE(all_deliveries().empty());
}

TEST_P(EventLogContract, UnknownEventFailsTheCallAndNothingOfItHappens) {
  const SourceId source = add_source("demo");
  add_action(source, "one");
  const Appended event = append(draft(source));
  EXPECT_EQ(error_of(log().fan_out(
                {run_again(event.seq, plan(source)), run_again(event.seq + 1'000, plan(source))})),
            errc::not_found);
  EXPECT_EQ(read(event.seq).run, 1);
  EXPECT_EQ(all_deliveries().size(), 1U);
}

}  // namespace
}  // namespace grapnel::contract
