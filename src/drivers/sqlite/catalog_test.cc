#include "drivers/sqlite/catalog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "drivers/sqlite/catalog_sql.h"
#include "drivers/sqlite/schema.h"
#include "drivers/sqlite/store_harness.h"
#include "model/errors.h"

namespace grapnel::sqlite {
namespace {

using model::DeliveryState;
using model::errc;
using std::chrono::hours;
using std::chrono::seconds;
using testing::ElementsAre;

struct CatalogTest : testing::Test {
  StoreHarness harness;
  model::SourceId source;

  void SetUp() override {
    harness.open();
    source = harness.add_source("demo");
  }
  model::Catalog& catalog() { return harness.store->ports().catalog; }
  std::vector<model::EventDraft> drafts(int count) {
    std::vector<model::EventDraft> out;
    for (int i = 0; i < count; ++i) out.push_back(harness.draft(source, "{}"));
    return out;
  }
  void append_all(std::vector<model::EventDraft> drafts) {
    ASSERT_TRUE(harness.run(harness.store->ports().log.append(std::move(drafts))));
  }
  std::string database() const { return harness.options.data_dir + "/grapnel.db"; }
  std::unique_ptr<Connection> connect() {
    auto db = Connection::open(
        {.path = database(), .vfs = {}, .access = Access::read_write, .cache_bytes = 1 << 20});
    EXPECT_TRUE(db);
    return std::move(*db);
  }
  std::vector<std::string> plan_of(Connection& db, std::string_view sql) {
    std::vector<std::string> out;
    auto rows = db.query("EXPLAIN QUERY PLAN " + std::string(sql));
    for (;;) {
      const auto row = rows.next();
      EXPECT_TRUE(row) << row.error().message() << " in " << sql;
      if (!row || !*row) return out;
      out.push_back(rows.string(3));
    }
  }
};

TEST_F(CatalogTest, NoQueryScansATableOrSorts) {
  const auto db = connect();
  for (const auto sql : sql::kCatalogQueries) {
    const auto plan = plan_of(*db, sql);
    EXPECT_FALSE(plan.empty()) << sql;
    for (const auto& step : plan) {
      EXPECT_EQ(step.find("TEMP B-TREE"), std::string::npos) << sql << "\n" << step;
      // A count goes over the slice that its inner query has cut.
      const bool slice =
          step.starts_with("SCAN (subquery") || step.starts_with("SCAN CONSTANT ROW");
      EXPECT_TRUE(!step.starts_with("SCAN") || slice) << sql << "\n" << step;
    }
  }
}

TEST_F(CatalogTest, OpenDeliveriesAreReadFromTheirOwnIndexAlone) {
  const auto db = connect();
  EXPECT_THAT(plan_of(*db, sql::kOpenDeliveries),
              ElementsAre("SCAN deliveries USING COVERING INDEX deliveries_open"));
}

TEST_F(CatalogTest, SeeksAndCountsReadNoRows) {
  const auto db = connect();
  for (const auto sql : {sql::kCountDead, sql::kCountDeadReason, sql::kCountDeadOfAction,
                         sql::kCountDeadOfActionReason}) {
    bool covering = false;
    for (const auto& step : plan_of(*db, sql)) {
      covering |= step.find("USING COVERING INDEX deliveries_dead") != std::string::npos;
    }
    EXPECT_TRUE(covering) << sql;
  }
  for (const auto sql : {sql::kEventsOfSource, sql::kDeliveriesOfAction, sql::kDeliveriesOfEvent,
                         sql::kDeadDeliveries, sql::kDeadLetters, sql::kDeadLettersOfAction}) {
    const auto plan = plan_of(*db, sql);
    ASSERT_EQ(plan.size(), 1U) << sql;
    EXPECT_NE(plan[0].find("USING COVERING INDEX"), std::string::npos) << sql << "\n" << plan[0];
  }
}

TEST_F(CatalogTest, PageThatFindsLittleEndsEarlyWithACursor) {
  constexpr int kEvents = kPageSeeksMax / 2 + 200;
  auto first = drafts(1);
  first[0].event.type = "rare";
  const auto rare = first[0].event.id;
  append_all(std::move(first));
  for (int left = kEvents; left > 0; left -= 500) append_all(drafts(std::min(left, 500)));
  model::EventQuery query{.type = "rare"};
  const auto page = harness.run(catalog().events(query));
  ASSERT_TRUE(page);
  EXPECT_TRUE(page->items.empty());
  ASSERT_TRUE(page->next);
  query.after = page->next;
  const auto second = harness.run(catalog().events(query));
  ASSERT_TRUE(second);
  ASSERT_EQ(second->items.size(), 1U);
  EXPECT_EQ(second->items[0].id, rare);
  EXPECT_FALSE(second->next);
}

TEST_F(CatalogTest, EventsReceivedALittleOutOfOrderAreFoundByTime) {
  const Time base = harness.store->ports().clock.now();
  auto made = drafts(4);
  const std::array<int, 4> offsets{10, 30, 5, 40};  // seconds, in the order of their commit
  std::vector<model::EventId> ids;
  for (std::size_t i = 0; i < made.size(); ++i) {
    made[i].event.received = base + seconds{offsets.at(i)};
    ids.push_back(made[i].event.id);
  }
  append_all(std::move(made));
  const auto page =
      harness.run(catalog().events({.from = base + seconds{5}, .to = base + seconds{30}}));
  ASSERT_TRUE(page);
  ASSERT_EQ(page->items.size(), 2U);
  EXPECT_EQ(page->items[0].id, ids[2]);
  EXPECT_EQ(page->items[1].id, ids[0]);
}

TEST_F(CatalogTest, TheLongestTimeToACommitIsRememberedOverAStart) {
  const Time base = harness.store->ports().clock.now();
  auto late = drafts(1);
  late[0].event.received = base - hours{2};
  const auto id = late[0].event.id;
  append_all(drafts(1));
  append_all(std::move(late));
  harness.reopen();
  const auto page = harness.run(catalog().events({.to = base - hours{1}}));
  ASSERT_TRUE(page);
  ASSERT_EQ(page->items.size(), 1U);
  EXPECT_EQ(page->items[0].id, id);
}

TEST_F(CatalogTest, TimesOutsideTheStoresLifeAreNoError) {
  append_all(drafts(2));
  const Time now = harness.store->ports().clock.now();
  for (const auto& [from, to, expected] : {std::tuple{now + hours{1}, now + hours{2}, 0U},
                                           std::tuple{now - hours{2}, now - hours{1}, 0U},
                                           std::tuple{now - hours{1}, now + hours{1}, 2U},
                                           std::tuple{now + hours{1}, now - hours{1}, 0U}}) {
    const auto page = harness.run(catalog().events({.from = from, .to = to}));
    ASSERT_TRUE(page);
    EXPECT_EQ(page->items.size(), expected);
  }
}

TEST_F(CatalogTest, MissingBodyFileIsBodyGoneOnlyWhereTheBodyIsWanted) {
  auto made = drafts(1);
  std::string body(model::kBodyInlineBytesMax + 1, 'x');
  const auto file =
      harness.run(harness.store->ports().log.write_body(std::make_shared<std::string>(body)));
  ASSERT_TRUE(file);
  made[0].event.body.clear();
  made[0].event.body_size = body.size();
  made[0].event.body_sha256 = crypto::sha256(body);
  made[0].body_file = *file;
  const auto id = made[0].event.id;
  append_all(std::move(made));
  const auto whole = harness.run(catalog().event(id, model::Catalog::WithBody::yes));
  ASSERT_TRUE(whole && *whole);
  EXPECT_EQ((*whole)->body, body);
  std::filesystem::remove(harness.options.data_dir + "/bodies/" + *file);
  const auto gone = harness.run(catalog().event(id, model::Catalog::WithBody::yes));
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, make_error_code(errc::body_gone));
  EXPECT_TRUE(harness.run(catalog().event(id, model::Catalog::WithBody::no)));
}

TEST_F(CatalogTest, StatesOfManyActionsAreListedTogetherNewestFirst) {
  std::vector<model::ActionId> actions;
  for (int i = 0; i < 5; ++i) actions.push_back(harness.add_action(source, std::to_string(i)));
  std::vector<model::DeliveryId> open;
  for (int i = 0; i < 4; ++i) {
    const auto appended = harness.append(harness.draft(source, "{}", model::Birth::leased));
    for (std::size_t a = 0; a < appended.deliveries.size(); ++a) {
      const auto kind =
          a % 2 == 0 ? model::Settlement::Kind::dead : model::Settlement::Kind::hand_back;
      harness.settle(harness.outcome(appended.deliveries[a], kind));
      if (kind == model::Settlement::Kind::hand_back)
        open.insert(open.begin(), appended.deliveries[a].id);
    }
  }
  model::DeliveryQuery query{.source = source, .states = {DeliveryState::pending}, .limit = 3};
  std::vector<model::DeliveryId> got;
  do {
    const auto page = harness.run(catalog().deliveries(query));
    ASSERT_TRUE(page);
    for (const auto& delivery : page->items) got.push_back(delivery.id);
    query.after = page->next;
  } while (query.after);
  EXPECT_EQ(got, open);
  const auto dead = harness.run(catalog().deliveries(
      {.action = actions[2], .states = {DeliveryState::dead, DeliveryState::cancelled}}));
  ASSERT_TRUE(dead);
  EXPECT_EQ(dead->items.size(), 4U);
}

TEST_F(CatalogTest, DeadLettersAreCountedAcrossSlices) {
  const auto action = harness.add_action(source, "one");
  std::vector<model::EventDraft> born;
  for (int i = 0; i < 300; ++i) {
    born.push_back(harness.draft(source, "{}", model::Birth::dead));
    born.back().plan.deliveries[0].reason =
        i % 3 == 0 ? model::EndReason::backlog_full : model::EndReason::endpoint_gone;
  }
  append_all(std::move(born));
  EXPECT_EQ(harness.run(catalog().count_dead({}, {})), 300);
  EXPECT_EQ(harness.run(catalog().count_dead({}, {.action = action})), 300);
  EXPECT_EQ(harness.run(catalog().count_dead({}, {.reason = model::EndReason::backlog_full})), 100);
  EXPECT_EQ(harness.run(catalog().count_dead(
                {source}, {.action = action, .reason = model::EndReason::backlog_full})),
            100);
}

}  // namespace
}  // namespace grapnel::sqlite
