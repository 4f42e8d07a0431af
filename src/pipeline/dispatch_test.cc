#include "pipeline/dispatch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/rig.h"

namespace grapnel::pipeline {
namespace {

using doubles::answer;
using doubles::failure;
using model::AttemptStep;
using model::DeliveryState;
using model::EndReason;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class Dispatch : public testing::Test, public Rig {
 protected:
  model::Action simple(std::vector<Millis> schedule = {seconds{1}, seconds{1}}) {
    source = make_source("demo");
    auto made = make_action(source, "out");
    made.retry.schedule = std::move(schedule);
    return put(made);
  }
  model::Source source;
};

TEST_F(Dispatch, EventIsAttemptedAtOnceWithoutALeaseCommit) {
  simple();
  settle();
  std::vector<std::string> calls;
  store.decide_commits([&](const doubles::CommitInfo& info) {
    for (const auto name : info.calls) calls.emplace_back(name);
    return doubles::Fate::commit;
  });
  ASSERT_TRUE(receive("demo", "hello"));
  settle();
  EXPECT_EQ(only_delivery().state, DeliveryState::delivered);
  EXPECT_EQ(calls, (std::vector<std::string>{"append", "settle"}));
  ASSERT_EQ(sender.calls().size(), 1U);
  EXPECT_EQ(sender.calls()[0].body, "hello");
}

TEST_F(Dispatch, FailureIsRetriedAfterItsWaitAndThenDies) {
  simple({seconds{10}, seconds{10}});
  sender.set_script([](const auto&) { return answer(500); });
  ASSERT_TRUE(receive("demo"));
  settle();
  EXPECT_EQ(only_delivery().state, DeliveryState::retrying);
  advance(seconds{7});
  EXPECT_EQ(sender.calls().size(), 1U) << "jitter is at most 20 %";
  advance(seconds{6});
  EXPECT_EQ(sender.calls().size(), 2U);
  advance(seconds{13});
  EXPECT_EQ(sender.calls().size(), 3U);
  EXPECT_EQ(only_delivery().state, DeliveryState::dead);
  EXPECT_EQ(only_delivery().reason, EndReason::retries_exhausted);
  advance(minutes{60});
  EXPECT_EQ(sender.calls().size(), 3U);
}

TEST_F(Dispatch, RetryAfterLongerThanTheScheduleWins) {
  simple({seconds{1}});
  int calls = 0;
  sender.set_script([&](const auto&) {
    return ++calls == 1 ? answer(503, {}, {{"Retry-After", "100"}}) : answer(200);
  });
  ASSERT_TRUE(receive("demo"));
  advance(seconds{99});
  EXPECT_EQ(calls, 1);
  advance(seconds{2});
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(only_delivery().state, DeliveryState::delivered);
}

TEST_F(Dispatch, GoneEndpointKillsTheDeliveryAndClosesTheLane) {
  const auto out = simple();
  sender.set_script([](const auto&) { return answer(410); });
  ASSERT_TRUE(receive("demo"));
  settle();
  EXPECT_EQ(only_delivery().reason, EndReason::endpoint_gone);
  EXPECT_EQ(action(out.id).health, model::Health::gone);
  ASSERT_TRUE(receive("demo"));
  settle();
  EXPECT_EQ(sender.calls().size(), 1U);
  for (const auto& delivery : deliveries()) EXPECT_EQ(delivery.reason, EndReason::endpoint_gone);
}

TEST_F(Dispatch, GoneOfAFormerTargetCountsAsAnOrdinaryFailure) {
  auto out = simple();
  sender.set_script([](const auto&) { return answer(410, seconds{2}); });
  ASSERT_TRUE(receive("demo"));
  settle();
  out = action(out.id);
  out.target_url = "http://endpoint.test/new";
  ++out.target_revision;
  put(out);
  advance(seconds{2});
  EXPECT_EQ(action(out.id).health, model::Health::ok);
  EXPECT_EQ(only_delivery().state, DeliveryState::retrying);
}

TEST_F(Dispatch, EgressRefusalIsDeadAtOnce) {
  simple();
  sender.set_script([](const auto&) { return failure(AttemptStep::egress, "egress: refused"); });
  ASSERT_TRUE(receive("demo"));
  settle();
  EXPECT_EQ(only_delivery().reason, EndReason::egress_refused);
  EXPECT_EQ(sender.calls().size(), 1U);
}

TEST_F(Dispatch, NeverMoreInFlightThanTheActionAllows) {
  auto out = simple();
  out.max_in_flight = 3;
  put(out);
  sender.set_script([](const auto&) { return answer(200, seconds{1}); });
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(receive("demo"));
  for (int i = 0; i < 40; ++i) advance(seconds{1});
  EXPECT_EQ(sender.most_in_flight(), 3);
  EXPECT_EQ(sender.calls().size(), 40U);
  for (const auto& delivery : deliveries()) EXPECT_EQ(delivery.state, DeliveryState::delivered);
}

TEST_F(Dispatch, HangingEndpointSlowsNobodyElse) {
  simple();
  make_action(source, "stuck");
  sender.set_script([](const doubles::RecordedCall& call) {
    return call.call.url.ends_with("stuck") ? answer(200, minutes{5})
                                            : answer(200, milliseconds{1});
  });
  for (int i = 0; i < 500; ++i) {
    ASSERT_TRUE(receive("demo"));
    advance(milliseconds{2});
  }
  int good = 0;
  for (const auto& call : sender.calls()) good += call.call.url.ends_with("out") ? 1 : 0;
  EXPECT_EQ(good, 500);
}

TEST_F(Dispatch, PausedActionStartsNothingAndGoesOnWhenActive) {
  auto out = simple();
  out.desired = model::DesiredState::paused;
  out = put(out);
  ASSERT_TRUE(receive("demo"));
  advance(minutes{10});
  EXPECT_EQ(only_delivery().state, DeliveryState::pending);
  out.desired = model::DesiredState::active;
  put(out);
  settle();
  EXPECT_EQ(only_delivery().state, DeliveryState::delivered);
}

TEST_F(Dispatch, PauseHandsBackWhatIsLeasedAndNotBegun) {
  auto out = simple();
  out.max_in_flight = 1;
  out = put(out);
  sender.set_script([](const auto&) { return answer(200, seconds{10}); });
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(receive("demo"));
  out = action(out.id);
  out.desired = model::DesiredState::paused;
  put(out);
  settle();
  EXPECT_EQ(store.open_work(out.id).running, 1);
  EXPECT_EQ(store.open_work(out.id).pending, 4);
}

TEST_F(Dispatch, NoAttemptStartsWhileTheStoreIsDownAndOutcomesAreKept) {
  simple();
  sender.set_script([](const auto&) { return answer(200, seconds{1}); });
  ASSERT_TRUE(receive("demo"));
  settle();
  store.set_outage(model::errc::store_full);
  advance(seconds{5});
  EXPECT_FALSE(dispatcher().store_is_up());
  const auto refused = receive("demo");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, RefusalKind::store_down);
  EXPECT_EQ(sender.calls().size(), 1U);
  store.set_outage(std::nullopt);
  advance(seconds{5});
  EXPECT_TRUE(dispatcher().store_is_up());
  EXPECT_EQ(only_delivery().state, DeliveryState::delivered);
  EXPECT_EQ(sender.calls().size(), 1U) << "the finished outcome was not forgotten";
}

TEST_F(Dispatch, CancelWishOverridesAFailureButNotASuccess) {
  simple();
  sender.set_script([](const auto&) { return answer(500, seconds{1}); });
  ASSERT_TRUE(receive("demo"));
  settle();
  auto cancelled = doubles::run(loop, store.cancel({only_delivery().id}));
  ASSERT_TRUE(cancelled);
  advance(seconds{1});
  EXPECT_EQ(only_delivery().state, DeliveryState::cancelled);
}

TEST_F(Dispatch, OrderedKeyNeverStartsItsNextBeforeTheFormerEnded) {
  simple({seconds{1}, seconds{1}});
  source = current(source.id);
  source.ordering_key = model::Place{model::Place::Kind::pointer, "/k"};
  put(source);
  int calls = 0;
  sender.set_script([&](const auto&) { return ++calls < 3 ? answer(500) : answer(200); });
  ASSERT_TRUE(receive("demo", R"({"k":1,"n":1})"));
  ASSERT_TRUE(receive("demo", R"({"k":1,"n":2})"));
  for (int i = 0; i < 10; ++i) advance(seconds{1});
  ASSERT_EQ(sender.calls().size(), 4U);
  EXPECT_EQ(sender.calls()[2].body, R"({"k":1,"n":1})");
  EXPECT_EQ(sender.calls()[3].body, R"({"k":1,"n":2})");
}

TEST_F(Dispatch, HealthFailsAfterARunOfFailuresAndIsMendedByASuccess) {
  const auto out = simple(std::vector<Millis>(10, seconds{1}));
  bool down = true;
  sender.set_script([&](const auto&) { return down ? answer(500) : answer(200); });
  ASSERT_TRUE(receive("demo"));
  for (int i = 0; i < 6; ++i) advance(seconds{1});
  EXPECT_EQ(action(out.id).health, model::Health::failing);
  down = false;
  for (int i = 0; i < 6; ++i) advance(seconds{1});
  EXPECT_EQ(action(out.id).health, model::Health::ok);
}

TEST_F(Dispatch, StopHandsBackWhatStillRunsAtTheDeadline) {
  simple();
  sender.set_script([](const auto&) { return answer(200, minutes{1}); });
  ASSERT_TRUE(receive("demo"));
  settle();
  end_process();
  EXPECT_EQ(only_delivery().state, DeliveryState::pending);
  EXPECT_EQ(only_delivery().tries_used, 0);
}

TEST_F(Dispatch, SuccessWinsOverACancelWish) {
  simple();
  sender.set_script([](const auto&) { return answer(200, seconds{1}); });
  ASSERT_TRUE(receive("demo"));
  settle();
  ASSERT_TRUE(doubles::run(loop, store.cancel({only_delivery().id})));
  advance(seconds{1});
  EXPECT_EQ(only_delivery().state, DeliveryState::delivered);
}

TEST_F(Dispatch, HealthFailsAlsoWhereEachDeliveryHasOneTry) {
  auto out = simple();
  out.retry = {.base = seconds{1}, .cap = seconds{1}, .max_attempts = 1};
  put(out);
  sender.set_script([](const auto&) { return answer(500); });
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(receive("demo"));
    settle();
  }
  EXPECT_EQ(action(out.id).health, model::Health::ok);
  ASSERT_TRUE(receive("demo"));
  settle();
  EXPECT_EQ(action(out.id).health, model::Health::failing);
}

TEST_F(Dispatch, AttemptsThatCannotBePreparedDoNotNest) {
  auto out = simple();
  out.max_in_flight = model::kMaxInFlightMax;
  out.desired = model::DesiredState::paused;
  out.secrets = {{.sealed = "not sealed by anyone"}};
  out = put(out);
  for (int i = 0; i < 500; ++i) ASSERT_TRUE(receive("demo"));
  out.desired = model::DesiredState::active;
  put(out);
  settle();
  EXPECT_EQ(count(DeliveryState::dead), 500);
  EXPECT_EQ(deliveries().front().reason, EndReason::bad_configuration);
  EXPECT_TRUE(sender.calls().empty());
}

TEST_F(Dispatch, LargeBodyIsReadWhenItsAttemptStartsAndNotBefore) {
  auto out = simple();
  out.max_in_flight = 1;
  put(out);
  sender.set_script([](const auto&) { return answer(200, seconds{1}); });
  const std::string body(model::kBodyInlineBytesMax + 1, 'x');
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(receive("demo", body + std::to_string(i)));
  settle();
  EXPECT_EQ(store.open_work(out.id).running, 3) << "all are leased";
  EXPECT_EQ(event_log.reads(), 1U);
  advance(seconds{1});
  EXPECT_EQ(event_log.reads(), 2U);
  advance(seconds{2});
  ASSERT_EQ(sender.calls().size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(sender.calls()[i].body, body + std::to_string(i));
  }
}

TEST_F(Dispatch, BodiesLeasedAheadStayWithinTheirBytes) {
  auto out = simple();
  out.desired = model::DesiredState::paused;
  out.max_in_flight = 64;
  out = put(out);
  const std::string body(model::kBodyInlineBytesMax, 'x');
  for (int i = 0; i < 60; ++i) ASSERT_TRUE(receive("demo", body));
  sender.set_script([](const auto&) { return answer(200, seconds{1}); });
  out.max_in_flight = 1;
  out.desired = model::DesiredState::active;
  put(out);
  settle();
  EXPECT_LE(event_log.reads() * body.size(), kReadyBytesMax + body.size());
  advance(minutes{2});
  EXPECT_EQ(count(DeliveryState::delivered), 60);
}

TEST_F(Dispatch, BodyThatIsGoneEndsItsDeliveryWithAReason) {
  auto out = simple();
  out.desired = model::DesiredState::paused;
  out = put(out);
  ASSERT_TRUE(receive("demo"));
  store.remove_body(only_delivery().event_seq);
  out.desired = model::DesiredState::active;
  put(out);
  settle();
  EXPECT_EQ(only_delivery().state, DeliveryState::dead);
  EXPECT_EQ(only_delivery().reason, EndReason::body_damaged);
  EXPECT_EQ(only_delivery().last_error, "prepare: the event's body is gone");
}

TEST_F(Dispatch, DeletedActionsWorkIsCancelledAndARunningSuccessStillCounts) {
  auto out = simple();
  out.max_in_flight = 2;
  out = put(out);
  sender.set_script([](const doubles::RecordedCall& call) {
    return call.body == "bad" ? answer(500, seconds{1}) : answer(200, seconds{1});
  });
  for (const char* body : {"good", "bad", "3", "4", "5"}) ASSERT_TRUE(receive("demo", body));
  out = action(out.id);
  out.deleting = true;
  put(out);
  settle();
  EXPECT_EQ(count(DeliveryState::cancelled), 3) << "what had not begun";
  advance(minutes{1});
  EXPECT_EQ(sender.calls().size(), 2U);
  EXPECT_EQ(count(DeliveryState::delivered), 1);
  EXPECT_EQ(count(DeliveryState::cancelled), 4);
  EXPECT_FALSE(store.snapshot()->find_action(out.id));
  EXPECT_EQ(dispatcher().lanes(), 0U);
}

TEST_F(Dispatch, DeletedSourceStartsNothingMoreOfWhatWasLeased) {
  auto out = simple();
  out.max_in_flight = 1;
  out = put(out);
  sender.set_script([](const auto&) { return answer(500, seconds{1}); });
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(receive("demo"));
  source = current(source.id);
  source.deleting = true;
  put(source);
  advance(minutes{1});
  EXPECT_EQ(sender.calls().size(), 1U);
  EXPECT_EQ(count(DeliveryState::cancelled), 3);
  EXPECT_FALSE(store.snapshot()->find_source(source.id));
  EXPECT_EQ(dispatcher().lanes(), 0U);
}

TEST_F(Dispatch, IdleActionsLeaveNothingBehind) {
  simple();
  settle();
  const auto asleep = timers.sleepers();  // upkeep's
  ASSERT_TRUE(receive("demo"));
  settle();
  EXPECT_EQ(dispatcher().lanes(), 0U);
  EXPECT_EQ(timers.sleepers(), asleep);
}

TEST_F(Dispatch, EarlierDueTimesLeaveNoSleepersBehind) {
  simple({minutes{1}});
  settle();
  const auto asleep = timers.sleepers();  // upkeep's
  int wait = 10'000;
  sender.set_script([&](const auto&) {
    wait -= 60;
    return answer(503, {}, {{"Retry-After", std::to_string(wait)}});
  });
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(receive("demo"));
    settle();
  }
  EXPECT_LE(timers.sleepers(), asleep + 1);
}

}  // namespace
}  // namespace grapnel::pipeline
