#include "drivers/sqlite/schema.h"

#include <gtest/gtest.h>

#include "drivers/sqlite/errors.h"
#include "drivers/sqlite/store_harness.h"

namespace grapnel::sqlite {
namespace {

struct SchemaTest : testing::Test {
  StoreHarness harness;
  std::unique_ptr<Connection> db;

  void SetUp() override {
    auto opened =
        Connection::open({.path = harness.folder + "/x.db", .vfs = "", .cache_bytes = 1_MiB});
    ASSERT_TRUE(opened);
    db = std::move(*opened);
  }
  std::int64_t version() { return db->scalar("PRAGMA user_version").value(); }
};

TEST_F(SchemaTest, NewerSchemaIsRefusedAndNamesBothVersions) {
  ASSERT_TRUE(migrate(*db, migrations()));
  ASSERT_TRUE(db->execute("PRAGMA user_version = 99"));
  const auto done = migrate(*db, migrations());
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, errc::newer_schema);
  EXPECT_NE(done.error().message().find("schema 99"), std::string::npos);
}

TEST_F(SchemaTest, DatabaseOfAnotherProgramIsLeftAlone) {
  ASSERT_TRUE(db->execute("CREATE TABLE theirs(x)"));
  const auto done = migrate(*db, migrations());
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, errc::not_a_store);
  EXPECT_EQ(db->scalar("SELECT count(*) FROM sqlite_schema").value(), 1);
}

TEST_F(SchemaTest, FailedMigrationLeavesTheFormerVersionWhole) {
  const std::array former{Migration{1, "CREATE TABLE a(x); INSERT INTO a VALUES(1);"}};
  ASSERT_TRUE(migrate(*db, former));
  const std::array broken{
      former[0], Migration{2, "ALTER TABLE a ADD COLUMN y; UPDATE a SET y = 2; NONSENSE;"}};
  const auto done = migrate(*db, broken);
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().message().find("migration 2"), std::string::npos);
  EXPECT_EQ(version(), 1);
  EXPECT_FALSE(db->scalar("SELECT y FROM a"));
  EXPECT_EQ(db->scalar("SELECT x FROM a").value(), 1);
}

TEST_F(SchemaTest, OlderVersionIsTakenThroughEachStepOnce) {
  const std::array former{Migration{1, "CREATE TABLE a(x); INSERT INTO a VALUES(1);"}};
  ASSERT_TRUE(migrate(*db, former));
  const std::array newer{former[0], Migration{2, "UPDATE a SET x = x + 1;"},
                         Migration{3, "UPDATE a SET x = x * 10;"}};
  ASSERT_TRUE(migrate(*db, newer));
  EXPECT_EQ(version(), 3);
  EXPECT_EQ(db->scalar("SELECT x FROM a").value(), 20);
  ASSERT_TRUE(migrate(*db, newer));
  EXPECT_EQ(db->scalar("SELECT x FROM a").value(), 20);
}

TEST_F(SchemaTest, KeysOfSlicesBecomeKeysByHashAndTheNewestClaimCounts) {
  ASSERT_TRUE(migrate(*db, migrations().first(1)));
  ASSERT_TRUE(db->execute(
      "INSERT INTO idempotency(slice, hash, event_seq, event_id, received_ms, body) VALUES"
      " (7, x'aa', 1, x'01', 100, 5), (8, x'bb', 2, x'02', 200, 6), (30, x'aa', 3, x'03', 300, "
      "7)"));
  ASSERT_TRUE(migrate(*db, migrations()));
  EXPECT_EQ(db->scalar("SELECT count(*) FROM idempotency").value(), 2);
  EXPECT_EQ(db->scalar("SELECT event_seq FROM idempotency WHERE hash = x'aa'").value(), 3);
  EXPECT_EQ(db->scalar("SELECT received_ms FROM idempotency WHERE hash = x'bb'").value(), 200);
  EXPECT_EQ(read_meta(*db, kCommitLag), 0) << "there are no events";
}

TEST_F(SchemaTest, EventsOfAFormerVersionMayHaveTakenAMinute) {
  ASSERT_TRUE(migrate(*db, migrations().first(1)));
  ASSERT_TRUE(db->execute(
      "INSERT INTO events(seq, id, source, type, received_ms, fanout, run, body_size, body_sha256,"
      " method, target, remote, verification, traceparent, idem_place, idem_key, headers)"
      " VALUES(1, x'01', 1, 't', 100, 0, 0, 0, x'', 'POST', '/', '', '', '', '', '', x'')"));
  ASSERT_TRUE(migrate(*db, migrations()));
  EXPECT_EQ(read_meta(*db, kCommitLag), 60'000);
}

TEST_F(SchemaTest, VersionsAscendByOne) {
  int expected = 0;
  for (const auto& step : migrations()) EXPECT_EQ(step.version, ++expected);
  EXPECT_EQ(newest_schema(), expected);
}

TEST(StoreOpen, NewerSchemaIsRefusedInOneLine) {
  StoreHarness harness;
  harness.open();
  harness.close();
  {
    auto db = Connection::open(
        {.path = harness.options.data_dir + "/grapnel.db", .vfs = "", .cache_bytes = 1_MiB});
    ASSERT_TRUE(db && (*db)->execute("PRAGMA user_version = 99"));
  }
  const auto opened = harness.try_open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, errc::newer_schema);
  EXPECT_EQ(opened.error().message().find('\n'), std::string::npos);
}

// Every query of the hot paths finds its rows by an index: a scan would be flat in no store that
// grows.
TEST(Plans, HotQueriesUseTheirIndexes) {
  StoreHarness harness;
  harness.open();
  harness.close();
  auto opened = Connection::open(
      {.path = harness.options.data_dir + "/grapnel.db", .vfs = "", .cache_bytes = 1_MiB});
  ASSERT_TRUE(opened);
  Connection& db = **opened;
  const std::pair<const char*, const char*> expected[] = {
      {"SELECT due_ms, seq FROM deliveries WHERE action = 1 AND state = 0 AND due_ms < 5 ORDER BY "
       "due_ms LIMIT 3",
       "SEARCH deliveries USING COVERING INDEX deliveries_open (action=? AND state=? AND "
       "due_ms<?)"},
      {"SELECT action, state, count(*), sum(body_size) FROM deliveries"
       " WHERE state = 0 OR state = 1 OR state = 2 GROUP BY action, state",
       "SCAN deliveries USING COVERING INDEX deliveries_open"},
      {"SELECT seq, stand_seq FROM deliveries WHERE order_key = 1 AND state = 0 AND waits = 1"
       " ORDER BY stand_seq, seq LIMIT 1",
       "SEARCH deliveries USING INDEX deliveries_order (order_key=? AND state=?)"},
      {"SELECT 1 FROM deliveries WHERE order_key = 1 AND state = 4 AND stand_seq < 2 LIMIT 1",
       "SEARCH deliveries USING COVERING INDEX deliveries_order (order_key=? AND state=? AND "
       "stand_seq<?)"},
      {"SELECT id FROM deliveries INDEXED BY deliveries_dead WHERE state = 4 AND replayed_by IS "
       "NULL AND ended_seq > 1 AND ended_seq <= 2"
       " ORDER BY ended_seq LIMIT 3",
       "SEARCH deliveries USING INDEX deliveries_dead (ended_seq>? AND ended_seq<?)"},
      {"SELECT event_seq, event_id, received_ms, body FROM idempotency WHERE hash = x'00'",
       "SEARCH idempotency USING INDEX keys_hash (hash=?)"},
      {"SELECT seq FROM events WHERE source = 1 AND fanout = 0 ORDER BY seq LIMIT 3",
       "SEARCH events USING INDEX events_held (source=?)"},
  };
  for (const auto& [sql, plan] : expected) {
    auto query = db.query(std::string("EXPLAIN QUERY PLAN ") + sql);
    std::string found;
    while (query.next().value_or(false)) found += query.string(3) + "\n";
    EXPECT_EQ(found, std::string(plan) + "\n") << sql;
  }
}

}  // namespace
}  // namespace grapnel::sqlite
