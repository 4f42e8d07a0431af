#include "pipeline/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/rig.h"

namespace grapnel::pipeline {
namespace {

using testing::HasSubstr;
using testing::Not;

class PipelineMetrics : public testing::Test, public Rig {
 protected:
  PipelineMetrics() : source(make_source("demo")), out(make_action(source, "out")) {}
  std::string text() const { return registry.expose(); }

  model::Source source;
  model::Action out;
};

TEST_F(PipelineMetrics, FullBacklogCountsWhatIsBornDead) {
  out.backlog_bound.count = 0;
  put(out);
  ASSERT_TRUE(receive("demo"));
  EXPECT_THAT(text(), HasSubstr("deliveries_born_dead_total{reason=\"backlog_full\"} 1\n"));
  EXPECT_THAT(text(), HasSubstr("deliveries_born_dead_total{reason=\"endpoint_gone\"} 0\n"));
  EXPECT_THAT(text(), HasSubstr("deliveries_ended_total{state=\"dead\"} 0\n"));
}

TEST_F(PipelineMetrics, DuplicateOfAFullBacklogIsNotBornDeadAgain) {
  out.backlog_bound.count = 0;
  put(out);
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(receive("demo", "{}", {{"Idempotency-Key", "same"}}));
  EXPECT_THAT(text(), HasSubstr("deliveries_born_dead_total{reason=\"backlog_full\"} 1\n"));
}

TEST_F(PipelineMetrics, ReleasedEventOfAGoneEndpointIsBornDead) {
  auto paused = current(source.id);
  paused.mode = model::SourceMode::paused;
  put(paused);
  ASSERT_TRUE(receive("demo"));
  auto gone = action(out.id);
  gone.health = model::Health::gone;
  put(gone);
  auto active = current(source.id);
  active.mode = model::SourceMode::active;
  put(active);
  settle();
  EXPECT_THAT(text(), HasSubstr("deliveries_born_dead_total{reason=\"endpoint_gone\"} 1\n"));
}

TEST_F(PipelineMetrics, SeriesOfADeletedSourceGo) {
  ASSERT_TRUE(receive("demo"));
  EXPECT_THAT(text(), HasSubstr("source=\"demo\""));
  auto deleted = current(source.id);
  deleted.deleting = true;
  put(deleted);
  settle();
  EXPECT_THAT(text(), Not(HasSubstr("source=\"demo\"")));
}

TEST_F(PipelineMetrics, RenamedSourceCountsUnderItsNewNameAlone) {
  ASSERT_TRUE(receive("demo"));
  auto renamed = current(source.id);
  renamed.slug = "other";
  put(renamed);
  ASSERT_TRUE(receive("other"));
  EXPECT_THAT(text(), Not(HasSubstr("source=\"demo\"")));
  EXPECT_THAT(text(),
              HasSubstr("webhooks_received_total{source=\"other\",status=\"accepted\"} 1\n"));
}

TEST_F(PipelineMetrics, SourceThatIsRenamedWhileItsEventIsStoredLeavesNoOldSeries) {
  store.set_commits(doubles::MemoryStore::Commits::by_hand);
  boost::asio::co_spawn(loop, ingest().receive("demo", request("demo")),
                        [](const std::exception_ptr&, const auto&) {});
  settle();
  auto renamed = current(source.id);
  renamed.slug = "other";
  boost::asio::co_spawn(loop, store.commit({model::PutSource{renamed, renamed.revision}}),
                        [](const std::exception_ptr&, const auto&) {});
  settle();
  while (store.commit_waiting()) settle();
  EXPECT_THAT(text(), Not(HasSubstr("source=\"demo\"")));
  EXPECT_THAT(text(),
              HasSubstr("webhooks_received_total{source=\"other\",status=\"accepted\"} 1\n"));
}

TEST_F(PipelineMetrics, EachEndOfAnAttemptCountsOnce) {
  out.retry.schedule = {};
  put(out);
  ASSERT_TRUE(receive("demo"));
  settle();
  sender.set_script([](const auto&) { return doubles::answer(500); });
  ASSERT_TRUE(receive("demo"));
  settle();
  EXPECT_THAT(text(), HasSubstr("deliveries_ended_total{state=\"delivered\"} 1\n"));
  EXPECT_THAT(text(), HasSubstr("deliveries_ended_total{state=\"dead\"} 1\n"));
  EXPECT_THAT(text(), HasSubstr("delivery_errors_total{reason=\"status\"} 1\n"));
}

TEST_F(PipelineMetrics, TooManyWaitingIsNoStoreThatIsDown) {
  store.set_commits(doubles::MemoryStore::Commits::by_hand);
  std::optional<RefusalKind> last;
  // Two batches are with the store; all others wait.
  const auto count = kIngestWaitingMax + kBatchesInFlightMax * kBatchItemsMax + 1;
  for (std::size_t i = 0; i < count; ++i) {
    boost::asio::co_spawn(
        loop, ingest().receive("demo", request("demo")),
        [&](const std::exception_ptr&, const std::expected<Receipt, Refusal>& answer) {
          if (!answer) last = answer.error().kind;
        });
    if (i % kBatchItemsMax == 0) settle();
  }
  settle();
  EXPECT_EQ(last, RefusalKind::too_many_waiting);
  EXPECT_THAT(text(), HasSubstr("webhooks_refused_total{reason=\"store_down\"} 0\n"));
  store.set_commits(doubles::MemoryStore::Commits::each_turn);
  settle();
}

}  // namespace
}  // namespace grapnel::pipeline
