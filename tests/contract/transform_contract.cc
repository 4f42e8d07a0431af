// DeliveryBook and EventLog: a source's transform, and what its delivery brings about.
#include <gmock/gmock.h>

#include "contract/store_contract.h"
#include "crypto/digest.h"
#include "model/transform.h"

namespace grapnel::contract {
namespace {

using namespace model;
using model::errc;
using testing::ElementsAre;

Transformed changed_to(const std::string& body) {
  Transformed out;
  out.type = "changed";
  out.body = body;
  out.body_size = body.size();
  out.body_sha256 = crypto::sha256(body);
  out.set_headers = {{"X-New", "1"}};
  out.removed_headers = {"x-old"};
  return out;
}

TEST_P(TransformContract, ScriptMakesTheSourcesTransformAndItStays) {
  EXPECT_FALSE(action(transform_of(source_)));
  set_script("one");
  const ActionPtr made = action(transform_of(source_));
  ASSERT_TRUE(made);
  EXPECT_EQ(made->type, kTransform);
  EXPECT_EQ(made->on_dead, OnDead::go_on);
  EXPECT_EQ(made->retry.tries(), 3);
  change_source(source_, [](Source& source) { source.script = nullptr; });
  EXPECT_TRUE(action(transform_of(source_)));
  reopen();
  EXPECT_TRUE(action(transform_of(source_)));
}

TEST_P(TransformContract, ScriptSurvivesARestartAndItsVersionsAreKept) {
  set_script("one");
  set_script("two");
  reopen();
  const auto& script = registry().snapshot()->find_source(source_)->source.script;
  ASSERT_TRUE(script);
  EXPECT_EQ(script->body, "two");
  EXPECT_EQ(script->version, 2);
  const auto versions = must(catalog().scripts(source_.bytes));
  ASSERT_EQ(versions.size(), 2U);
  EXPECT_EQ(versions[0].body, "two");
  EXPECT_EQ(versions[1].body, "one");
  EXPECT_EQ(versions[1].version, 1);
}

TEST_P(TransformContract, BlocksWhenAnActionOfTheSourceDoes) {
  set_script("one");
  const ActionId id = add_action(source_, "a", [](Action& a) { a.on_dead = OnDead::block; });
  EXPECT_EQ(action(transform_of(source_))->on_dead, OnDead::block);
  change_action(id, [](Action& a) { a.on_dead = OnDead::go_on; });
  EXPECT_EQ(action(transform_of(source_))->on_dead, OnDead::go_on);
}

TEST_P(TransformContract, EventWaitsUntilItsTransformIsDelivered) {
  const ActionId id = add_action(source_, "a");
  set_script("one");
  const Appended event = append_waiting();
  ASSERT_EQ(event.admission, Admission::accepted);
  ASSERT_NE(event.deliveries.at(0).fence, 0);
  EXPECT_EQ(state_of(event.seq), FanoutState::waiting);
  EXPECT_EQ(book().open_work(id).count(), 0);
  EXPECT_EQ(book().open_work(transform_of(source_)).running, 1);

  const Settled settled = end(lease_of(event.deliveries[0]), passes());
  EXPECT_EQ(settled.state, DeliveryState::delivered);
  ASSERT_EQ(settled.born.size(), 1U);
  ASSERT_EQ(settled.born[0].deliveries.size(), 1U);
  EXPECT_EQ(state_of(event.seq), FanoutState::done);
  EXPECT_EQ(delivery(settled.born[0].deliveries[0].id).action, id);
  EXPECT_EQ(book().open_work(id).pending, 1);
}

TEST_P(TransformContract, ResultIsWhatTheRunSendsAndTheEventStaysAsReceived) {
  const ActionId id = add_action(source_, "a");
  set_script("one");
  const Appended event = append_waiting();
  const std::string received = read(event.seq).body;
  FanoutResult result = passes();
  result.transformed = changed_to("new body");
  const Settled settled = end(lease_of(event.deliveries.at(0)), result);
  reopen();
  const Delivery made = delivery(settled.born.at(0).deliveries.at(0).id);
  EXPECT_EQ(made.event_type, "changed");
  EXPECT_EQ(made.body_size, 8U);
  EXPECT_EQ(book().open_work(id).bytes, 8);
  const Event as_received = read(event.seq);
  EXPECT_EQ(as_received.body, received);
  EXPECT_EQ(as_received.type, "test");
  EXPECT_TRUE(as_received.set_headers.empty());
  const Event sent = **must(log().read({{event.seq, made.run}})).at(0);
  EXPECT_EQ(sent.body, "new body");
  EXPECT_EQ(sent.body_size, 8U);
  EXPECT_EQ(sent.type, "changed");
  EXPECT_EQ(sent.set_headers, (HeaderList{{"X-New", "1"}}));
  EXPECT_THAT(sent.removed_headers, ElementsAre("x-old"));
  // Another run has not been transformed.
  EXPECT_EQ((**must(log().read({{event.seq, made.run + 1}})).at(0)).body, received);
}

TEST_P(TransformContract, LargeResultIsReadFromItsFile) {
  add_action(source_, "a");
  set_script("one");
  const Appended event = append_waiting();
  const auto body = std::make_shared<const std::string>(kBodyInlineBytesMax + 1, 'x');
  Transformed large = changed_to("");
  large.body_size = body->size();
  large.body_sha256 = crypto::sha256(*body);
  large.body_file = must(log().write_body(body));
  FanoutResult result = passes();
  result.transformed = large;
  end(lease_of(event.deliveries.at(0)), result);
  reopen();
  EXPECT_EQ((**must(log().read({{event.seq, 1}})).at(0)).body, *body);
}

TEST_P(TransformContract, DroppedEventIsToldAsDropped) {
  const ActionId id = add_action(source_, "a");
  set_script("one");
  const Appended event = append_waiting();
  const FanoutPlan planned{.revision = real_plan().revision, .state = FanoutState::dropped};
  const Settled settled =
      end(lease_of(event.deliveries.at(0)), {.kind = FanoutResult::Kind::dropped, .plan = planned});
  EXPECT_TRUE(settled.born.empty());
  EXPECT_EQ(state_of(event.seq), FanoutState::dropped);
  EXPECT_EQ(book().open_work(id).count(), 0);
}

TEST_P(TransformContract, SplitsAreEventsOfTheirOwnWithALinkToTheirParent) {
  const ActionId id = add_action(source_, "a");
  set_script("one");
  const Appended event = append_waiting();
  FanoutResult result{.kind = FanoutResult::Kind::split,
                      .plan = {.revision = real_plan().revision}};
  for (int i = 0; i < 3; ++i) {
    EventDraft split = draft(source_);
    split.event.type = "part";
    split.event.set_headers = {{"X-Part", std::to_string(i)}};
    split.plan = real_plan();
    result.splits.push_back(std::move(split));
  }
  const Settled settled = end(lease_of(event.deliveries.at(0)), result);
  ASSERT_EQ(settled.born.size(), 3U);
  reopen();
  EXPECT_EQ(state_of(event.seq), FanoutState::done);
  EXPECT_EQ(book().open_work(id).pending, 3);
  const auto splits = must(catalog().splits(event.event));
  ASSERT_EQ(splits.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(splits[i].id, result.splits[i].event.id);
    EXPECT_EQ(splits[i].parent, event.event);
    EXPECT_EQ(splits[i].type, "part");
    const Event sent = **must(log().read({{splits[i].seq, 1}})).at(0);
    EXPECT_EQ(sent.body, result.splits[i].event.body);
    EXPECT_EQ(sent.set_headers, (HeaderList{{"X-Part", std::to_string(i)}}));
  }
  EXPECT_FALSE(read(event.seq).parent);
}

TEST_P(TransformContract, PlanOfOlderDefinitionsChangesNothing) {
  const ActionId id = add_action(source_, "a");
  set_script("one");
  const Appended event = append_waiting();
  FanoutResult result = passes();
  add_action(source_, "b");
  const Settled stale = end(lease_of(event.deliveries.at(0)), result);
  EXPECT_TRUE(stale.stale_plan);
  EXPECT_EQ(delivery(event.deliveries[0].id).state, DeliveryState::running);
  EXPECT_EQ(state_of(event.seq), FanoutState::waiting);
  EXPECT_EQ(book().open_work(id).count(), 0);
  const Settled settled = end(lease_of(event.deliveries[0]), passes());
  EXPECT_FALSE(settled.stale_plan);
  EXPECT_EQ(settled.born.at(0).deliveries.size(), 2U);
}

TEST_P(TransformContract, StaleLeaseBringsNothingAbout) {
  const ActionId id = add_action(source_, "a");
  set_script("one");
  const Appended event = append_waiting();
  Lease old = lease_of(event.deliveries.at(0));
  reopen();  // the lease of a process that died
  EXPECT_TRUE(end(old, passes()).stale);
  EXPECT_EQ(state_of(event.seq), FanoutState::waiting);
  EXPECT_EQ(book().open_work(id).count(), 0);
  EXPECT_EQ(book().open_work(transform_of(source_)).pending, 1);
  end(lease(transform_of(source_)), passes());
  EXPECT_EQ(state_of(event.seq), FanoutState::done);
}

TEST_P(TransformContract, DeadTransformIsADeadFanoutAndItsReplayIsTheNextRun) {
  const ActionId id = add_action(source_, "a");
  set_script("one");
  const Appended event = append_waiting();
  Settlement dead = settlement(lease_of(event.deliveries.at(0)), Settlement::Kind::dead);
  dead.reason = EndReason::retries_exhausted;
  settle(dead);
  EXPECT_EQ(state_of(event.seq), FanoutState::dead);
  EXPECT_EQ(must(catalog().dead_letters({})).items.size(), 1U);

  const DeliveryId again = make_id<DeliveryId>();
  must(book().replay({{.original = event.deliveries[0].id, .replay = again}}));
  EXPECT_EQ(state_of(event.seq), FanoutState::waiting);
  EXPECT_EQ(read(event.seq).run, 2);
  EXPECT_EQ(delivery(again).run, 2);
  EXPECT_TRUE(must(catalog().dead_letters({})).items.empty());
  // Nobody starts a third while the second is under way.
  FanoutDraft third{
      .event = event.seq, .run = FanoutDraft::Run::again, .plan = waiting_plan(Birth::pending)};
  EXPECT_EQ(must(log().fan_out({third})).at(0).admission, Admission::held);
  const Settled settled = end(lease(transform_of(source_)), passes());
  EXPECT_EQ(delivery(settled.born.at(0).deliveries.at(0).id).run, 2);
  EXPECT_EQ(state_of(event.seq), FanoutState::done);
  EXPECT_EQ(book().open_work(id).pending, 1);
}

TEST_P(TransformContract, EventReplayTakesTheDeadTransformsPlace) {
  add_action(source_, "a", [](Action& a) { a.on_dead = OnDead::block; });
  set_script("one");
  const Appended first = append_waiting(Birth::leased, "k");
  const Appended second = append_waiting(Birth::leased, "k");
  EXPECT_TRUE(second.deliveries.at(0).waits_for_order);
  Settlement dead = settlement(lease_of(first.deliveries.at(0)), Settlement::Kind::dead);
  dead.reason = EndReason::retries_exhausted;
  settle(dead);
  EXPECT_TRUE(lease_ids(transform_of(source_)).empty());  // it blocks its key
  FanoutDraft again{
      .event = first.seq, .run = FanoutDraft::Run::again, .plan = waiting_plan(Birth::pending)};
  EXPECT_EQ(must(log().fan_out({again})).at(0).admission, Admission::accepted);
  EXPECT_TRUE(must(catalog().dead_letters({})).items.empty());
  end(lease(transform_of(source_)), passes());
  EXPECT_EQ(state_of(first.seq), FanoutState::done);
  end(lease(transform_of(source_)), passes());
  EXPECT_EQ(state_of(second.seq), FanoutState::done);
}

TEST_P(TransformContract, ReplayPastAClearedScriptFreesItsKey) {
  add_action(source_, "a", [](Action& a) { a.on_dead = OnDead::block; });
  set_script("one");
  const Appended first = append_waiting(Birth::leased, "k");
  const Appended second = append_waiting(Birth::leased, "k");
  Settlement dead = settlement(lease_of(first.deliveries.at(0)), Settlement::Kind::dead);
  dead.reason = EndReason::retries_exhausted;
  settle(dead);
  EXPECT_TRUE(lease_ids(transform_of(source_)).empty());
  change_source(source_, [](Source& source) { source.script = nullptr; });
  FanoutDraft again{.event = first.seq, .run = FanoutDraft::Run::again, .plan = real_plan()};
  EXPECT_EQ(must(log().fan_out({again})).at(0).admission, Admission::accepted);
  EXPECT_TRUE(must(catalog().dead_letters({})).items.empty());
  EXPECT_EQ(lease(transform_of(source_)).delivery.id, second.deliveries.at(0).id);
}

TEST_P(TransformContract, OnlyTheNewestVersionsOfAScriptAreKept) {
  const int versions = static_cast<int>(kScriptVersionsMax) + 1;
  for (int i = 0; i < versions; ++i) set_script(std::to_string(i));
  const auto kept = must(catalog().scripts(source_.bytes));
  ASSERT_EQ(kept.size(), kScriptVersionsMax);
  EXPECT_EQ(kept.front().version, versions);
  EXPECT_EQ(kept.back().version, 2);
}

TEST_P(TransformContract, FanoutsOfOneKeyRunOneAfterAnother) {
  add_action(source_, "a");
  set_script("one");
  const Appended first = append_waiting(Birth::leased, "k");
  const Appended second = append_waiting(Birth::leased, "k");
  const Appended other = append_waiting(Birth::leased, "other");
  EXPECT_NE(other.deliveries.at(0).fence, 0);
  EXPECT_EQ(second.deliveries.at(0).fence, 0);
  const Settled one = end(lease_of(first.deliveries.at(0)), passes());
  const Settled two = end(lease(transform_of(source_)), passes());
  EXPECT_FALSE(delivery(one.born.at(0).deliveries.at(0).id).waits_for_order);
  EXPECT_TRUE(delivery(two.born.at(0).deliveries.at(0).id).waits_for_order);
}

TEST_P(TransformContract, CancelledTransformIsACancelledFanout) {
  set_script("one");
  const Appended event = append_waiting(Birth::pending);
  must(book().cancel({event.deliveries.at(0).id}));
  EXPECT_EQ(state_of(event.seq), FanoutState::cancelled);
}

TEST_P(TransformContract, DeletedSourceCancelsWhatWaitsForItsTransform) {
  add_action(source_, "a");
  set_script("one");
  const Appended waiting = append_waiting(Birth::pending);
  const Appended running = append_waiting();
  const FanoutResult result = passes();
  change_source(source_, [](Source& s) { s.deleting = true; });
  const Settled settled = end(lease_of(running.deliveries.at(0)), result);
  EXPECT_EQ(settled.state, DeliveryState::cancelled);
  EXPECT_TRUE(settled.born.empty());
  while (must(upkeep().finish_deletions()) == StepResult::more) {
  }
  EXPECT_EQ(state_of(running.seq), FanoutState::cancelled);
  EXPECT_EQ(state_of(waiting.seq), FanoutState::cancelled);
  EXPECT_FALSE(registry().snapshot()->find_source(source_));
}

TEST_P(TransformContract, StillbornTransformIsADeadFanout) {
  set_script("one");
  EventDraft made = draft(source_);
  made.plan = waiting_plan(Birth::dead);
  made.plan.deliveries[0].reason = EndReason::backlog_full;
  const Appended event = append(std::move(made));
  EXPECT_EQ(state_of(event.seq), FanoutState::dead);
}

TEST_P(TransformContract, HeldEventIsReleasedIntoItsTransform) {
  add_action(source_, "a");
  set_script("one");
  change_source(source_, [](Source& s) { s.mode = SourceMode::paused; });
  const Appended held = append(draft(source_));
  ASSERT_EQ(held.admission, Admission::held);
  change_source(source_, [](Source& s) { s.mode = SourceMode::active; });
  // A new one joins the end of what is held, transform or not.
  EXPECT_EQ(append_waiting().admission, Admission::held);
  FanoutDraft release{
      .event = held.seq, .run = FanoutDraft::Run::first, .plan = waiting_plan(Birth::pending)};
  EXPECT_EQ(must(log().fan_out({release})).at(0).admission, Admission::accepted);
  EXPECT_EQ(state_of(held.seq), FanoutState::waiting);
  end(lease(transform_of(source_)), passes());
  EXPECT_EQ(state_of(held.seq), FanoutState::done);
}

TEST_P(TransformContract, ConsoleIsKeptWithTheAttempt) {
  set_script("one");
  const Appended event = append_waiting();
  Settlement failed = settlement(lease_of(event.deliveries.at(0)), Settlement::Kind::retry);
  failed.due = now();
  failed.attempt = Attempt{.id = make_id<AttemptId>(),
                           .number = 1,
                           .started = now(),
                           .result = AttemptResult::failed,
                           .step = AttemptStep::script,
                           .console = "first\nsecond",
                           .error = "script: boom"};
  settle(failed);
  const auto attempts = must(catalog().attempts(event.deliveries[0].seq));
  ASSERT_EQ(attempts.size(), 1U);
  EXPECT_EQ(attempts[0].console, "first\nsecond");
  EXPECT_EQ(attempts[0].step, AttemptStep::script);
}

TEST_P(TransformContract, RetentionTakesAnEventWithItsResultsAndLeavesItsSplits) {
  add_action(source_, "a");
  set_script("one");
  const Appended parent = append_waiting();
  EventDraft split = draft(source_);
  split.plan = {.revision = real_plan().revision};
  FanoutResult result{.kind = FanoutResult::Kind::split, .plan = {.revision = split.plan.revision}};
  result.splits.push_back(split);
  end(lease_of(parent.deliveries.at(0)), result);
  const Appended open = append_waiting(Birth::pending);
  pass(std::chrono::hours(48));
  while (must(upkeep().sweep({.finished = Millis{3'600'000}, .dead = Millis{3'600'000}})).step ==
         StepResult::more) {
  }
  EXPECT_FALSE(must(log().read({parent.seq})).at(0).value());
  EXPECT_TRUE(must(catalog().splits(parent.event)).empty());
  EXPECT_EQ(state_of(open.seq), FanoutState::waiting);  // open work stays
}

}  // namespace
}  // namespace grapnel::contract
