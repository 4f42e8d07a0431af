#include "pipeline/plan.h"

#include <gtest/gtest.h>

#include "pipeline/rig.h"

namespace grapnel::pipeline {
namespace {

using model::Birth;
using model::EndReason;
using model::FanoutState;

/// Gives a number of places and counts what comes back.
class CountedRoom final : public LeaseRoom {
 public:
  explicit CountedRoom(int places) : places_(places) {}
  bool reserve(const model::Action&, std::uint64_t) override {
    return places_ > 0 && places_-- > 0;
  }
  void release(model::ActionId, std::uint64_t) override { ++places_; }
  int places() const { return places_; }

 private:
  int places_;
};

class Plan : public testing::Test, public Rig {
 protected:
  Plan() : source(make_source("demo")) {}
  model::SourcePtr entry() { return store.snapshot()->find_source(source.id); }
  std::expected<model::FanoutPlan, BacklogRefusal> plan(std::string_view type = "push") {
    return planner.plan(*entry(), type, 10, model::Keyed::no);
  }

  model::Source source;
  CountedRoom room{1};
  Planner planner{ids, store, &room};
};

TEST_F(Plan, RefusalGivesBackWhatWasReservedBefore) {
  make_action(source, "first");
  auto full = make_action(source, "full");
  full.backlog_bound.count = 0;
  full.on_full = model::OnFull::refuse;
  full = put(full);
  const auto refused = plan();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().action, full.id);
  EXPECT_EQ(room.places(), 1);
}

TEST_F(Plan, FullBacklogIsADeadLetter) {
  auto full = make_action(source, "full");
  full.backlog_bound.bytes = 0;
  put(full);
  const auto made = plan();
  ASSERT_TRUE(made);
  ASSERT_EQ(made->deliveries.size(), 1U);
  EXPECT_EQ(made->deliveries[0].birth, Birth::dead);
  EXPECT_EQ(made->deliveries[0].reason, EndReason::backlog_full);
  EXPECT_EQ(room.places(), 1);
}

TEST_F(Plan, GoneEndpointGetsADeadLetterEvenWhenItsBacklogIsFull) {
  auto gone = make_action(source, "gone");
  sender.set_script([](const auto&) { return doubles::answer(410); });
  ASSERT_TRUE(receive("demo"));
  settle();
  gone = action(gone.id);
  ASSERT_EQ(gone.health, model::Health::gone);
  gone.backlog_bound.count = 0;
  put(gone);
  EXPECT_EQ(plan()->deliveries.at(0).reason, EndReason::endpoint_gone);
}

TEST_F(Plan, OnlyMatchingActionsThatMayTakeNewWork) {
  auto typed = make_action(source, "typed");
  typed.event_types = {"pull_request.*"};
  put(typed);
  auto disabled = make_action(source, "disabled");
  disabled.desired = model::DesiredState::disabled;
  put(disabled);
  auto paused = make_action(source, "paused");
  paused.desired = model::DesiredState::paused;
  paused = put(paused);
  const auto made = plan("push");
  ASSERT_EQ(made->deliveries.size(), 1U);
  EXPECT_EQ(made->deliveries[0].action, paused.id);
  EXPECT_EQ(plan("pull_request.opened")->deliveries.size(), 2U);
}

TEST_F(Plan, LeasedWhereThereIsRoomAndPendingElsewhere) {
  make_action(source, "a");
  make_action(source, "b");
  const auto made = plan();
  EXPECT_EQ(made->deliveries[0].birth, Birth::leased);
  EXPECT_EQ(made->deliveries[1].birth, Birth::pending);
  EXPECT_EQ(room.places(), 0);
  planner.release(*made, 10);
  EXPECT_EQ(room.places(), 1);
}

TEST_F(Plan, WithoutRoomNothingIsLeasedAtBirth) {
  make_action(source, "a");
  const Planner later(ids, store, nullptr);
  EXPECT_EQ(later.plan(*entry(), "push", 10, model::Keyed::no)->deliveries[0].birth,
            Birth::pending);
}

TEST_F(Plan, RecordedAndHeldEventsHaveNoDeliveries) {
  make_action(source, "a");
  for (const auto& [mode, state] : {std::pair{model::SourceMode::record, FanoutState::recorded},
                                    {model::SourceMode::paused, FanoutState::held}}) {
    source = current(source.id);
    source.mode = mode;
    put(source);
    EXPECT_EQ(plan()->state, state);
    EXPECT_TRUE(plan()->deliveries.empty());
  }
}

TEST_F(Plan, CarriesTheRevisionItWasMadeFrom) {
  EXPECT_EQ(plan()->revision, current(source.id).revision);
}

}  // namespace
}  // namespace grapnel::pipeline
