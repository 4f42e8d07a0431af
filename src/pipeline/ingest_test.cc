#include "pipeline/ingest.h"

#include <gtest/gtest.h>

#include "pipeline/rig.h"

namespace grapnel::pipeline {
namespace {

using model::Admission;
using model::SourceMode;
using std::chrono::hours;
using std::chrono::seconds;

class IngestTest : public testing::Test, public Rig {
 protected:
  /// A webhook for "demo" that waits for a commit by hand.
  void begin_to_receive() {
    make_source("demo");
    store.set_commits(doubles::MemoryStore::Commits::by_hand);
    model::HttpRequest request{.method = "POST", .target = "/webhooks/demo", .body = "x"};
    boost::asio::co_spawn(
        loop, ingest().receive("demo", std::move(request)),
        [this](const std::exception_ptr&, Outcome outcome) { answered = std::move(outcome); });
    settle();
  }

  using Outcome = std::expected<Receipt, Refusal>;
  std::optional<Outcome> answered;
};

TEST_F(IngestTest, NothingIsAnsweredBeforeItIsDurable) {
  begin_to_receive();
  EXPECT_FALSE(answered);
  EXPECT_TRUE(store.commit_waiting());
  settle();
  ASSERT_TRUE(answered);
  EXPECT_TRUE(answered->has_value());
  store.set_commits(doubles::MemoryStore::Commits::each_turn);
}

TEST_F(IngestTest, UnknownAndDeletedSourcesAreRefusedAlike) {
  EXPECT_EQ(receive("nowhere").error().kind, RefusalKind::unknown_source);
  auto source = make_source("demo");
  source.deleting = true;
  put(source);
  EXPECT_EQ(receive("demo").error().kind, RefusalKind::unknown_source);
}

TEST_F(IngestTest, SameKeyWithinTheWindowIsADuplicateAndMakesNothingNew) {
  make_action(make_source("demo"), "out");
  const auto first = receive("demo", "1", {{"Idempotency-Key", "k"}});
  advance(hours{23});
  const auto again = receive("demo", "2", {{"Idempotency-Key", "k"}});
  ASSERT_TRUE(first && again);
  EXPECT_EQ(again->admission, Admission::duplicate);
  EXPECT_EQ(again->event, first->event);
  EXPECT_EQ(deliveries().size(), 1U);
  advance(hours{4});
  EXPECT_EQ(receive("demo", "3", {{"Idempotency-Key", "k"}})->admission, Admission::accepted);
}

TEST_F(IngestTest, FailedCommitIsRefusedAndTheNextCopyBecomesTheFirst) {
  begin_to_receive();
  store.set_outage(model::errc::store_full);
  EXPECT_TRUE(store.commit_waiting());
  settle();
  ASSERT_TRUE(answered);
  ASSERT_FALSE(*answered);
  EXPECT_EQ(answered->error().kind, RefusalKind::store_down);
  EXPECT_TRUE(answered->error().retry_after);
  store.set_outage(std::nullopt);
  store.set_commits(doubles::MemoryStore::Commits::each_turn);
  EXPECT_EQ(receive("demo", "1", {{"Idempotency-Key", "k"}})->admission, Admission::accepted);
}

TEST_F(IngestTest, WebhooksAreRefusedAtOnceWhileTheStoreCannotTakeAnyAlsoBehindOneThatHangs) {
  begin_to_receive();
  const auto waiting = store.waiting();
  store.set_outage(model::errc::store_unavailable);
  for (int i = 0; i < 5; ++i) {
    const auto refused = receive("demo");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, RefusalKind::store_down);
    EXPECT_TRUE(refused.error().retry_after);
  }
  EXPECT_FALSE(answered) << "its fate is not known";
  EXPECT_EQ(store.waiting(), waiting) << "none of them was given to it";
  store.set_outage(std::nullopt);
  EXPECT_TRUE(store.commit_waiting());
  settle();
  ASSERT_TRUE(answered);
  EXPECT_TRUE(answered->has_value());
  store.set_commits(doubles::MemoryStore::Commits::each_turn);
}

TEST_F(IngestTest, PausedSourceHoldsAndReleasesInOrderWithNewcomersBehind) {
  auto source = make_source("demo", SourceMode::paused);
  source.ordering_key = model::Place{model::Place::Kind::pointer, "/k"};
  source = put(source);
  make_action(source, "out");
  const auto body = [](int n) { return R"({"k":"same","n":)" + std::to_string(n) + "}"; };
  for (int i = 1; i <= 3; ++i) EXPECT_EQ(receive("demo", body(i))->admission, Admission::held);
  settle();
  EXPECT_TRUE(sender.calls().empty());
  source = current(source.id);
  source.mode = SourceMode::active;
  put(source);
  ASSERT_TRUE(receive("demo", body(4)));
  for (int i = 0; i < 5; ++i) advance(seconds{1});
  ASSERT_EQ(sender.calls().size(), 4U);
  for (int i = 1; i <= 4; ++i) {
    EXPECT_EQ(sender.calls()[static_cast<std::size_t>(i - 1)].body, body(i));
  }
}

TEST_F(IngestTest, HeldThenRecordLeavesRecorded) {
  auto source = make_source("demo", SourceMode::paused);
  make_action(source, "out");
  ASSERT_TRUE(receive("demo"));
  source = current(source.id);
  source.mode = SourceMode::record;
  put(source);
  settle();
  EXPECT_EQ(store.held_work(source.id).count, 0);
  EXPECT_TRUE(deliveries().empty());
}

TEST_F(IngestTest, BacklogBoundMakesDeadLettersOrRefusesAsTheActionSays) {
  const auto source = make_source("demo");
  auto out = make_action(source, "out");
  out.desired = model::DesiredState::paused;
  out.backlog_bound.count = 2;
  out = put(out);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(receive("demo"));
  int dead = 0;
  for (const auto& delivery : deliveries())
    dead += delivery.reason == model::EndReason::backlog_full ? 1 : 0;
  EXPECT_EQ(dead, 1);
  out = action(out.id);
  out.on_full = model::OnFull::refuse;
  put(out);
  const auto refused = receive("demo");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, RefusalKind::backlog_full);
  EXPECT_EQ(deliveries().size(), 3U);
}

TEST_F(IngestTest, RefusedLargeBodyLeavesNoFileBehind) {
  const auto source = make_source("demo");
  auto out = make_action(source, "out");
  out.backlog_bound.count = 0;
  out.on_full = model::OnFull::refuse;
  put(out);
  const auto refused = receive("demo", std::string(model::kBodyInlineBytesMax + 1, 'x'));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, RefusalKind::backlog_full);
  EXPECT_EQ(store.tables().body_files(), 0U);
}

TEST_F(IngestTest, HeldBoundRefuses) {
  auto source = make_source("demo", SourceMode::paused);
  source.held_bound.count = 1;
  put(source);
  EXPECT_TRUE(receive("demo"));
  EXPECT_EQ(receive("demo").error().kind, RefusalKind::held_full);
}

TEST_F(IngestTest, RateLimitSaysWhenToComeBack) {
  auto source = make_source("demo");
  source.rate_limit = {.per_second = 1, .burst = 2};
  put(source);
  EXPECT_TRUE(receive("demo"));
  EXPECT_TRUE(receive("demo"));
  const auto refused = receive("demo");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, RefusalKind::rate_limited);
  EXPECT_EQ(refused.error().retry_after, Millis{1000});
  advance(seconds{1});
  EXPECT_TRUE(receive("demo"));
}

TEST_F(IngestTest, SecretsAreDigestsBeforeAnythingIsStored) {
  auto source = make_source("demo");
  source.secret_query = {"token"};
  put(source);
  model::HttpRequest request{.method = "POST", .target = "/webhooks/demo?a=1&tok%65n=hunter2"};
  request.headers = {{"authorization", "Bearer hunter2"}, {"X-Public", "yes"}};
  const auto receipt = doubles::run(loop, ingest().receive("demo", std::move(request)));
  ASSERT_TRUE(receipt);
  const auto event = doubles::run(loop, store.event(receipt->event, model::Catalog::WithBody::no));
  ASSERT_TRUE(event && *event);
  EXPECT_EQ((*event)->target.find("hunter2"), std::string::npos);
  EXPECT_TRUE((*event)->target.starts_with("/webhooks/demo?a=1&tok%65n=digest:"));
  EXPECT_TRUE((*event)->headers[0].value.starts_with("digest:"));
  EXPECT_EQ((*event)->headers[1].value, "yes");
}

TEST_F(IngestTest, PlanMadeFromOldDefinitionsIsMadeAgain) {
  const auto source = make_source("demo");
  store.set_commits(doubles::MemoryStore::Commits::by_hand);
  std::optional<std::expected<Receipt, Refusal>> answered;
  model::HttpRequest request{.method = "POST", .target = "/webhooks/demo", .body = "x"};
  model::Action late;
  late.id = ids.make<model::ActionId>();
  late.source = source.id;
  late.name = "late";
  boost::asio::co_spawn(loop, store.commit({model::PutAction{late, 0}}),
                        [](const std::exception_ptr&, const Result<model::SnapshotPtr>&) {});
  boost::asio::co_spawn(loop, ingest().receive("demo", std::move(request)),
                        [&](const std::exception_ptr&, std::expected<Receipt, Refusal> outcome) {
                          answered = std::move(outcome);
                        });
  settle();
  while (store.commit_waiting()) settle();
  store.set_commits(doubles::MemoryStore::Commits::each_turn);
  settle();
  ASSERT_TRUE(answered && answered->has_value());
  EXPECT_EQ(deliveries().size(), 1U) << "the action that was committed first is matched";
}

}  // namespace
}  // namespace grapnel::pipeline
