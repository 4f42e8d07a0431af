#include "drivers/sqlite/sync_watch_vfs.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "doubles/lossy_vfs.h"
#include "drivers/sqlite/limits.h"
#include "drivers/sqlite/statement.h"
#include "drivers/sqlite/store_harness.h"

namespace grapnel::sqlite {
namespace {

constexpr int kPages = 100;

struct SyncWatchVfsTest : testing::Test {
  StoreHarness harness;
  doubles::LossyVfs disk;
  std::string database = harness.folder + "/x.db";
  std::unique_ptr<SyncWatchVfs> watch;
  std::unique_ptr<Connection> writer;

  void SetUp() override {
    auto made = SyncWatchVfs::create(disk.name());
    ASSERT_TRUE(made);
    watch = std::move(*made);
    // A cache of a few pages, so that a transaction writes to the log before it commits.
    writer = connect(40'960);
    ASSERT_TRUE(writer->execute("PRAGMA page_size = 4096; PRAGMA journal_mode = WAL"));
    ASSERT_TRUE(writer->execute("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0"));
    ASSERT_TRUE(writer->execute("CREATE TABLE rows(x)"));
    ASSERT_TRUE(writer->execute("INSERT INTO rows VALUES(1)"));
  }
  std::unique_ptr<Connection> connect(std::size_t cache_bytes) {
    auto opened =
        Connection::open({.path = database, .vfs = watch->name(), .cache_bytes = cache_bytes});
    EXPECT_TRUE(opened);
    (*opened)->keep_wal();
    return std::move(*opened);
  }
  Result<> insert(int pages) {
    for (int i = 0; i < pages; ++i) {
      if (auto done = writer->execute("INSERT INTO rows VALUES(zeroblob(4000))"); !done)
        return done;
    }
    return {};
  }
  std::uintmax_t log_size() const { return std::filesystem::file_size(database + "-wal"); }
};

TEST_F(SyncWatchVfsTest, CommitIsOneWriteAndOneSync) {
  const auto before = disk.operations();
  ASSERT_TRUE(writer->execute("BEGIN"));
  ASSERT_TRUE(insert(5));
  ASSERT_TRUE(writer->execute("COMMIT"));
  EXPECT_EQ(disk.operations() - before, 2u);
}

TEST_F(SyncWatchVfsTest, WhatIsGatheredIsSeenByItsOwnConnectionAndAfterTheCommitByAll) {
  const auto other = connect(1_MiB);
  ASSERT_TRUE(writer->execute("BEGIN"));
  ASSERT_TRUE(insert(kPages));
  EXPECT_EQ(writer->scalar("SELECT count(*) FROM rows WHERE length(x) = 4000"), kPages);
  EXPECT_EQ(other->scalar("SELECT count(*) FROM rows"), 1);
  ASSERT_TRUE(writer->execute("COMMIT"));
  EXPECT_EQ(other->scalar("SELECT count(*) FROM rows WHERE length(x) = 4000"), kPages);
}

TEST_F(SyncWatchVfsTest, FailedWriteOfWhatWasGatheredFailsTheCommitAlone) {
  ASSERT_TRUE(writer->execute("BEGIN"));
  ASSERT_TRUE(insert(5));
  disk.fail_at(disk.operations() + 1, doubles::LossyVfs::Fault::half_done);
  EXPECT_FALSE(writer->execute("COMMIT"));
  writer->rollback();
  EXPECT_FALSE(watch->sync_failed());
  ASSERT_TRUE(insert(1));
  EXPECT_EQ(writer->scalar("SELECT count(*) FROM rows"), 2);
}

TEST_F(SyncWatchVfsTest, SyncOfAnotherConnectionCoversNothingThatIsStillGathered) {
  const auto checkpointer = connect(1_MiB);
  const auto committed = log_size();
  ASSERT_TRUE(writer->execute("BEGIN"));
  ASSERT_TRUE(insert(15));
  ASSERT_EQ(log_size(), committed) << "the transaction's pages wait in memory";
  ASSERT_TRUE(checkpointer->checkpoint(Connection::Checkpoint::passive, Millis{0}));
  disk.fail_next_sync("-wal");
  EXPECT_FALSE(writer->execute("COMMIT"));
  EXPECT_TRUE(watch->sync_failed());
  writer->rollback();
  writer.reset();
  ASSERT_TRUE(watch->cut_wal(database));
  EXPECT_EQ(log_size(), committed);
}

}  // namespace
}  // namespace grapnel::sqlite
