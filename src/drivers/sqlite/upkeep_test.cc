#include "drivers/sqlite/upkeep.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "drivers/sqlite/store_harness.h"
#include "model/errors.h"

namespace grapnel::sqlite {
namespace {

using model::StepResult;
using std::chrono::days;
using std::chrono::hours;
using Kind = model::Settlement::Kind;

constexpr model::RetentionPolicy kAtOnce{.finished = Millis{0}, .dead = Millis{0}};

struct UpkeepTest : testing::Test {
  StoreHarness harness;
  model::SourceId source;

  void SetUp() override {
    harness.open();
    source = harness.add_source("demo");
  }
  model::Upkeep& upkeep() { return harness.store->ports().upkeep; }
  void append_all(std::vector<model::EventDraft> drafts) {
    ASSERT_TRUE(harness.run(harness.store->ports().log.append(std::move(drafts))));
  }
  std::vector<model::EventDraft> drafts(int count) {
    std::vector<model::EventDraft> out;
    for (int i = 0; i < count; ++i) out.push_back(harness.draft(source, "{}"));
    return out;
  }
  std::vector<model::EventDraft> keyed(int count) {
    auto out = drafts(count);
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i].event.idempotency_place = "header:X-Id";
      out[i].event.idempotency_key = std::to_string(i);
    }
    return out;
  }
  std::int64_t count(const std::string& sql) {
    auto db = Connection::open({.path = harness.options.data_dir + "/grapnel.db",
                                .vfs = {},
                                .access = Access::read_only,
                                .cache_bytes = 1 << 20});
    return (*db)->scalar(sql).value();
  }
  std::int64_t sweep_all(const model::RetentionPolicy& policy) {
    std::int64_t events = 0;
    for (;;) {
      const auto swept = harness.run(upkeep().sweep(policy));
      EXPECT_TRUE(swept);
      if (!swept) return -1;
      events += swept->events;
      if (swept->step == StepResult::done) return events;
    }
  }
};

TEST_F(UpkeepTest, ASweepTakesBoundedStepsAndEveryPassStartsAnew) {
  append_all(drafts(kStepRows + 200));
  harness.clock.advance(hours{1});
  const auto first = harness.run(upkeep().sweep(kAtOnce));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->step, StepResult::more);
  EXPECT_LE(first->events, kStepRows);
  EXPECT_EQ(sweep_all(kAtOnce), kStepRows + 200 - first->events);
  append_all(drafts(3));
  harness.clock.advance(hours{1});
  EXPECT_EQ(sweep_all(kAtOnce), 3);
  EXPECT_EQ(count("SELECT count(*) FROM events"), 0);
}

TEST_F(UpkeepTest, SweptEventLeavesNeitherRowsNorBodyFile) {
  harness.add_action(source, "one");
  const std::string body(model::kBodyInlineBytesMax + 1, 'x');
  const auto file =
      harness.run(harness.store->ports().log.write_body(std::make_shared<std::string>(body)));
  ASSERT_TRUE(file);
  auto draft = harness.draft(source, "", model::Birth::leased);
  draft.event.body_size = body.size();
  draft.event.body_sha256 = crypto::sha256(body);
  draft.body_file = *file;
  const auto born = harness.append(std::move(draft)).deliveries.at(0);
  auto outcome = harness.outcome(born, Kind::delivered);
  outcome.attempt = model::Attempt{.id = harness.new_id<model::AttemptId>(), .number = 1};
  harness.settle(std::move(outcome));
  ASSERT_EQ(count("SELECT count(*) FROM attempts"), 1);
  const std::filesystem::path path = harness.options.data_dir + "/bodies/" + *file;
  ASSERT_TRUE(std::filesystem::exists(path));
  harness.clock.advance(hours{1});
  EXPECT_EQ(sweep_all(kAtOnce), 1);
  EXPECT_EQ(count("SELECT (SELECT count(*) FROM events) + (SELECT count(*) FROM deliveries) + "
                  "(SELECT count(*) FROM attempts)"),
            0);
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(UpkeepTest, SweepForgetsEndedJobsAndHistoryThatNothingNames) {
  const auto action = harness.add_action(source, "one");
  model::ReplayJob job{.id = harness.new_id<model::JobId>(), .filter = {.action = action}};
  ASSERT_TRUE(harness.run(harness.store->ports().book.start_job(job)));
  ASSERT_TRUE(harness.run(harness.store->ports().book.cancel_job(job.id)));
  const auto born =
      harness.append(harness.draft(source, "{}", model::Birth::leased)).deliveries.at(0);
  harness.settle(harness.outcome(born, Kind::delivered));
  model::Action deleting = *harness.action(action);
  deleting.deleting = true;
  harness.commit({model::PutAction{deleting, deleting.revision}});
  ASSERT_TRUE(harness.run(upkeep().finish_deletions()));
  ASSERT_EQ(harness.action(action), nullptr);
  harness.clock.advance(hours{1});
  EXPECT_EQ(sweep_all({.finished = days{2}, .dead = days{2}}), 0);
  EXPECT_GT(count("SELECT count(*) FROM action_revisions"), 0) << "a delivery still shows it";
  harness.clock.advance(days{3});
  EXPECT_EQ(sweep_all({.finished = days{2}, .dead = days{2}}), 1);
  EXPECT_EQ(count("SELECT count(*) FROM action_revisions"), 0);
  EXPECT_EQ(count("SELECT count(*) FROM jobs"), 0);
}

TEST_F(UpkeepTest, OldKeysGoInStepsOnceTheyArePastTheWindow) {
  append_all(keyed(kStepRows + 100));
  EXPECT_EQ(harness.run(upkeep().drop_old_keys()), StepResult::done);
  harness.clock.advance(model::kIdempotencyWindow - hours{1});
  EXPECT_EQ(harness.run(upkeep().drop_old_keys()), StepResult::done);
  EXPECT_EQ(count("SELECT count(*) FROM idempotency"), kStepRows + 100);
  harness.clock.advance(hours{1});
  EXPECT_EQ(harness.run(upkeep().drop_old_keys()), StepResult::more);
  EXPECT_EQ(count("SELECT count(*) FROM idempotency"), 100);
  EXPECT_EQ(harness.run(upkeep().drop_old_keys()), StepResult::more);
  EXPECT_EQ(harness.run(upkeep().drop_old_keys()), StepResult::done);
  EXPECT_EQ(count("SELECT count(*) FROM idempotency"), 0);
  auto again = keyed(1);
  EXPECT_EQ(harness.append(std::move(again[0])).admission, model::Admission::accepted);
  auto copy = keyed(1);
  EXPECT_EQ(harness.append(std::move(copy[0])).admission, model::Admission::duplicate);
}

TEST_F(UpkeepTest, KeysOutliveTheirEventsAndTheOtherWayRound) {
  auto first = keyed(1);
  const auto id = first[0].event.id;
  harness.append(std::move(first[0]));
  harness.clock.advance(hours{1});
  EXPECT_EQ(sweep_all(kAtOnce), 1);
  auto copy = keyed(1);
  const auto answer = harness.append(std::move(copy[0]));
  EXPECT_EQ(answer.admission, model::Admission::duplicate);
  EXPECT_EQ(answer.event, id);
}

TEST_F(UpkeepTest, DeletionThatWaitsForRunningWorkChangesNoRevision) {
  const auto action = harness.add_action(source, "one");
  const auto born =
      harness.append(harness.draft(source, "{}", model::Birth::leased)).deliveries.at(0);
  model::Source deleting = harness.store->ports().registry.snapshot()->find_source(source)->source;
  deleting.deleting = true;
  harness.commit({model::PutSource{deleting, deleting.revision}});
  EXPECT_EQ(harness.run(upkeep().finish_deletions()), StepResult::done);
  const auto revision = harness.store->ports().registry.snapshot()->revision;
  EXPECT_EQ(harness.run(upkeep().finish_deletions()), StepResult::done);
  EXPECT_EQ(harness.store->ports().registry.snapshot()->revision, revision);
  EXPECT_EQ(harness.settle(harness.outcome(born, Kind::retry)).state,
            model::DeliveryState::cancelled);
  EXPECT_EQ(harness.run(upkeep().finish_deletions()), StepResult::done);
  EXPECT_EQ(harness.action(action), nullptr);
  EXPECT_EQ(harness.store->ports().registry.snapshot()->find_source(source), nullptr);
}

TEST_F(UpkeepTest, BuryingTakesBoundedSteps) {
  const auto id = harness.add_action(source, "one");
  append_all(drafts(kStepRows + 50));
  model::Action gone = *harness.action(id);
  gone.health = model::Health::gone;
  harness.commit({model::PutAction{gone, gone.revision}});
  EXPECT_EQ(harness.run(upkeep().bury(id)), StepResult::more);
  EXPECT_EQ(harness.store->ports().book.open_work(id).pending, 50);
  EXPECT_EQ(harness.run(upkeep().bury(id)), StepResult::done);
  EXPECT_EQ(harness.store->ports().book.open_work(id).count(), 0);
}

TEST_F(UpkeepTest, AStoppedStoreAnswersInsteadOfHanging) {
  harness.store->stop();
  EXPECT_FALSE(harness.run(upkeep().sweep(kAtOnce)));
  EXPECT_FALSE(harness.run(upkeep().drop_old_keys()));
  EXPECT_FALSE(harness.run(upkeep().backup(harness.folder + "/backup")));
  EXPECT_FALSE(std::filesystem::exists(harness.folder + "/backup"));
}

}  // namespace
}  // namespace grapnel::sqlite
