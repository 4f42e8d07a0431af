#include "pipeline/outcomes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/one_shot.h"
#include "doubles/drive.h"
#include "doubles/manual_timers.h"
#include "model/errors.h"

namespace grapnel::pipeline {
namespace {

using model::Settled;
using model::Settlement;
using std::chrono::seconds;

/// A book that settles when the test says so, and does nothing else.
class SlowBook final : public model::DeliveryBook {
 public:
  using Answer = Result<std::vector<Settled>>;
  explicit SlowBook(async::Loop& loop) : loop_(loop) {}

  async::Task<Answer> settle(std::vector<Settlement> settlements) override {
    const auto call = std::make_shared<Call>(loop_.get_executor(), settlements.size());
    calls_.push_back(call);
    co_return co_await call->answer.wait();
  }
  std::size_t calls() const { return calls_.size(); }
  std::size_t items_of_oldest() const { return calls_.front()->items; }
  /// Answers the oldest call.
  void answer(bool good) {
    const auto call = calls_.front();
    calls_.pop_front();
    if (good) {
      call->answer.set(std::vector<Settled>(call->items));
    } else {
      call->answer.set(fail(model::errc::store_unavailable));
    }
    doubles::run_ready(loop_);
  }

  using Id = model::DeliveryId;
  template <class T>
  using Later = async::Task<Result<T>>;
  MOCK_METHOD(Later<model::LeaseBatch>, lease, (std::vector<model::LeaseWish>), (override));
  MOCK_METHOD(Later<std::vector<Result<model::DeliveryState>>>, cancel, (std::vector<Id>),
              (override));
  MOCK_METHOD(Later<model::Delivery>, retry_now, (Id), (override));
  MOCK_METHOD(Later<model::Delivery>, skip, (Id), (override));
  MOCK_METHOD(Later<std::vector<Result<model::Delivery>>>, replay, (std::vector<model::ReplayWish>),
              (override));
  MOCK_METHOD(Later<model::ReplayJob>, start_job, (model::ReplayJob), (override));
  MOCK_METHOD(Later<model::ReplayJob>, step_job, (model::JobId, std::vector<Id>), (override));
  MOCK_METHOD(Later<model::ReplayJob>, cancel_job, (model::JobId), (override));
  MOCK_METHOD(Later<std::vector<model::ReplayJob>>, jobs, (), (override));
  MOCK_METHOD(model::OpenWork, open_work, (model::ActionId), (const, override));
  MOCK_METHOD(void, watch_work, (std::function<void(const std::vector<model::WorkHint>&)>),
              (override));

 private:
  struct Call {
    Call(async::Executor executor, std::size_t count) : items(count), answer(executor) {}
    std::size_t items;
    async::OneShot<Answer> answer;
  };
  async::Loop& loop_;
  std::deque<std::shared_ptr<Call>> calls_;
};

class OutcomesTest : public testing::Test {
 protected:
  ~OutcomesTest() override {
    outcomes.give_up();
    doubles::run_ready(loop);
    while (book.calls() > 0) book.answer(true);
    doubles::run(loop, outcomes.stop(async::Deadline(timers.now() + kStoreRetryMax)));
    doubles::run(loop, scope.join());
  }
  void write(std::size_t count = 1) {
    for (std::size_t i = 0; i < count; ++i) scope.spawn(write_and_count());
    doubles::run_ready(loop);
  }
  void wait() {
    timers.advance(kStoreRetryMax);
    doubles::run_ready(loop);
  }

  async::Loop loop;
  doubles::ManualClock clock;
  doubles::ManualTimers timers{loop, clock};
  SlowBook book{loop};
  telemetry::Metrics registry{{.version = "test"}};
  telemetry::Log log{clock, {.level = telemetry::Level::off}};
  Metrics metrics{registry};
  int came_back = 0;
  std::size_t written = 0;
  Outcomes outcomes{{.executor = loop.get_executor(),
                     .timers = timers,
                     .book = book,
                     .metrics = metrics,
                     .log_lines = log,
                     .store_back = [this] { ++came_back; }}};
  async::Scope scope{loop.get_executor()};

 private:
  async::Task<> write_and_count() {
    co_await outcomes.write({.kind = Settlement::Kind::delivered});
    ++written;
  }
};

TEST_F(OutcomesTest, StoreIsDownUntilTheLastKeptOutcomeIsDurable) {
  write(kBatchItemsMax + 10);
  ASSERT_EQ(book.calls(), 2U);
  book.answer(false);
  book.answer(false);
  EXPECT_FALSE(outcomes.store_is_up());
  EXPECT_EQ(outcomes.kept(), kBatchItemsMax + 10);
  wait();
  ASSERT_EQ(book.calls(), 2U);
  book.answer(true);
  EXPECT_EQ(written, kBatchItemsMax);
  EXPECT_FALSE(outcomes.store_is_up()) << "ten are not durable yet";
  outcomes.store_works();
  EXPECT_FALSE(outcomes.store_is_up()) << "whoever else had luck with the store";
  EXPECT_EQ(came_back, 0);
  book.answer(true);
  EXPECT_TRUE(outcomes.store_is_up());
  EXPECT_EQ(came_back, 1);
  EXPECT_EQ(outcomes.kept(), 0U);
}

TEST_F(OutcomesTest, KeptOutcomesAreOfferedTogetherLessAndLessOften) {
  write(5);
  book.answer(false);
  int offers = 0;
  for (int i = 0; i < 60; ++i) {
    timers.advance(seconds{1});
    doubles::run_ready(loop);
    while (book.calls() > 0) {
      EXPECT_EQ(book.items_of_oldest(), 5U);
      book.answer(false);
      ++offers;
    }
  }
  EXPECT_GE(offers, 25);
  EXPECT_LE(offers, 40);
}

TEST_F(OutcomesTest, AfterGivingUpWhatIsRefusedIsDropped) {
  write(3);
  book.answer(false);
  outcomes.give_up();
  doubles::run_ready(loop);
  ASSERT_EQ(book.calls(), 1U) << "one last try";
  book.answer(false);
  EXPECT_EQ(written, 3U) << "nobody waits any more";
  write();
  book.answer(false);
  EXPECT_EQ(written, 4U);
}

TEST_F(OutcomesTest, StoreThatFailedElsewhereIsBackWithTheFirstCallThatWorks) {
  outcomes.store_failed(Error{model::errc::store_full, ""});
  EXPECT_FALSE(outcomes.store_is_up());
  write();
  book.answer(true);
  EXPECT_TRUE(outcomes.store_is_up());
  EXPECT_EQ(came_back, 1);
}

}  // namespace
}  // namespace grapnel::pipeline
