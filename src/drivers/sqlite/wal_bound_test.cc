// The log's bound holds, whoever reads.
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>

#include "drivers/sqlite/bodies.h"
#include "drivers/sqlite/files.h"
#include "drivers/sqlite/readers.h"
#include "drivers/sqlite/recovery.h"
#include "drivers/sqlite/schema.h"
#include "drivers/sqlite/store_harness.h"
#include "drivers/sqlite/writer.h"

namespace grapnel::sqlite {
namespace {

constexpr std::uint64_t kBound = 2_MiB;
/// One commit of the tests adds less than this.
constexpr std::uint64_t kSlack = 1_MiB;

void append_mebibytes(StoreHarness& harness, model::SourceId source, int count) {
  for (int i = 0; i < count; ++i) {
    std::vector<model::EventDraft> drafts;
    for (int j = 0; j < 16; ++j) drafts.push_back(harness.draft(source, std::string(32'000, 'x')));
    for (int half = 0; half < 2; ++half) {
      auto copies = drafts;
      for (auto& draft : copies) draft.event.id = harness.new_id<model::EventId>();
      ASSERT_TRUE(harness.run(harness.store->ports().log.append(std::move(copies))));
      ASSERT_LE(harness.store->ports().upkeep.health().wal_bytes, kBound + kSlack);
    }
  }
}

TEST(WalBound, WriterMakesRoomAtTheBound) {
  StoreHarness harness;
  harness.options.wal_bytes_max = kBound;
  harness.open();
  const auto source = harness.add_source("demo");
  append_mebibytes(harness, source, 12);
  EXPECT_GE(harness.store->counters().restarts, 3U);
}

/// The parts of a store that the bound is about, without the ports.
struct Parts {
  StoreHarness harness;
  StoreClock clock{harness.clock, Time{}};
  Readers readers{harness.loop.get_executor()};
  std::unique_ptr<Files> files;
  StallWatch stalls{kStallMax};
  std::unique_ptr<Bodies> bodies;
  std::unique_ptr<Writer> writer;

  void open() {
    harness.options.wal_bytes_max = kBound;
    std::filesystem::create_directory(harness.options.data_dir);
    auto watch = SyncWatchVfs::create("");
    ASSERT_TRUE(watch);
    files = std::make_unique<Files>(harness.options.data_dir + "/grapnel.db", std::move(*watch),
                                    readers);
    auto db = files->open_writer();
    ASSERT_TRUE(db && migrate(**db, migrations()));
    auto state = load_state(**db);
    ASSERT_TRUE(state);
    bodies =
        std::make_unique<Bodies>(harness.options.data_dir + "/bodies", 1, harness.random, stalls);
    writer = std::make_unique<Writer>(*files, *bodies, stalls, clock, harness.loop.get_executor(),
                                      std::move(*db), std::move(*state), harness.options);
    ASSERT_TRUE(files->open_others());
    writer->start();
  }
  Result<> write_mebibyte() {
    return harness.run(writer->write(1_MiB, [](Transaction& tx) -> Result<> {
      auto query =
          tx.db().query("INSERT OR REPLACE INTO meta(key, value) VALUES('x', randomblob(1048576))");
      return query.run();
    }));
  }
};

TEST(WalBound, ReaderInTheWayIsInterruptedAndMadeAnewWhileTheWriterGoesOn) {
  Parts parts;
  parts.open();
  std::atomic<int> runs = 0;
  std::optional<Result<std::int64_t>> answer;
  boost::asio::co_spawn(
      parts.harness.loop, parts.readers.read([&runs](Connection& db) -> Result<std::int64_t> {
        const auto seen = db.scalar("SELECT count(*) FROM sources");
        if (!seen || ++runs > 1) return seen;
        // Would run for hours.
        return db.scalar(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM "
            "n");
      }),
      [&](std::exception_ptr, Result<std::int64_t> value) { answer = std::move(value); });
  ASSERT_TRUE(doubles::wait_until(parts.harness.loop, [&] { return runs > 0; }));
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(parts.write_mebibyte());
    ASSERT_LE(parts.writer->health().wal_bytes, kBound + 2 * kSlack);
  }
  EXPECT_GE(parts.writer->counters().restarts, 2U);
  ASSERT_TRUE(doubles::wait_until(parts.harness.loop, [&] { return answer.has_value(); }));
  EXPECT_EQ(runs, 2);
  EXPECT_TRUE(*answer);
}

TEST(WalBound, ReadsThatNeverEndDoNotBreakIt) {
  StoreHarness harness;
  harness.options.wal_bytes_max = kBound;
  harness.open();
  const auto source = harness.add_source("demo");
  for (int i = 0; i < 20; ++i) harness.append(harness.draft(source, std::string(1000, 'y')));
  // Reads of the store's own ports run all the time while the log passes its bound many times.
  bool stop = false;
  int reads = 0;
  int running = 0;
  const auto read_on = [](StoreHarness& h, bool& ended, int& count, int& alive) -> async::Task<> {
    while (!ended) {
      const auto page = co_await h.store->ports().catalog.events({});
      EXPECT_TRUE(page) << page.error().message();
      ++count;
    }
    --alive;
  };
  for (int i = 0; i < 6; ++i) {
    ++running;
    boost::asio::co_spawn(harness.loop, read_on(harness, stop, reads, running),
                          [](std::exception_ptr) {});
  }
  append_mebibytes(harness, source, 12);
  stop = true;
  EXPECT_TRUE(doubles::wait_until(harness.loop, [&] { return running == 0; }));
  EXPECT_GT(reads, 0);
}

}  // namespace
}  // namespace grapnel::sqlite
