#include "drivers/js/call_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace grapnel::js {
namespace {

using std::chrono::milliseconds;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Queue : public ::testing::Test {
 protected:
  CallPtr call(const model::ScriptPtr& script, std::string event = "{}",
               CallKind kind = CallKind::run) {
    return std::make_shared<PendingCall>(
        loop_.get_executor(), kind, model::ScriptCall{.script = script, .event = std::move(event)});
  }
  std::size_t push(const model::ScriptPtr& script, std::size_t count) {
    std::size_t taken = 0;
    while (taken < count && queue_.push(call(script), now_)) ++taken;
    return taken;
  }
  /// Of whom the next batch is, and how many calls it has.
  std::pair<model::ScriptPtr, std::size_t> next(Lane lane = Lane::proven_first) {
    const Batch batch = queue_.take(lane, now_);
    return {batch.script, batch.calls.size()};
  }
  static model::ScriptPtr script() { return std::make_shared<model::Script>(); }

  async::Loop loop_;
  CallQueue queue_;
  Monotonic now_;
};

using Next = std::pair<model::ScriptPtr, std::size_t>;

TEST_F(Queue, GivesBatchesOfOneScriptInTurns) {
  const auto a = script();
  const auto b = script();
  push(a, kBatchCallsMax + 5);
  push(b, 3);
  EXPECT_EQ(next(), Next(a, kBatchCallsMax));
  EXPECT_EQ(next(), Next(b, 3));
  EXPECT_EQ(next(), Next(a, 5));
  EXPECT_EQ(next(), Next(nullptr, 0));
  EXPECT_EQ(queue_.waiting(), 0U);
}

TEST_F(Queue, EndsABatchAtItsBytesButNeverBeforeItsFirstCall) {
  const auto a = script();
  const std::string large(kBatchBytesMax + 1, ' ');
  queue_.push(call(a, large), now_);
  queue_.push(call(a), now_);
  queue_.push(call(a, large), now_);
  EXPECT_EQ(next().second, 1U);
  EXPECT_EQ(next().second, 1U);
  EXPECT_EQ(next().second, 1U);
}

TEST_F(Queue, KeepsAChecksBatchForItself) {
  const auto a = script();
  queue_.push(call(a), now_);
  queue_.push(call(a, "", CallKind::check), now_);
  queue_.push(call(a), now_);
  EXPECT_EQ(next().second, 1U);
  EXPECT_EQ(next().second, 1U);
  EXPECT_EQ(next().second, 1U);
}

TEST_F(Queue, LeavesRoomForOthersHoweverMuchOneScriptAsksFor) {
  const auto a = script();
  const auto b = script();
  const std::size_t first = push(a, model::kScriptCallsMax);
  EXPECT_EQ(first, model::kScriptCallsMax / kShareDivisor);
  EXPECT_EQ(push(b, model::kScriptCallsMax), (model::kScriptCallsMax - first) / kShareDivisor);
  EXPECT_LT(queue_.waiting(), model::kScriptCallsMax);
}

TEST_F(Queue, ServesProvenScriptsFirstOnOneLaneAndNewOnesOnTheOther) {
  const auto good = script();
  const auto fresh = script();
  queue_.note_answer(good, milliseconds{1});
  push(fresh, 1);
  push(good, 1);
  EXPECT_EQ(next(Lane::proven_first), Next(good, 1));
  push(good, 1);
  EXPECT_EQ(next(Lane::unproven_first), Next(fresh, 1));
}

TEST_F(Queue, GivesSuspectsToTheirLaneAloneOneCallAtATime) {
  const auto bad = script();
  const auto worse = script();
  push(bad, 2);
  push(worse, 1);
  EXPECT_THAT(queue_.suspect(bad, now_ + kSuspectTime), IsEmpty());
  EXPECT_THAT(queue_.suspect(worse, now_ + kSuspectTime), IsEmpty());
  EXPECT_EQ(next(), Next(nullptr, 0));
  EXPECT_EQ(next(Lane::suspects), Next(bad, 1));
  EXPECT_EQ(next(Lane::suspects), Next(worse, 1));
  EXPECT_EQ(next(Lane::suspects), Next(bad, 1));
}

TEST_F(Queue, TurnsAwayWhatSuspectsHaveNoRoomFor) {
  const auto bad = script();
  push(bad, kSuspectCallsMax + 7);
  EXPECT_THAT(queue_.suspect(bad, now_ + kSuspectTime), SizeIs(7));
  EXPECT_FALSE(queue_.push(call(bad), now_));
  std::size_t total = kSuspectCallsMax;
  for (int i = 0; i < 10; ++i) {
    const auto other = script();
    queue_.suspect(other, now_ + kSuspectTime);
    total += push(other, kSuspectCallsMax);
  }
  EXPECT_EQ(total, kSuspectCallsTotalMax);
}

TEST_F(Queue, PardonsASuspectAfterItsTimeOrQuickCalls) {
  const auto bad = script();
  queue_.suspect(bad, now_ + kSuspectTime);
  push(bad, 2);
  EXPECT_TRUE(queue_.is_suspect(bad, now_));
  EXPECT_FALSE(queue_.has_work(Lane::proven_first, now_));
  now_ += kSuspectTime;
  EXPECT_TRUE(queue_.has_work(Lane::proven_first, now_));
  EXPECT_EQ(next(), Next(bad, 2));

  queue_.suspect(bad, now_ + kSuspectTime);
  for (int i = 0; i < kSuspectPardonCalls; ++i) queue_.note_answer(bad, milliseconds{1});
  EXPECT_FALSE(queue_.is_suspect(bad, now_));
}

TEST_F(Queue, SkipsCallsThatNobodyWaitsFor) {
  const auto a = script();
  const auto gone = call(a);
  queue_.push(gone, now_);
  gone->abandoned = true;
  EXPECT_FALSE(queue_.has_work(Lane::proven_first, now_));
  EXPECT_EQ(queue_.waiting(), 0U);
  push(a, 1);
  EXPECT_EQ(next().second, 1U);
}

TEST_F(Queue, PutsCallsBackInFrontInTheirOrder) {
  const auto a = script();
  const auto first = call(a, "1");
  const auto second = call(a, "2");
  queue_.push(first, now_);
  queue_.push(second, now_);
  Batch batch = queue_.take(Lane::proven_first, now_);
  queue_.push(call(a, "3"), now_);
  queue_.put_back(std::move(batch.calls));
  batch = queue_.take(Lane::proven_first, now_);
  ASSERT_THAT(batch.calls, SizeIs(3));
  EXPECT_EQ(batch.calls[0], first);
  EXPECT_EQ(batch.calls[1], second);
}

TEST_F(Queue, KnowsAScriptNoLongerThanItLives) {
  auto bad = std::make_shared<const model::Script>();
  queue_.suspect(bad, now_ + kSuspectTime);
  EXPECT_EQ(queue_.suspects(now_), 1U);
  bad.reset();
  for (std::size_t i = 0; i < kScriptsKnownMax; ++i) queue_.note_answer(script(), milliseconds{1});
  EXPECT_EQ(queue_.suspects(now_), 0U);
}

TEST_F(Queue, DrainsEverything) {
  const auto a = script();
  const auto b = script();
  push(a, 3);
  push(b, 2);
  queue_.suspect(b, now_ + kSuspectTime);
  EXPECT_THAT(queue_.drain(), SizeIs(5));
  EXPECT_EQ(queue_.waiting(), 0U);
  EXPECT_FALSE(queue_.has_work(Lane::proven_first, now_));
  EXPECT_FALSE(queue_.has_work(Lane::suspects, now_));
}

}  // namespace
}  // namespace grapnel::js
