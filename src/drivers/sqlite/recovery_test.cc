// What a process that ended at a bad moment leaves to the next one.
#include <gtest/gtest.h>

#include <fstream>

#include "drivers/sqlite/store_harness.h"
#include "model/errors.h"

namespace grapnel::sqlite {
namespace {

using model::Birth;
using model::DeliveryState;
using Kind = model::Settlement::Kind;

struct RecoveryTest : testing::Test {
  StoreHarness harness;
  model::SourceId source;
  model::ActionId action;

  void SetUp() override {
    harness.open();
    source = harness.add_source("demo");
    action = harness.add_action(source, "sink");
  }
};

TEST_F(RecoveryTest, RunningDeliveryBecomesOneUnknownAttemptAndWaits) {
  const auto born = harness.append(harness.draft(source, "{}", Birth::leased)).deliveries.at(0);
  ASSERT_NE(born.fence, 0);
  harness.reopen();
  const auto delivery = harness.delivery(born.id);
  EXPECT_EQ(delivery.state, DeliveryState::pending);
  EXPECT_EQ(delivery.attempts, 1);
  EXPECT_EQ(delivery.unknown_streak, 1);
  EXPECT_EQ(delivery.tries_used, 0);
  const auto attempts = harness.run(harness.store->ports().catalog.attempts(delivery.seq));
  ASSERT_TRUE(attempts);
  ASSERT_EQ(attempts->size(), 1U);
  EXPECT_EQ(attempts->at(0).number, 1);
  EXPECT_EQ(attempts->at(0).result, model::AttemptResult::unknown);
  EXPECT_EQ(attempts->at(0).error, "the process ended before the outcome was known");
  EXPECT_EQ(harness.store->ports().book.open_work(action).pending, 1);
  EXPECT_EQ(harness.store->ports().book.open_work(action).running, 0);
}

TEST_F(RecoveryTest, OutcomeOfAFormerProcessIsStale) {
  const auto born = harness.append(harness.draft(source, "{}", Birth::leased)).deliveries.at(0);
  harness.reopen();
  EXPECT_TRUE(harness.settle(harness.outcome(born, Kind::delivered)).stale);
  const auto again = harness.lease(action, 1).leases.at(0);
  EXPECT_GT(again.fence, born.fence);
  EXPECT_TRUE(harness.settle(harness.outcome(born, Kind::delivered)).stale);
  EXPECT_EQ(harness.delivery(born.id).state, DeliveryState::running);
}

TEST_F(RecoveryTest, WishedCancellationOverridesTheUnknownOutcome) {
  const auto born = harness.append(harness.draft(source, "{}", Birth::leased)).deliveries.at(0);
  const auto wished = harness.run(harness.store->ports().book.cancel({born.id}));
  ASSERT_TRUE(wished);
  EXPECT_EQ(wished->at(0), DeliveryState::running);
  harness.reopen();
  const auto delivery = harness.delivery(born.id);
  EXPECT_EQ(delivery.state, DeliveryState::cancelled);
  EXPECT_EQ(delivery.reason, model::EndReason::by_person);
  EXPECT_EQ(delivery.attempts, 1);
}

TEST_F(RecoveryTest, GoneEndpointOverridesTheUnknownOutcome) {
  auto pair = harness.draft(source, "{}", Birth::leased);
  const auto first = harness.append(std::move(pair)).deliveries.at(0);
  const auto second = harness.append(harness.draft(source, "{}", Birth::leased)).deliveries.at(0);
  auto gone = harness.outcome(first, Kind::dead);
  gone.health = model::HealthReport{.health = model::Health::gone,
                                    .target_revision = harness.action(action)->target_revision,
                                    .reason = "410"};
  harness.settle(std::move(gone));
  EXPECT_EQ(harness.action(action)->health, model::Health::gone);
  harness.reopen();
  EXPECT_EQ(harness.action(action)->health, model::Health::gone);
  EXPECT_EQ(harness.delivery(second.id).state, DeliveryState::dead);
  EXPECT_EQ(harness.delivery(second.id).reason, model::EndReason::endpoint_gone);
}

TEST_F(RecoveryTest, EverythingThatWaitsIsHintedAtOnceAfterStart) {
  harness.append(harness.draft(source, "{}"));
  harness.append(harness.draft(source, "{}", Birth::leased));
  harness.reopen();
  std::vector<model::WorkHint> hints;
  harness.store->ports().book.watch_work([&](const auto& found) { hints = found; });
  ASSERT_TRUE(doubles::wait_until(harness.loop, [&] { return !hints.empty(); }));
  ASSERT_EQ(hints.size(), 1U);
  EXPECT_EQ(hints[0].action, action);
  EXPECT_LE(hints[0].due, harness.store->ports().clock.now());
}

TEST_F(RecoveryTest, NumbersClockAndEpochGoOnWhereTheyWere) {
  const auto first = harness.append(harness.draft(source, "{}"));
  const auto epoch = harness.store->epoch();
  const Time before = harness.store->ports().clock.now();
  harness.close();
  harness.clock.jump_wall(-std::chrono::hours{5});
  harness.open();
  EXPECT_EQ(harness.store->epoch(), epoch + 1);
  EXPECT_GE(harness.store->ports().clock.now(), before);
  EXPECT_GT(harness.append(harness.draft(source, "{}")).seq, first.deliveries.at(0).seq);
}

TEST_F(RecoveryTest, IdempotencyKeysAndHeldEventsSurviveARestart) {
  auto keyed = harness.draft(source, "one");
  keyed.event.idempotency_place = "header:webhook-id";
  keyed.event.idempotency_key = "k1";
  const auto first = harness.append(keyed);
  auto held = harness.draft(source, "held");
  held.plan.state = model::FanoutState::held;
  EXPECT_EQ(harness.append(held).admission, model::Admission::held);
  harness.reopen();
  auto again = harness.draft(source, "two");
  again.event.idempotency_place = "header:webhook-id";
  again.event.idempotency_key = "k1";
  const auto second = harness.append(again);
  EXPECT_EQ(second.admission, model::Admission::duplicate);
  EXPECT_EQ(second.event, first.event);
  EXPECT_TRUE(second.other_body);
  EXPECT_EQ(harness.store->ports().log.held_work(source).count, 1);
  EXPECT_EQ(harness.append(harness.draft(source, "joins")).admission, model::Admission::held);
}

TEST_F(RecoveryTest, OnlyOrphanedBodiesOfFormerStartsAreSwept) {
  const auto body = std::make_shared<const std::string>(300'000, 'x');
  auto large = harness.draft(source, *body);
  large.event.body.clear();
  large.body_file = harness.run(harness.store->ports().log.write_body(body)).value();
  const auto kept = harness.append(std::move(large));
  const auto orphan = harness.run(harness.store->ports().log.write_body(body)).value();
  harness.reopen();
  const auto fresh = harness.run(harness.store->ports().log.write_body(body)).value();
  const std::string bodies = harness.options.data_dir + "/bodies/";
  EXPECT_FALSE(std::filesystem::exists(bodies + orphan));
  EXPECT_TRUE(std::filesystem::exists(bodies + fresh));
  EXPECT_EQ(harness.event(kept.seq).body, *body);
}

TEST_F(RecoveryTest, DamagedBodyIsNamedInsteadOfServed) {
  const auto body = std::make_shared<const std::string>(300'000, 'x');
  auto large = harness.draft(source, *body);
  const auto id = large.event.id;
  large.event.body.clear();
  large.body_file = harness.run(harness.store->ports().log.write_body(body)).value();
  const std::string path = harness.options.data_dir + "/bodies/" + large.body_file;
  const auto damaged = harness.append(std::move(large));
  const auto whole = harness.append(harness.draft(source, "whole"));
  std::fstream(path, std::ios::in | std::ios::out | std::ios::binary).seekp(1000).put('y');
  const auto found =
      harness.run(harness.store->ports().log.read({damaged.seq, whole.seq, 999'999}));
  ASSERT_TRUE(found);
  ASSERT_FALSE(found->at(0));
  EXPECT_EQ(found->at(0).error().code, model::errc::body_damaged);
  EXPECT_NE(found->at(0).error().message().find(id.str()), std::string::npos);
  EXPECT_EQ((*found->at(1))->body, "whole");
  EXPECT_EQ(*found->at(2), nullptr);
}

}  // namespace
}  // namespace grapnel::sqlite
