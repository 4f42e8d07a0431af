// What is leased, appended or under way when a drain begins: nothing of it stays behind.
#include <gtest/gtest.h>

#include "async/scope.h"
#include "pipeline/rig.h"

namespace grapnel::pipeline {
namespace {

using doubles::answer;
using model::DeliveryState;
using std::chrono::minutes;
using std::chrono::seconds;

class DispatchDrain : public testing::Test, public Rig {
 protected:
  DispatchDrain() : source(make_source("demo")) {
    out = make_action(source, "out");
    out.retry.schedule = {seconds{1}, seconds{1}, seconds{1}};
    out = put(out);
  }
  ~DispatchDrain() override { doubles::run(loop, scope.join()); }

  void stop_beside(std::chrono::nanoseconds time_left) {
    scope.spawn(stop_and_note(async::Deadline(timers.now() + time_left)));
    settle();
  }
  void receive_beside(std::string body) {
    scope.spawn(receive_and_note(std::move(body)));
    settle();
  }
  void commit_all() {
    while (store.commit_waiting()) settle();
  }

  model::Source source;
  model::Action out;
  bool stopped = false;
  std::vector<std::expected<Receipt, Refusal>> receipts;
  async::Scope scope{loop.get_executor()};

 private:
  async::Task<> stop_and_note(async::Deadline deadline) {
    co_await process->stop(deadline);
    stopped = true;
  }
  async::Task<> receive_and_note(std::string body) {
    receipts.push_back(co_await ingest().receive("demo", request("demo", std::move(body))));
  }
};

TEST_F(DispatchDrain, EndsWithItsLastAttemptAndNotAtTheDeadline) {
  sender.set_script([](const auto&) { return answer(200, seconds{3}); });
  ASSERT_TRUE(receive("demo"));
  settle();
  stop_beside(seconds{25});
  EXPECT_FALSE(stopped);
  advance(seconds{3});
  EXPECT_TRUE(stopped);
  EXPECT_EQ(only_delivery().state, DeliveryState::delivered);
}

TEST_F(DispatchDrain, AttemptAtTheDeadlineIsHandedBackAndUsesNoTry) {
  sender.set_script([](const auto&) { return answer(200, seconds{10}); });
  ASSERT_TRUE(receive("demo"));
  settle();
  stop_beside(seconds{5});
  advance(seconds{5});
  EXPECT_TRUE(stopped);
  EXPECT_EQ(only_delivery().state, DeliveryState::pending);
  EXPECT_EQ(only_delivery().tries_used, 0);
  EXPECT_EQ(only_delivery().unknown_streak, 0);
}

TEST_F(DispatchDrain, EverythingLeasedAheadIsPendingAfterAStopWithNoTimeLeft) {
  out.max_in_flight = 1;
  put(out);
  sender.set_script([](const auto&) { return answer(200, seconds{10}); });
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(receive("demo"));
  stop_beside(seconds{0});
  EXPECT_TRUE(stopped);
  EXPECT_EQ(count(DeliveryState::pending), 10);
}

TEST_F(DispatchDrain, LeaseCallUnderWayBringsNothingThatStaysLeased) {
  sender.set_script([](const auto&) { return answer(500); });
  ASSERT_TRUE(receive("demo"));
  settle();
  store.set_commits(doubles::MemoryStore::Commits::by_hand);
  advance(seconds{2});
  ASSERT_EQ(store.waiting(), 1U) << "the retry is being leased";
  stop_beside(seconds{0});
  commit_all();
  EXPECT_TRUE(stopped);
  store.set_commits(doubles::MemoryStore::Commits::each_turn);
  EXPECT_EQ(only_delivery().state, DeliveryState::pending);
  EXPECT_EQ(sender.calls().size(), 1U);
}

TEST_F(DispatchDrain, AppendUnderWayIsHandedBackByTheDrain) {
  store.set_commits(doubles::MemoryStore::Commits::by_hand);
  receive_beside("x");
  process->begin_drain();
  commit_all();
  ASSERT_EQ(receipts.size(), 1U);
  EXPECT_TRUE(receipts[0]) << "it is durable, so it is acknowledged";
  store.set_commits(doubles::MemoryStore::Commits::each_turn);
  settle();
  EXPECT_EQ(only_delivery().state, DeliveryState::pending);
  EXPECT_TRUE(sender.calls().empty());
}

TEST_F(DispatchDrain, ActionPausedWhileAnAppendIsUnderWayKeepsNoLease) {
  store.set_commits(doubles::MemoryStore::Commits::by_hand);
  receive_beside("x");
  out = action(out.id);
  out.desired = model::DesiredState::paused;
  bool paused = false;
  boost::asio::co_spawn(loop, store.commit({model::PutAction{out, out.revision}}),
                        [&](const std::exception_ptr&, const Result<model::SnapshotPtr>& done) {
                          paused = done.has_value();
                        });
  settle();
  commit_all();
  store.set_commits(doubles::MemoryStore::Commits::each_turn);
  settle();
  ASSERT_TRUE(paused);
  EXPECT_EQ(only_delivery().state, DeliveryState::pending);
  EXPECT_TRUE(sender.calls().empty());
  out = action(out.id);
  out.desired = model::DesiredState::active;
  put(out);
  settle();
  EXPECT_EQ(only_delivery().state, DeliveryState::delivered);
}

TEST_F(DispatchDrain, CanceledRequestLeavesNoPlaceReserved) {
  store.set_commits(doubles::MemoryStore::Commits::by_hand);
  auto changed = out;
  changed.name = "renamed";
  boost::asio::co_spawn(loop, store.commit({model::PutAction{changed, out.revision}}),
                        [](const std::exception_ptr&, const Result<model::SnapshotPtr>&) {});
  settle();
  receive_beside("x");  // planned before that commit, so its plan is stale
  scope.cancel();
  commit_all();
  store.set_commits(doubles::MemoryStore::Commits::each_turn);
  settle();
  ASSERT_EQ(receipts.size(), 1U);
  EXPECT_TRUE(receipts[0]);
  EXPECT_EQ(only_delivery().state, DeliveryState::delivered);
  EXPECT_EQ(dispatcher().lanes(), 0U);
}

TEST_F(DispatchDrain, StoreThatStaysDownDoesNotHoldUpTheEndBeyondTheDeadline) {
  sender.set_script([](const auto&) { return answer(200, seconds{1}); });
  ASSERT_TRUE(receive("demo"));
  settle();
  store.set_outage(model::errc::store_unavailable);
  stop_beside(seconds{5});
  advance(seconds{4});
  EXPECT_FALSE(stopped);
  advance(seconds{1});
  EXPECT_TRUE(stopped);
  process.reset();
  store.set_outage(std::nullopt);
  store.crash();
  start_again();
  advance(seconds{1});
  EXPECT_EQ(only_delivery().state, DeliveryState::delivered);
  EXPECT_EQ(only_delivery().attempts, 2) << "the outcome that was lost is one unknown attempt";
}

TEST_F(DispatchDrain, StopTwiceIsHarmless) {
  ASSERT_TRUE(receive("demo"));
  stop_beside(minutes{1});
  EXPECT_TRUE(stopped);
  stopped = false;
  stop_beside(minutes{1});
  EXPECT_TRUE(stopped);
}

}  // namespace
}  // namespace grapnel::pipeline
