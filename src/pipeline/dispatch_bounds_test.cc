// Bounds that all lanes share: reached, kept, and shared fairly.
#include <gtest/gtest.h>

#include "pipeline/rig.h"

namespace grapnel::pipeline {
namespace {

using doubles::answer;
using model::DeliveryState;
using std::chrono::minutes;
using std::chrono::seconds;

class DispatchBounds : public testing::Test, public Rig {
 protected:
  explicit DispatchBounds(AttemptBounds bounds = {.attempts_max = 4})
      : Rig({.bounds = bounds}), source(make_source("demo")) {}

  std::vector<model::Action> make_actions(int count) {
    std::vector<model::Action> out;
    for (int i = 0; i < count; ++i) out.push_back(make_action(source, "a" + std::to_string(i)));
    return out;
  }
  void set_desired(std::vector<model::Action>& actions, model::DesiredState desired) {
    for (auto& one : actions) {
      one = action(one.id);
      one.desired = desired;
      one = put(one);
    }
  }
  model::Source source;
};

TEST_F(DispatchBounds, AttemptsOfAllLanesTogetherStayBelowTheirBoundAndAreSharedInTurn) {
  const auto actions = make_actions(10);
  sender.set_script([](const auto&) { return answer(200, seconds{1}); });
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(receive("demo"));
  settle();
  for (int second = 0; second < 20; ++second) {
    int least = 99;
    int most = 0;
    for (const auto& one : actions) {
      least = std::min(least, calls_to(one.name));
      most = std::max(most, calls_to(one.name));
    }
    EXPECT_EQ(sender.in_flight(), 4);
    EXPECT_LE(most - least, 4) << "after " << second << " s";
    advance(seconds{1});
  }
  EXPECT_EQ(sender.most_in_flight(), 4);
  EXPECT_EQ(count(DeliveryState::delivered), 80);
  ASSERT_TRUE(receive("demo"));
  settle();
  EXPECT_EQ(sender.in_flight(), 4) << "the bound is free again";
}

TEST_F(DispatchBounds, LaneThatComesLastIsServedBeforeTheFirstIsServedTwiceMore) {
  make_actions(6);
  sender.set_script([](const auto&) { return answer(200, seconds{1}); });
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(receive("demo"));
  settle();
  auto late = make_source("late");
  make_action(late, "last");
  ASSERT_TRUE(receive("late"));
  advance(seconds{2});
  EXPECT_EQ(calls_to("last"), 1);
}

TEST_F(DispatchBounds, HangingEndpointsThatFillTheBoundLetOthersInAsTheyTimeOut) {
  auto actions = make_actions(1);
  sender.set_script([](const doubles::RecordedCall& call) {
    return call.call.url.ends_with("good") ? answer(200) : answer(200, minutes{5});
  });
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(receive("demo"));
  make_action(source, "good");
  ASSERT_TRUE(receive("demo"));
  settle();
  EXPECT_EQ(calls_to("good"), 0);
  advance(model::kAttemptTimeoutDefault);
  EXPECT_EQ(calls_to("good"), 1);
}

class DispatchBytes : public DispatchBounds {
 protected:
  DispatchBytes() : DispatchBounds({.bytes_max = 2'500}) {}
};

TEST_F(DispatchBytes, BodiesInFlightStayWithinTheirBytesButForTheLast) {
  make_actions(3);
  sender.set_script([](const auto&) { return answer(200, seconds{1}); });
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(receive("demo", std::string(1'000, 'x')));
  settle();
  for (int i = 0; i < 4; ++i) advance(seconds{1});
  EXPECT_EQ(sender.most_in_flight(), 3);
  EXPECT_EQ(count(DeliveryState::delivered), 12);
}

TEST_F(DispatchBytes, BodyAboveTheBoundGoesOutByItself) {
  make_actions(1);
  sender.set_script([](const auto&) { return answer(200, seconds{1}); });
  ASSERT_TRUE(receive("demo", std::string(10'000, 'x')));
  ASSERT_TRUE(receive("demo", "small"));
  settle();
  EXPECT_EQ(sender.in_flight(), 1);
  advance(seconds{1});
  EXPECT_EQ(sender.in_flight(), 1);
  advance(seconds{1});
  EXPECT_EQ(count(DeliveryState::delivered), 2);
}

class DispatchLeases : public DispatchBounds {
 protected:
  DispatchLeases() : DispatchBounds({}) {}
};

TEST_F(DispatchLeases, OldBacklogsThatFillEveryLeaseCallKeepNoNewcomerWaiting) {
  auto actions = make_actions(6);
  for (auto& one : actions) one.max_in_flight = 64;
  set_desired(actions, model::DesiredState::paused);
  for (auto& one : actions) {
    one.max_in_flight = 64;
    one = put(one);
  }
  for (int i = 0; i < 600; ++i) ASSERT_TRUE(receive("demo"));
  advance(minutes{1});
  auto late = make_source("late");
  auto last = make_action(late, "last");
  last.desired = model::DesiredState::paused;
  last = put(last);
  ASSERT_TRUE(receive("late"));

  std::size_t before_last = 0;
  sender.set_script([&](const doubles::RecordedCall& call) {
    if (call.call.url.ends_with("last")) before_last = sender.calls().size();
    return answer(200);
  });
  store.set_commits(doubles::MemoryStore::Commits::by_hand);
  std::vector<model::RegistryChange> changes;
  for (auto& one : actions) {
    one.desired = model::DesiredState::active;
    changes.emplace_back(model::PutAction{one, action(one.id).revision});
  }
  last.desired = model::DesiredState::active;
  changes.emplace_back(model::PutAction{last, action(last.id).revision});
  boost::asio::co_spawn(
      loop, store.commit(std::move(changes)),
      [](const std::exception_ptr&, const Result<model::SnapshotPtr>& done) { EXPECT_TRUE(done); });
  settle();
  store.commit_waiting();
  store.set_commits(doubles::MemoryStore::Commits::each_turn);
  settle();
  EXPECT_EQ(count(DeliveryState::delivered), 3'601);
  EXPECT_GT(before_last, 0U);
  EXPECT_LT(before_last, 2'600U) << "it was in the second call, not behind the last backlog";
}

}  // namespace
}  // namespace grapnel::pipeline
