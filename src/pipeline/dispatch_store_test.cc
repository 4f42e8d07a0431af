// Dispatching over a store that fails, and over processes that die.
#include <gtest/gtest.h>

#include "async/scope.h"
#include "pipeline/rig.h"

namespace grapnel::pipeline {
namespace {

using doubles::answer;
using doubles::CommitInfo;
using doubles::Fate;
using doubles::RecordedCall;
using model::AttemptResult;
using model::DeliveryState;
using model::EndReason;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

bool has(const CommitInfo& info, std::string_view call) {
  return std::ranges::find(info.calls, call) != info.calls.end();
}

class DispatchStore : public testing::Test, public Rig {
 protected:
  DispatchStore() : source(make_source("demo")) { out = add_action("out"); }
  ~DispatchStore() override { doubles::run(loop, scope.join()); }

  model::Action add_action(const std::string& name) {
    auto made = make_action(source, name);
    made.retry.schedule = {seconds{1}};
    return put(made);
  }
  /// Lets the process die in the middle of an attempt, so often.
  void make_unknown(int times) {
    for (int i = 0; i < times; ++i) crash_and_start_again();
  }
  void set_desired(model::ActionId id, model::DesiredState desired) {
    auto changed = action(id);
    changed.desired = desired;
    put(changed);
    settle();
  }
  std::vector<model::Attempt> attempts(const model::Delivery& delivery) {
    return doubles::run(loop, store.attempts(delivery.seq)).value();
  }

  model::Source source;
  model::Action out;
  async::Scope scope{loop.get_executor()};
};

TEST_F(DispatchStore, CrashInAnAttemptIsOneUnknownAndTheEventIsSentAgainUnderItsId) {
  sender.set_script([](const auto&) { return answer(200, seconds{1}); });
  ASSERT_TRUE(receive("demo"));
  settle();
  crash_and_start_again();
  advance(seconds{1});
  const auto delivery = only_delivery();
  EXPECT_EQ(delivery.state, DeliveryState::delivered);
  EXPECT_EQ(delivery.tries_used, 0);
  ASSERT_EQ(attempts(delivery).size(), 2U);
  EXPECT_EQ(attempts(delivery)[0].result, AttemptResult::unknown);
  ASSERT_EQ(sender.calls().size(), 2U);
  EXPECT_EQ(model::find_header(sender.calls()[0].call.headers, "webhook-id"),
            model::find_header(sender.calls()[1].call.headers, "webhook-id"));
}

TEST_F(DispatchStore, CrashBeforeTheOutcomeIsDurableRepeatsTheAttemptAndAfterItDoesNot) {
  for (const Fate fate : {Fate::crash_before, Fate::crash_after}) {
    ASSERT_TRUE(receive("demo"));
    bool crashed = false;
    store.decide_commits([&](const CommitInfo& info) {
      if (crashed || !has(info, "settle")) return Fate::commit;
      crashed = true;
      return fate;
    });
    settle();
    ASSERT_TRUE(store.is_crashed());
    end_process();
    process.reset();
    start_again();
    settle();
    EXPECT_EQ(deliveries().front().state, DeliveryState::delivered);
    EXPECT_EQ(deliveries().front().attempts, fate == Fate::crash_before ? 2 : 1);
    store.decide_commits({});
  }
  EXPECT_EQ(sender.calls().size(), 3U);
}

TEST_F(DispatchStore, AfterFiveUnknownsItRunsAloneAndNothingStartsBeside) {
  sender.set_script([](const RecordedCall& call) {
    return call.call.url.ends_with("out") ? answer(200, seconds{10}) : answer(200);
  });
  ASSERT_TRUE(receive("demo"));
  settle();
  make_unknown(5);
  ASSERT_EQ(only_delivery().unknown_streak, 5);
  ASSERT_EQ(only_delivery().state, DeliveryState::running);
  add_action("other");
  ASSERT_TRUE(receive("demo"));
  settle();
  EXPECT_EQ(sender.in_flight(), 1);
  EXPECT_EQ(calls_to("other"), 0);
  advance(seconds{10});
  EXPECT_EQ(calls_to("other"), 1);
  advance(seconds{10});
  EXPECT_EQ(count(DeliveryState::delivered), 3);
}

TEST_F(DispatchStore, BeforeItRunsAloneWhatIsUnderWayEndsAndNothingElseBegins) {
  sender.set_script([](const auto&) { return answer(200, seconds{10}); });
  ASSERT_TRUE(receive("demo"));
  settle();
  make_unknown(4);
  set_desired(out.id, model::DesiredState::paused);
  crash_and_start_again();
  ASSERT_EQ(only_delivery().unknown_streak, 5);
  ASSERT_EQ(only_delivery().state, DeliveryState::pending);
  add_action("other");
  ASSERT_TRUE(receive("demo"));
  settle();
  ASSERT_EQ(calls_to("other"), 1);
  const int before = calls_to("out");
  set_desired(out.id, model::DesiredState::active);
  ASSERT_TRUE(receive("demo"));
  settle();
  EXPECT_EQ(sender.in_flight(), 1) << "it waits for the other, and nothing new begins";
  EXPECT_EQ(calls_to("out"), before);
  advance(seconds{10});
  EXPECT_EQ(sender.in_flight(), 1);
  EXPECT_EQ(calls_to("out"), before + 1) << "now it runs";
  EXPECT_EQ(calls_to("other"), 1);
  advance(seconds{10});
  EXPECT_EQ(calls_to("other"), 2);
  advance(seconds{10});
  EXPECT_EQ(count(DeliveryState::delivered), 5);
}

TEST_F(DispatchStore, PausedActionGivesUpItsTurnToRunAlone) {
  sender.set_script([](const auto&) { return answer(200, seconds{10}); });
  ASSERT_TRUE(receive("demo"));
  settle();
  make_unknown(4);
  set_desired(out.id, model::DesiredState::paused);
  crash_and_start_again();
  add_action("other");
  ASSERT_TRUE(receive("demo"));
  settle();
  set_desired(out.id, model::DesiredState::active);  // leased, and waits to run alone
  set_desired(out.id, model::DesiredState::paused);
  ASSERT_TRUE(receive("demo"));
  settle();
  EXPECT_EQ(calls_to("other"), 2) << "the others go on";
  EXPECT_EQ(store.open_work(out.id).running, 0);
}

TEST_F(DispatchStore, SixthUnknownCountsAsAFailureAndTheSeventhWasTheLastTry) {
  sender.set_script([](const auto&) { return answer(200, seconds{10}); });
  ASSERT_TRUE(receive("demo"));
  settle();
  make_unknown(6);
  EXPECT_EQ(only_delivery().state, DeliveryState::retrying);
  EXPECT_EQ(only_delivery().tries_used, 1);
  EXPECT_EQ(sender.calls().size(), 6U);
  advance(seconds{2});
  EXPECT_EQ(sender.calls().size(), 7U) << "it is really tried again";
  make_unknown(1);
  EXPECT_EQ(only_delivery().state, DeliveryState::dead);
  EXPECT_EQ(only_delivery().reason, EndReason::retries_exhausted);
}

TEST_F(DispatchStore, OnlyOneOfThoseThatMustRunAloneIsLeasedAtATime) {
  sender.set_script([](const auto&) { return answer(200, seconds{10}); });
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(receive("demo"));
  settle();
  make_unknown(5);
  EXPECT_EQ(count(DeliveryState::running), 1) << "a crash now costs one of them a try";
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(sender.in_flight(), 1);
    advance(seconds{10});
  }
  EXPECT_EQ(count(DeliveryState::delivered), 3);
}

TEST_F(DispatchStore, OutcomeWithAStaleFenceCountsNothing) {
  sender.set_script([](const auto&) { return answer(200, seconds{1}); });
  ASSERT_TRUE(receive("demo"));
  settle();
  store.crash_and_reopen();  // as if another process had taken the lease over
  advance(seconds{1});
  EXPECT_EQ(only_delivery().state, DeliveryState::pending);
  EXPECT_EQ(only_delivery().attempts, 1) << "the unknown one alone";
  EXPECT_TRUE(dispatcher().store_is_up());
}

TEST_F(DispatchStore, LeaseCallsThatFailAreRepeatedLessAndLessOften) {
  int calls = 0;
  sender.set_script([&](const auto&) { return ++calls == 1 ? answer(500) : answer(200); });
  ASSERT_TRUE(receive("demo"));
  settle();
  int leases = 0;
  store.decide_commits([&](const CommitInfo& info) {
    if (!has(info, "lease")) return Fate::commit;
    ++leases;
    return Fate::fail_full;
  });
  advance(minutes{1});
  EXPECT_FALSE(dispatcher().store_is_up());
  EXPECT_GE(leases, 29);
  EXPECT_LE(leases, 40) << "at most every two seconds, after a few quick ones";
  EXPECT_EQ(calls, 1);
  store.decide_commits({});
  advance(seconds{2});
  EXPECT_EQ(only_delivery().state, DeliveryState::delivered);
}

TEST_F(DispatchStore, StoreIsAskedAgainEvenWhenNothingIsWishedForAnyMore) {
  sender.set_script([](const auto&) { return answer(500); });
  ASSERT_TRUE(receive("demo"));
  settle();
  store.set_outage(model::errc::store_full);
  advance(seconds{5});
  ASSERT_FALSE(dispatcher().store_is_up());
  store.set_outage(std::nullopt);
  ASSERT_TRUE(doubles::run(loop, store.cancel({only_delivery().id})));
  advance(seconds{5});
  EXPECT_TRUE(dispatcher().store_is_up());
}

TEST_F(DispatchStore, ReadsThatFailAreWaitedForAndSpinNot) {
  set_desired(out.id, model::DesiredState::paused);
  ASSERT_TRUE(receive("demo"));
  ASSERT_TRUE(receive("demo", std::string(model::kBodyInlineBytesMax + 1, 'x')));
  event_log.fail_reads(true);
  int calls = 0;
  store.decide_commits([&](const CommitInfo& info) {
    for (const auto name : info.calls) calls += name == "lease" || name == "settle" ? 1 : 0;
    return Fate::commit;
  });
  set_desired(out.id, model::DesiredState::active);
  const auto before = calls;
  advance(minutes{1});
  EXPECT_LE(calls - before, 5);
  EXPECT_TRUE(sender.calls().empty());
  event_log.fail_reads(false);
  advance(minutes{1});
  EXPECT_EQ(count(DeliveryState::delivered), 2);
  EXPECT_EQ(count(DeliveryState::dead), 0);
}

TEST_F(DispatchStore, KeptOutcomesAreDurableBeforeAnythingNewStarts) {
  out.max_in_flight = 20;
  out = put(out);
  bool came_back = false;
  sender.set_script([&](const RecordedCall& call) {
    if (std::exchange(came_back, false)) {
      EXPECT_EQ(count(DeliveryState::delivered), 21) << "the kept ones come first";
    }
    return answer(200, call.body == "quick" ? milliseconds{500} : milliseconds{1'000});
  });
  ASSERT_TRUE(receive("demo", "quick"));
  for (int i = 0; i < 29; ++i) ASSERT_TRUE(receive("demo"));
  settle();
  ASSERT_EQ(sender.in_flight(), 20);
  store.set_outage(model::errc::store_unavailable);
  advance(minutes{1});
  EXPECT_EQ(sender.calls().size(), 21U) << "one began before the first outcome was refused";
  store.set_outage(std::nullopt);
  came_back = true;
  advance(seconds{10});
  EXPECT_EQ(count(DeliveryState::delivered), 30);
  EXPECT_EQ(sender.calls().size(), 30U) << "none was made twice";
}

TEST_F(DispatchStore, OutagesInARowLoseNothingAndRepeatNothing) {
  sender.set_script([](const auto&) { return answer(200, milliseconds{300}); });
  int accepted = 0;
  for (int i = 0; i < 100; ++i) {
    if (i % 10 == 5) store.set_outage(model::errc::store_unavailable);
    if (i % 10 == 0) store.set_outage(std::nullopt);
    accepted += receive("demo") ? 1 : 0;
    advance(milliseconds{100});
  }
  store.set_outage(std::nullopt);
  advance(seconds{10});
  EXPECT_EQ(accepted, 50);
  EXPECT_EQ(count(DeliveryState::delivered), accepted);
  EXPECT_EQ(sender.calls().size(), static_cast<std::size_t>(accepted));
}

TEST_F(DispatchStore, AppendsThatFailGiveTheirPlacesBackToWhatIsDue) {
  out.max_in_flight = 1;
  out = put(out);
  int calls = 0;
  sender.set_script([&](const auto&) { return ++calls == 1 ? answer(500) : answer(200); });
  ASSERT_TRUE(receive("demo"));
  settle();
  store.set_commits(doubles::MemoryStore::Commits::by_hand);
  int refused = 0;
  for (int i = 0; i < 12; ++i) {
    boost::asio::co_spawn(loop, ingest().receive("demo", request("demo")),
                          [&](const std::exception_ptr&, std::expected<Receipt, Refusal> receipt) {
                            refused += receipt ? 0 : 1;
                          });
  }
  advance(seconds{2});
  ASSERT_EQ(store.waiting(), 1U) << "the appends, and no lease call: their places are taken";
  store.decide_commits([](const CommitInfo&) { return Fate::fail_unavailable; });
  store.commit_waiting();
  store.decide_commits({});
  store.set_commits(doubles::MemoryStore::Commits::each_turn);
  settle();
  EXPECT_EQ(refused, 12);
  EXPECT_EQ(only_delivery().state, DeliveryState::delivered);
}

TEST_F(DispatchStore, HintThatComesDuringALeaseCallIsNotForgotten) {
  int calls = 0;
  sender.set_script([&](const auto&) { return ++calls == 1 ? answer(500) : answer(200); });
  ASSERT_TRUE(receive("demo"));
  settle();
  store.set_commits(doubles::MemoryStore::Commits::by_hand);
  advance(seconds{2});
  ASSERT_EQ(store.waiting(), 1U) << "the lease call, which looks first";
  std::optional<std::expected<Receipt, Refusal>> receipt;
  boost::asio::co_spawn(loop, ingest().receive("demo", request("demo")),
                        [&](const std::exception_ptr&, std::expected<Receipt, Refusal> r) {
                          receipt = std::move(r);
                        });
  settle();
  ASSERT_EQ(store.waiting(), 2U);
  store.commit_waiting();
  store.set_commits(doubles::MemoryStore::Commits::each_turn);
  settle();
  ASSERT_TRUE(receipt && *receipt);
  EXPECT_EQ(count(DeliveryState::delivered), 2);
}

}  // namespace
}  // namespace grapnel::pipeline
