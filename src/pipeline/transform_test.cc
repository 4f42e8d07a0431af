// Transforms in a whole pipeline: an event of a source with a script passes through it before any
// action hears of it.
#include "model/transform.h"

#include <gmock/gmock.h>

#include "pipeline/fanout.h"
#include "pipeline/rig.h"

namespace grapnel::pipeline {
namespace {

using model::DeliveryState;
using model::FanoutState;
using model::ScriptFault;
using testing::HasSubstr;

doubles::ScriptedOutcome gives(std::string result, std::string console = {},
                               std::chrono::nanoseconds delay = {}) {
  return {
      .outcome = model::ScriptAnswer{.result = std::move(result), .console = std::move(console)},
      .delay = delay};
}

doubles::ScriptedOutcome fails(ScriptFault fault, std::string message = "it failed") {
  return doubles::failed(fault, std::move(message));
}

struct TransformTest : testing::Test {
  Rig rig;
  model::Source source = rig.make_source("demo");
  model::Action action = rig.make_action(source, "a");

  void SetUp() override { set_script("function transform(event) {}"); }
  void set_script(const std::string& body) {
    source = rig.current(source.id);
    source.script = body.empty() ? nullptr
                                 : std::make_shared<const model::Script>(model::Script{
                                       .body = body, .version = ++source.script_versions});
    source = rig.put(source);
  }
  model::Event only_event() {
    auto page = doubles::run(rig.loop, rig.store.events({.limit = 10}));
    EXPECT_TRUE(page && page->items.size() == 1);
    return page->items.front();
  }
  model::Delivery transform_delivery() {
    for (const auto& one : rig.deliveries()) {
      if (one.action == model::transform_of(source.id)) return one;
    }
    ADD_FAILURE() << "no transform";
    return {};
  }
  const doubles::RecordedCall& only_call() {
    EXPECT_EQ(rig.sender.calls().size(), 1U);
    return rig.sender.calls().at(0);
  }
};

TEST_F(TransformTest, ActionGetsWhatTheScriptMade) {
  rig.sandbox.set_answer([](const auto& call) {
    EXPECT_EQ(call.body, R"({"n":1})");
    EXPECT_THAT(call.event, HasSubstr(R"("source":"demo")"));
    return gives(R"({"payload":{"n":2},"type":"made","headers":{"X-Made":"yes","X-Sent":null}})");
  });
  ASSERT_TRUE(rig.receive("demo", R"({"n":1})", {{"X-Sent", "1"}, {"X-Kept", "2"}}));
  rig.settle();
  const auto& call = only_call();
  EXPECT_EQ(call.body, R"({"n":2})");
  EXPECT_EQ(model::find_header(call.call.headers, "X-Made"), "yes");
  EXPECT_EQ(model::find_header(call.call.headers, "X-Kept"), "2");
  EXPECT_FALSE(model::find_header(call.call.headers, "X-Sent"));
  EXPECT_EQ(only_event().fanout, FanoutState::done);
  EXPECT_EQ(only_event().body_size, 7U);
}

TEST_F(TransformTest, ResultIsComputedOnceAndReusedByEveryRetryAndReplay) {
  rig.sandbox.set_answer([](const auto&) { return gives(R"({"payload":"once"})"); });
  int tries = 0;
  rig.sender.set_script([&](const auto&) { return doubles::answer(++tries < 3 ? 500 : 200); });
  ASSERT_TRUE(rig.receive("demo"));
  rig.settle();
  rig.advance(Millis{10'000});
  rig.advance(Millis{500'000});
  ASSERT_EQ(rig.sender.calls().size(), 3U);
  for (const auto& call : rig.sender.calls()) EXPECT_EQ(call.body, R"("once")");
  EXPECT_EQ(rig.sandbox.calls().size(), 1U);
  for (const auto& one : rig.deliveries()) {
    if (one.action != action.id) continue;
    doubles::run(rig.loop, rig.store.replay({{one.id, rig.ids.make<model::DeliveryId>()}}));
  }
  rig.settle();
  ASSERT_EQ(rig.sender.calls().size(), 4U);
  EXPECT_EQ(rig.sender.calls().back().body, R"("once")");
  EXPECT_EQ(rig.sandbox.calls().size(), 1U);
}

TEST_F(TransformTest, DroppedEventGoesNowhere) {
  rig.sandbox.set_answer([](const auto&) { return gives("", "not for us"); });
  ASSERT_TRUE(rig.receive("demo"));
  rig.settle();
  EXPECT_TRUE(rig.sender.calls().empty());
  EXPECT_EQ(only_event().fanout, FanoutState::dropped);
  const auto attempts =
      doubles::run(rig.loop, rig.store.attempts(transform_delivery().seq)).value();
  EXPECT_EQ(attempts.at(0).console, "not for us");
}

TEST_F(TransformTest, FailingTransformIsRetriedThenDeadAndReplayedAfterItIsMended) {
  rig.sandbox.set_answer(
      [](const auto&) { return fails(ScriptFault::thrown, "ReferenceError: x (line 3)"); });
  ASSERT_TRUE(rig.receive("demo"));
  rig.settle();
  EXPECT_EQ(transform_delivery().state, DeliveryState::retrying);
  EXPECT_EQ(only_event().fanout, FanoutState::waiting);
  rig.advance(Millis{1'300});
  rig.advance(Millis{12'100});
  EXPECT_EQ(rig.sandbox.calls().size(), 3U);
  EXPECT_EQ(transform_delivery().state, DeliveryState::dead);
  EXPECT_THAT(transform_delivery().last_error,
              HasSubstr("script: thrown: ReferenceError: x (line 3)"));
  EXPECT_EQ(only_event().fanout, FanoutState::dead);
  EXPECT_TRUE(rig.sender.calls().empty());

  rig.sandbox.set_answer([](const auto&) { return gives("{}"); });
  const auto replay = rig.ids.make<model::DeliveryId>();
  doubles::run(rig.loop, rig.store.replay({{transform_delivery().id, replay}}));
  rig.settle();
  EXPECT_EQ(only_event().fanout, FanoutState::done);
  EXPECT_EQ(only_event().run, 2);
  EXPECT_EQ(rig.sender.calls().size(), 1U);
}

TEST_F(TransformTest, ResultThatCannotBeUsedIsAFailureThatSaysWhy) {
  rig.sandbox.set_answer([](const auto&) { return gives("5", "noted"); });
  ASSERT_TRUE(rig.receive("demo"));
  rig.settle();
  EXPECT_THAT(transform_delivery().last_error, HasSubstr("script: result: it returned 5"));
  const auto attempts =
      doubles::run(rig.loop, rig.store.attempts(transform_delivery().seq)).value();
  EXPECT_EQ(attempts.at(0).console, "noted");
}

TEST_F(TransformTest, SplitEventsHaveTheSameIdsEachTimeAndAParent) {
  rig.sandbox.set_answer(
      [](const auto&) { return gives(R"([{"payload":1},{"payload":2,"type":"other"}])"); });
  const auto receipt = rig.receive("demo");
  ASSERT_TRUE(receipt);
  rig.settle();
  ASSERT_EQ(rig.sender.calls().size(), 2U);
  const auto splits = doubles::run(rig.loop, rig.store.splits(receipt->event)).value();
  ASSERT_EQ(splits.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(splits[i].id, split_id(receipt->event, 1, i));
    EXPECT_EQ(splits[i].parent, receipt->event);
    EXPECT_EQ(model::find_header(rig.sender.calls()[i].call.headers, "webhook-id"),
              splits[i].id.str());
  }
  EXPECT_NE(split_id(receipt->event, 1, 0), split_id(receipt->event, 2, 0));
  EXPECT_EQ(splits[1].type, "other");
}

TEST_F(TransformTest, OnlyTheNamedActionsGetIt) {
  rig.make_action(source, "b");
  rig.sandbox.set_answer([](const auto&) { return gives(R"({"actions":["b"]})"); });
  ASSERT_TRUE(rig.receive("demo"));
  rig.settle();
  EXPECT_EQ(rig.calls_to("/a"), 0);
  EXPECT_EQ(rig.calls_to("/b"), 1);
}

TEST_F(TransformTest, TypeThatTheScriptMadeChoosesTheActions) {
  model::Action picky = rig.make_action(source, "picky");
  picky.event_types = {"made"};
  rig.put(picky);
  rig.sandbox.set_answer([](const auto&) { return gives(R"({"type":"made"})"); });
  ASSERT_TRUE(rig.receive("demo"));
  rig.settle();
  EXPECT_EQ(rig.calls_to("/picky"), 1);
}

TEST_F(TransformTest, DefinitionsThatChangeWhileTheScriptRunsArePlannedAnew) {
  rig.sandbox.set_answer(
      [](const auto&) { return gives("{}", "", std::chrono::milliseconds{100}); });
  ASSERT_TRUE(rig.receive("demo"));
  rig.settle();
  rig.make_action(source, "late");
  rig.advance(Millis{100});
  EXPECT_EQ(rig.calls_to("/late"), 1);
  EXPECT_EQ(rig.calls_to("/a"), 1);
  EXPECT_EQ(rig.sandbox.calls().size(), 1U);
}

TEST_F(TransformTest, WhatWaitsPassesAsItIsWhenTheScriptIsCleared) {
  rig.sandbox.set_answer([](const auto&) { return fails(ScriptFault::thrown); });
  ASSERT_TRUE(rig.receive("demo", R"({"n":1})"));
  rig.settle();
  set_script("");
  rig.advance(Millis{1'300});
  EXPECT_EQ(only_call().body, R"({"n":1})");
  EXPECT_EQ(rig.sandbox.calls().size(), 1U);
}

TEST_F(TransformTest, BusySandboxCountsNothingAndIsAskedAgain) {
  int calls = 0;
  rig.sandbox.set_answer(
      [&](const auto&) { return ++calls <= 5 ? fails(ScriptFault::busy) : gives("{}"); });
  ASSERT_TRUE(rig.receive("demo"));
  rig.settle();
  for (int i = 0; i < 6; ++i) rig.advance(kScriptBusyRest);
  EXPECT_EQ(rig.sender.calls().size(), 1U);
  EXPECT_EQ(transform_delivery().tries_used, 0);
}

TEST_F(TransformTest, WithoutASandboxEverythingWaitsAndNoTryIsUsedUp) {
  bool is_there = false;
  rig.sandbox.set_answer([&](const auto&) {
    return is_there ? gives("{}") : fails(ScriptFault::unavailable, "no filter");
  });
  ASSERT_TRUE(rig.receive("demo"));
  rig.settle();
  for (int i = 0; i < 5; ++i) rig.advance(kNoSandboxRest);
  EXPECT_EQ(transform_delivery().state, DeliveryState::pending);
  EXPECT_EQ(transform_delivery().tries_used, 0);
  is_there = true;
  rig.advance(kNoSandboxRest);
  EXPECT_EQ(rig.sender.calls().size(), 1U);
}

TEST_F(TransformTest, HeadersOfTheScriptGoOutWhateverIsForwarded) {
  action = rig.action(action.id);
  action.forward_headers.kind = model::ForwardHeaders::Kind::none;
  rig.put(action);
  rig.sandbox.set_answer([](const auto&) { return gives(R"({"headers":{"X-Made":"yes"}})"); });
  ASSERT_TRUE(rig.receive("demo", "{}", {{"X-Sent", "1"}}));
  rig.settle();
  EXPECT_EQ(model::find_header(only_call().call.headers, "X-Made"), "yes");
  EXPECT_FALSE(model::find_header(only_call().call.headers, "X-Sent"));
}

TEST_F(TransformTest, CrashBetweenTransformAndOutcomeRunsItAgainAndDeliversOnce) {
  rig.sandbox.set_answer(
      [](const auto&) { return gives("{}", "", std::chrono::milliseconds{100}); });
  ASSERT_TRUE(rig.receive("demo"));
  rig.settle();
  rig.crash_and_start_again();
  EXPECT_EQ(only_event().fanout, FanoutState::waiting);
  rig.advance(Millis{200});
  EXPECT_EQ(only_event().fanout, FanoutState::done);
  EXPECT_EQ(rig.sender.calls().size(), 1U);
}

TEST_F(TransformTest, LargeResultGoesThroughAFile) {
  const std::string large(model::kBodyInlineBytesMax + 10, 'x');
  rig.sandbox.set_answer([&](const auto&) { return gives(R"({"payload":")" + large + R"("})"); });
  ASSERT_TRUE(rig.receive("demo"));
  rig.settle();
  EXPECT_EQ(only_call().body, "\"" + large + "\"");
  EXPECT_EQ(rig.store.tables().body_files(), 0U);
}

TEST_F(TransformTest, FullActionThatRefusesHoldsTheTransformBack) {
  action = rig.action(action.id);
  action.backlog_bound.count = 1;
  action.on_full = model::OnFull::refuse;
  action = rig.put(action);
  rig.sender.set_script([](const auto&) { return doubles::answer(500); });
  rig.sandbox.set_answer(
      [](const auto&) { return gives("{}", "", std::chrono::milliseconds{10}); });
  ASSERT_TRUE(rig.receive("demo"));
  rig.advance(Millis{5});
  ASSERT_TRUE(rig.receive("demo"));  // there is room yet
  rig.advance(Millis{10});
  EXPECT_EQ(rig.store.open_work(action.id).count(), 1);
  EXPECT_FALSE(rig.receive("demo"));  // and the next is refused
  rig.advance(kNoRoomRest);
  EXPECT_EQ(rig.store.open_work(action.id).count(), 1);
  doubles::run(rig.loop, rig.store.cancel({rig.deliveries().front().id}));
}

TEST_F(TransformTest, JavascriptActionKeepsItsResultAndIsRetried) {
  set_script("");
  model::Action script = action;
  script.id = rig.ids.make<model::ActionId>();
  script.name = "process";
  script.type = model::kJavascript;
  script.script = std::make_shared<const model::Script>(
      model::Script{.body = "x", .entry = model::ScriptEntry::process});
  rig.put(script);
  int calls = 0;
  rig.sandbox.set_answer([&](const auto&) {
    return ++calls == 1 ? fails(ScriptFault::timeout, "longer than 500 ms")
                        : gives(R"({"ok":true})", "done");
  });
  ASSERT_TRUE(rig.receive("demo"));
  rig.settle();
  rig.advance(Millis{7'000});
  for (const auto& one : rig.deliveries()) {
    EXPECT_EQ(one.state, DeliveryState::delivered);
    if (one.action != script.id) continue;
    const auto attempts = doubles::run(rig.loop, rig.store.attempts(one.seq)).value();
    ASSERT_EQ(attempts.size(), 2U);
    EXPECT_THAT(attempts[0].error, HasSubstr("script: timeout: longer than 500 ms"));
    EXPECT_EQ(attempts[1].response_excerpt, R"({"ok":true})");
    EXPECT_EQ(attempts[1].console, "done");
  }
}

}  // namespace
}  // namespace grapnel::pipeline
