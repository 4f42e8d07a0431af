// The log's bound holds, whoever reads.
#include <gtest/gtest.h>

#include "drivers/sqlite/event_log.h"
#include "drivers/sqlite/files.h"
#include "drivers/sqlite/readers.h"
#include "drivers/sqlite/store_harness.h"
#include "model/errors.h"

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
      ASSERT_TRUE(harness.run(harness.store->events().append(std::move(copies))));
      ASSERT_LE(harness.store->upkeep().health().wal_bytes, kBound + kSlack);
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

TEST(WalBound, ReaderInTheWayIsInterruptedAndTheWriterGoesOn) {
  StoreHarness harness;
  harness.options.wal_bytes_max = kBound;
  harness.open();
  const auto source = harness.add_source("demo");
  harness.append(harness.draft(source, "x"));

  // A reader of the store's own kind, on a thread of its own, that would run for hours.
  auto watch = SyncWatchVfs::create("");
  ASSERT_TRUE(watch);
  async::Loop loop;
  Readers readers(loop.get_executor());
  std::vector<std::unique_ptr<Connection>> connections;
  auto connection = Connection::open({.path = harness.options.data_dir + "/grapnel.db",
                                      .vfs = (*watch)->name(),
                                      .access = Access::read_only,
                                      .cache_bytes = 1_MiB});
  ASSERT_TRUE(connection);
  (*connection)->keep_wal();
  connections.push_back(std::move(*connection));
  readers.open(std::move(connections));
  std::atomic<int> runs = 0;
  std::optional<Result<std::int64_t>> answer;
  boost::asio::co_spawn(
      loop, readers.read([&runs](Connection& db) -> Result<std::int64_t> {
        ++runs;
        const auto seen = db.scalar("SELECT count(*) FROM events");
        if (!seen || runs > 1) return seen;
        return db.scalar(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
            " SELECT count(*) FROM n, events");
      }),
      [&](std::exception_ptr, Result<std::int64_t> value) { answer = std::move(value); });
  ASSERT_TRUE(doubles::wait_until(loop, [&] { return runs > 0; }));
  readers.interrupt();
  ASSERT_TRUE(doubles::wait_until(loop, [&] { return answer.has_value(); }));
  EXPECT_EQ(runs, 2);
  ASSERT_TRUE(*answer);
  EXPECT_EQ(**answer, 1);
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
      const auto page = co_await h.store->catalog().events({});
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
