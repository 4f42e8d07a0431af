#include "pipeline/batcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "doubles/drive.h"
#include "doubles/manual_clock.h"
#include "doubles/manual_timers.h"
#include "model/errors.h"

namespace grapnel::pipeline {
namespace {

using testing::ElementsAre;

/// A store whose answers come when the test says so.
class BatcherTest : public testing::Test {
 protected:
  using Answers = Result<std::vector<int>>;
  using IntBatcher = Batcher<int, int>;

  ~BatcherTest() override { doubles::run(loop, scope.join()); }

  void add(int item) { scope.spawn(add_and_note(item)); }
  void add_group(std::vector<int> items) { scope.spawn(add_group_and_note(std::move(items))); }
  void settle() { doubles::run_ready(loop); }
  async::Deadline in_a_minute() const {
    return async::Deadline(timers.now() + std::chrono::minutes{1});
  }
  /// Answers the oldest call.
  void answer(bool good) {
    auto call = std::move(calls.front());
    calls.pop_front();
    std::vector<int> doubled;
    for (const int item : call->items) doubled.push_back(item * 2);
    if (good) {
      call->answer.set(doubled);
    } else {
      call->answer.set(fail(model::errc::store_full));
    }
    settle();
  }

  struct Call {
    Call(async::Executor executor, std::vector<int> what)
        : items(std::move(what)), answer(executor) {}
    std::vector<int> items;
    async::OneShot<Answers> answer;
  };

  async::Loop loop;
  doubles::ManualClock clock;
  doubles::ManualTimers timers{loop, clock};
  std::deque<std::shared_ptr<Call>> calls;
  std::vector<std::pair<int, int>> done;  // item, its answer; -1 for a failure
  async::Scope scope{loop.get_executor()};
  IntBatcher batcher{loop.get_executor(),
                     [this](std::vector<int> items) { return store(std::move(items)); }};

 private:
  async::Task<> add_and_note(int item) {
    const auto got = co_await batcher.add(item);
    done.emplace_back(item, got ? *got : -1);
  }
  /// Notes the first item with the sum of the answers.
  async::Task<> add_group_and_note(std::vector<int> items) {
    const int first = items.front();
    const auto got = co_await batcher.add_group(std::move(items));
    int sum = 0;
    for (const int one : got ? *got : std::vector<int>{-1}) sum += one;
    done.emplace_back(first, sum);
  }
  async::Task<Answers> store(std::vector<int> items) {
    const auto call = std::make_shared<Call>(loop.get_executor(), std::move(items));
    calls.push_back(call);
    co_return co_await call->answer.wait();
  }
};

TEST_F(BatcherTest, FailureIsToldToAllOfItsBatchAndToNoOther) {
  add(1);
  add(2);
  settle();
  add(3);
  settle();
  ASSERT_EQ(calls.size(), 2U);
  answer(false);
  EXPECT_THAT(done, ElementsAre(std::pair(1, -1), std::pair(2, -1)));
  answer(true);
  EXPECT_EQ(done.back(), std::pair(3, 6));
}

TEST_F(BatcherTest, WhatComesInOneTurnIsOneBatch) {
  for (int i = 0; i < 100; ++i) add(i);
  settle();
  ASSERT_EQ(calls.size(), 1U);
  EXPECT_EQ(calls[0]->items.size(), 100U);
  answer(true);
  EXPECT_EQ(done.size(), 100U);
}

TEST_F(BatcherTest, OneGathersWhileOthersAreCommitted) {
  for (int i = 0; i < 10; ++i) {
    add(i);
    settle();
  }
  ASSERT_EQ(calls.size(), static_cast<std::size_t>(kBatchesInFlightMax));
  EXPECT_EQ(batcher.waiting(), 8U);
  answer(true);
  ASSERT_EQ(calls.size(), 2U);
  EXPECT_THAT(calls[1]->items, ElementsAre(2, 3, 4, 5, 6, 7, 8, 9));
  answer(true);
  answer(true);
  EXPECT_EQ(done.size(), 10U);
}

TEST_F(BatcherTest, BatchStaysWithinItsBoundAndInOrder) {
  const int count = static_cast<int>(kBatchItemsMax) + 10;
  for (int i = 0; i < count; ++i) add(i);
  settle();
  ASSERT_EQ(calls.size(), 2U);
  EXPECT_EQ(calls[0]->items.size(), kBatchItemsMax);
  EXPECT_EQ(calls[1]->items.front(), static_cast<int>(kBatchItemsMax));
  answer(true);
  answer(true);
  for (int i = 0; i < count; ++i) EXPECT_EQ(done[static_cast<std::size_t>(i)], std::pair(i, 2 * i));
}

TEST_F(BatcherTest, AGroupIsNeverCutAndFailsAsOne) {
  const int before = static_cast<int>(kBatchItemsMax) - 2;
  for (int i = 0; i < before; ++i) add(i);
  add_group({5001, 5002, 5003});
  settle();
  ASSERT_EQ(calls.size(), 2U);
  EXPECT_EQ(calls[0]->items.size(), static_cast<std::size_t>(before));
  EXPECT_THAT(calls[1]->items, ElementsAre(5001, 5002, 5003));
  answer(true);
  answer(false);
  EXPECT_EQ(done.back(), std::pair(5001, -1));
  add_group({6001, 6002});
  settle();
  answer(true);
  EXPECT_EQ(done.back(), std::pair(6001, 2 * 6001 + 2 * 6002));
}

TEST_F(BatcherTest, StopReturnsWhenEverybodyIsAnswered) {
  bool stopped = false;
  add(1);
  settle();
  boost::asio::co_spawn(loop, batcher.stop(timers, in_a_minute()),
                        [&](const std::exception_ptr&) { stopped = true; });
  settle();
  EXPECT_FALSE(stopped);
  answer(true);
  EXPECT_TRUE(stopped);
}

TEST_F(BatcherTest, StopReturnsAtItsDeadlineWhenTheStoreNeverAnswers) {
  bool stopped = false;
  add(1);
  settle();
  boost::asio::co_spawn(loop, batcher.stop(timers, in_a_minute()),
                        [&](const std::exception_ptr&) { stopped = true; });
  settle();
  timers.advance(std::chrono::minutes{1});
  settle();
  EXPECT_TRUE(stopped);
  EXPECT_TRUE(done.empty());
  answer(true);  // or the batcher could not be destroyed
}

}  // namespace
}  // namespace grapnel::pipeline
