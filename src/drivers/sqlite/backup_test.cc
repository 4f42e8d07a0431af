#include "drivers/sqlite/backup.h"

#include <boost/asio/co_spawn.hpp>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "drivers/sqlite/backup_manifest.h"
#include "drivers/sqlite/errors.h"
#include "drivers/sqlite/limits.h"
#include "drivers/sqlite/schema.h"
#include "drivers/sqlite/store_harness.h"
#include "model/errors.h"

namespace grapnel::sqlite {
namespace {

namespace fs = std::filesystem;
using Kind = model::Settlement::Kind;

struct BackupTest : testing::Test {
  StoreHarness harness;
  model::SourceId source;
  model::ActionId action;
  std::string backup;

  void SetUp() override {
    harness.open();
    source = harness.add_source("demo");
    action = harness.add_action(source, "one");
    backup = harness.folder + "/backup";
  }

  model::Appended append_large(char fill) {
    const std::string body(model::kBodyInlineBytesMax + 1, fill);
    auto draft = harness.draft(source, body);
    const auto file =
        harness.run(harness.store->ports().log.write_body(std::make_shared<std::string>(body)));
    EXPECT_TRUE(file);
    draft.event.body.clear();
    draft.body_file = *file;
    last_file = *file;
    return harness.append(std::move(draft));
  }
  Result<> make() { return harness.run(harness.store->ports().upkeep.backup(backup)); }
  void must_make() {
    const auto made = make();
    ASSERT_TRUE(made) << made.error().message();
  }
  std::string restored() const { return harness.folder + "/restored"; }
  void open_restored() {
    harness.close();
    harness.options.data_dir = restored();
    harness.open();
  }
  /// Changes the backup's database as somebody would who can write its manifest, too.
  void forge(const std::string& sql) {
    auto db = Connection::open({.path = backup + "/grapnel.db",
                                .vfs = {},
                                .access = Access::read_write,
                                .cache_bytes = kReaderCacheBytes});
    ASSERT_TRUE(db);
    ASSERT_TRUE((*db)->execute(sql));
    db->reset();
    auto manifest = manifest_from(text_of(backup + "/manifest.json"));
    ASSERT_TRUE(manifest);
    manifest->files["grapnel.db"] = *sum_file(backup + "/grapnel.db");
    std::ofstream(backup + "/manifest.json", std::ios::trunc) << to_text(*manifest);
  }
  static void flip_byte(const std::string& path, std::streamoff at) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(at);
    const char byte = static_cast<char>(file.get() ^ 1);
    file.seekp(at);
    file.put(byte);
  }
  static std::string text_of(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static std::error_code code_of(const Result<BackupSummary>& result) {
    return result ? std::error_code{} : result.error().code;
  }

  std::string last_file;
};

TEST_F(BackupTest, FolderThatIsNoNewAbsolutePathIsRefused) {
  fs::create_directory(harness.folder + "/taken");
  const auto& data = harness.options.data_dir;
  fs::create_directory_symlink(data, harness.folder + "/link");
  for (const auto& folder :
       {std::string("relative"), std::string(), harness.folder + "/taken", data, data + "/bodies",
        data + "/bodies/x", data + "/x/..", harness.folder + "/a/",
        harness.folder + "/link/bodies/x", data + "/bodies/..x", data + "/grapnel.db-journal",
        data + "/restoring", data + "/backups"}) {
    EXPECT_FALSE(harness.run(harness.store->ports().upkeep.backup(folder))) << folder;
  }
  EXPECT_TRUE(harness.run(harness.store->ports().upkeep.backup(data + "/backups/one")))
      << "a volume may be all there is";
}

TEST_F(BackupTest, NoStoreIsTakenForTheLeftoverOfABackup) {
  const std::string other = harness.folder + "/other.partial";
  fs::copy(harness.options.data_dir, other, fs::copy_options::recursive);
  EXPECT_FALSE(harness.run(harness.store->ports().upkeep.backup(harness.folder + "/other")));
  EXPECT_TRUE(fs::exists(other + "/grapnel.db"));
  fs::create_directory_symlink(harness.options.data_dir, harness.folder + "/mine.partial");
  EXPECT_FALSE(harness.run(harness.store->ports().upkeep.backup(harness.folder + "/mine")));
  EXPECT_TRUE(fs::exists(harness.options.data_dir + "/grapnel.db"));
}

TEST_F(BackupTest, MissingBodyFailsTheBackupAndLeavesNothing) {
  append_large('a');
  fs::remove(harness.options.data_dir + "/bodies/" + last_file);
  const auto made = make();
  ASSERT_FALSE(made);
  EXPECT_FALSE(fs::exists(backup));
  EXPECT_FALSE(fs::exists(backup + ".partial"));
}

TEST_F(BackupTest, DamagedBodyFailsTheBackup) {
  append_large('a');
  flip_byte(harness.options.data_dir + "/bodies/" + last_file, 1'000);
  const auto made = make();
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, make_error_code(model::errc::body_damaged));
  EXPECT_FALSE(fs::exists(backup));
}

TEST_F(BackupTest, LeftoverOfACutOffBackupIsReplacedAndAForeignFolderIsNot) {
  fs::create_directory(backup + ".partial");
  std::ofstream(backup + ".partial/grapnel.db") << "half";
  must_make();
  EXPECT_FALSE(fs::exists(backup + ".partial"));
  backup += "2";
  fs::create_directory(backup + ".partial");
  std::ofstream(backup + ".partial/letters.txt") << "mine";
  EXPECT_FALSE(make());
  EXPECT_TRUE(fs::exists(backup + ".partial/letters.txt"));
}

TEST_F(BackupTest, TwoAtOnceAreRefused) {
  std::vector<Result<>> done;
  for (const auto* name : {"/one", "/two"}) {
    boost::asio::co_spawn(
        harness.loop, harness.store->ports().upkeep.backup(harness.folder + name),
        [&](const std::exception_ptr&, Result<> result) { done.push_back(result); });
  }
  ASSERT_TRUE(doubles::wait_until(harness.loop, [&] { return done.size() == 2; }));
  EXPECT_NE(done[0].has_value(), done[1].has_value());
}

TEST_F(BackupTest, StoreThatStopsMeanwhileEndsItWithAnError) {
  for (int i = 0; i < 40; ++i) harness.append(harness.draft(source, std::string(200'000, 'x')));
  std::optional<Result<>> done;
  boost::asio::co_spawn(harness.loop, harness.store->ports().upkeep.backup(backup),
                        [&](const std::exception_ptr&, Result<> result) { done = result; });
  ASSERT_TRUE(doubles::wait_until(harness.loop,
                                  [&] { return fs::exists(backup + ".partial/grapnel.db"); }));
  harness.store->stop();
  ASSERT_TRUE(doubles::wait_until(harness.loop, [&] { return done.has_value(); }));
  EXPECT_FALSE(*done);
  EXPECT_FALSE(fs::exists(backup));
}

TEST_F(BackupTest, WritesDoNotStartTheCopyAnewAndAreInItWholeOrNotAtAll) {
  for (int i = 0; i < 60; ++i) harness.append(harness.draft(source, std::string(200'000, 'x')));
  std::optional<Result<>> done;
  boost::asio::co_spawn(harness.loop, harness.store->ports().upkeep.backup(backup),
                        [&](const std::exception_ptr&, Result<> result) { done = result; });
  int meanwhile = 0;
  while (!done) {
    harness.append(harness.draft(source, std::string(1'000, 'y')));
    ASSERT_LT(++meanwhile, 2'000);
  }
  ASSERT_TRUE(*done) << done->error().message();
  EXPECT_GT(meanwhile, 3) << "the store went on";
  ASSERT_TRUE(restore_backup(backup, restored()));
  open_restored();
  std::int64_t events = 0;
  model::EventQuery query{.limit = model::kPageMax};
  do {
    const auto page = harness.run(harness.store->ports().catalog.events(query));
    ASSERT_TRUE(page);
    for (const auto& event : page->items) {
      ++events;
      const auto whole = harness.run(
          harness.store->ports().catalog.event(event.id, model::Catalog::WithBody::yes));
      ASSERT_TRUE(whole && *whole);
      const auto made =
          harness.run(harness.store->ports().catalog.deliveries({.event = event.seq}));
      ASSERT_TRUE(made);
      EXPECT_EQ(made->items.size(), 1U);
    }
    query.after = page->next;
  } while (query.after);
  EXPECT_GE(events, 60);
  EXPECT_LE(events, 60 + meanwhile);
}

TEST_F(BackupTest, BodiesSweptMeanwhileAreInTheBackupAndThenGo) {
  append_large('a');
  const auto lease = harness.lease(action, 1).leases.at(0);
  harness.settle({.delivery = lease.delivery.seq, .fence = lease.fence, .kind = Kind::delivered});
  for (int i = 0; i < 40; ++i) harness.append(harness.draft(source, std::string(200'000, 'x')));
  harness.clock.advance(std::chrono::hours{1});
  std::optional<Result<>> done;
  boost::asio::co_spawn(harness.loop, harness.store->ports().upkeep.backup(backup),
                        [&](const std::exception_ptr&, Result<> result) { done = result; });
  ASSERT_TRUE(doubles::wait_until(harness.loop,
                                  [&] { return fs::exists(backup + ".partial/grapnel.db"); }));
  const auto swept =
      harness.run(harness.store->ports().upkeep.sweep({.finished = Millis{0}, .dead = Millis{0}}));
  ASSERT_TRUE(swept);
  EXPECT_EQ(swept->events, 1);
  ASSERT_TRUE(doubles::wait_until(harness.loop, [&] { return done.has_value(); }));
  EXPECT_TRUE(*done) << done->error().message();
  EXPECT_TRUE(restore_backup(backup, restored()));
  EXPECT_FALSE(fs::exists(harness.options.data_dir + "/bodies/" + last_file));
}

TEST_F(BackupTest, ManifestNamesEveryFileWithItsChecksum) {
  append_large('a');
  must_make();
  const auto manifest = manifest_from(text_of(backup + "/manifest.json"));
  ASSERT_TRUE(manifest);
  EXPECT_EQ(manifest->files.size(), 2U);
  EXPECT_TRUE(manifest->files.contains("bodies/" + last_file));
  for (const auto& [name, sum] : manifest->files) {
    EXPECT_EQ(sum_file(backup + "/" + name), sum);
  }
  const auto summary = restore_backup(backup, restored());
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->bodies, 1U);
  EXPECT_EQ(summary->schema, newest_schema());
  EXPECT_GT(summary->seq, 0);
}

TEST_F(BackupTest, DamageAnywhereIsFoundBeforeAnythingIsRestored) {
  append_large('a');
  must_make();
  for (const auto& file : {backup + "/grapnel.db", backup + "/bodies/" + last_file}) {
    flip_byte(file, 5'000);
    EXPECT_EQ(code_of(restore_backup(backup, restored())), make_error_code(errc::not_a_store))
        << file;
    EXPECT_FALSE(fs::exists(restored() + "/grapnel.db"));
    flip_byte(file, 5'000);
  }
  fs::resize_file(backup + "/grapnel.db", 4'096);
  EXPECT_FALSE(restore_backup(backup, restored()));
  fs::remove(backup + "/grapnel.db");
  EXPECT_FALSE(restore_backup(backup, restored()));
  EXPECT_FALSE(fs::exists(restored() + "/grapnel.db"));
}

TEST_F(BackupTest, ManifestThatIsNotOursIsRefused) {
  must_make();
  const std::string path = backup + "/manifest.json";
  const std::string good = text_of(path);
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    std::ofstream(path, std::ios::trunc) << text;
    return code_of(restore_backup(backup, restored()));
  };
  EXPECT_EQ(with("\"grapnel.db\"", "\"../grapnel.db\""), make_error_code(errc::not_a_store));
  EXPECT_EQ(with("\"grapnel.db\"", "\"bodies/../../x\""), make_error_code(errc::not_a_store));
  EXPECT_EQ(with("\"format\":1", "\"format\":2"), make_error_code(errc::newer_schema));
  EXPECT_EQ(with("\"schema\":", "\"schema\":9"), make_error_code(errc::newer_schema));
  EXPECT_EQ(with("\"seq\":", "\"seq\":1"), make_error_code(errc::not_a_store))
      << "of another database";
  EXPECT_EQ(with(good, "nonsense"), make_error_code(errc::not_a_store));
  fs::remove(path);
  EXPECT_EQ(code_of(restore_backup(backup, restored())), make_error_code(errc::not_a_store));
  EXPECT_FALSE(fs::exists(restored() + "/grapnel.db"));
}

TEST_F(BackupTest, LinksInABackupAreNotFollowed) {
  append_large('a');
  must_make();
  for (const auto& file : {"/grapnel.db", "/bodies/", "/manifest.json"}) {
    const std::string path = backup + file + (file == std::string("/bodies/") ? last_file : "");
    fs::rename(path, harness.folder + "/moved");
    fs::create_symlink(harness.folder + "/moved", path);
    EXPECT_EQ(code_of(restore_backup(backup, restored())), make_error_code(errc::not_a_store))
        << path;
    fs::rename(harness.folder + "/moved", path);
  }
  ASSERT_TRUE(restore_backup(backup, restored()));
}

TEST_F(BackupTest, DatabaseThatNamesABodyElsewhereIsRefused) {
  append_large('a');
  must_make();
  std::ofstream(harness.folder + "/elsewhere") << "x";
  forge("UPDATE events SET body_file = '../../elsewhere'");
  EXPECT_EQ(code_of(restore_backup(backup, restored())), make_error_code(model::errc::body_gone));
  EXPECT_FALSE(fs::exists(restored() + "/grapnel.db"));
}

TEST_F(BackupTest, DatabaseWithAProgramInItIsRefused) {
  must_make();
  forge("CREATE TRIGGER t AFTER INSERT ON events BEGIN DELETE FROM deliveries; END");
  EXPECT_EQ(code_of(restore_backup(backup, restored())), make_error_code(errc::not_a_store));
  EXPECT_FALSE(fs::exists(restored() + "/grapnel.db"));
}

TEST_F(BackupTest, NumbersThatLeaveNoRoomForTheLeapAreRefused) {
  must_make();
  forge("UPDATE meta SET value = 9223372036854775807 WHERE key = 'epoch'");
  EXPECT_EQ(code_of(restore_backup(backup, restored())), make_error_code(errc::not_a_store));
}

TEST_F(BackupTest, RestoreNeverWritesOverAStore) {
  must_make();
  EXPECT_EQ(code_of(restore_backup(backup, harness.options.data_dir)),
            make_error_code(errc::locked));
  harness.close();
  EXPECT_EQ(code_of(restore_backup(backup, harness.options.data_dir)),
            make_error_code(model::errc::conflict));
  fs::create_directories(restored() + "/bodies");
  std::ofstream(restored() + "/bodies/1-aa") << "somebody's";
  EXPECT_EQ(code_of(restore_backup(backup, restored())), make_error_code(model::errc::conflict));
  EXPECT_TRUE(fs::exists(restored() + "/bodies/1-aa"));
}

TEST_F(BackupTest, FilesThatAreNoStoreStayWhereARestoreGoes) {
  must_make();
  fs::create_directories(restored());
  std::ofstream(restored() + "/master.key") << "key";
  ASSERT_TRUE(restore_backup(backup, restored()));
  EXPECT_EQ(text_of(restored() + "/master.key"), "key");
}

TEST_F(BackupTest, RestoreThatWasCutOffIsCleanedUpByTheNext) {
  append_large('a');
  must_make();
  fs::create_directories(restored() + "/restoring");
  std::ofstream(restored() + "/restoring/grapnel.db") << "half";
  fs::create_directories(restored() + "/bodies");
  std::ofstream(restored() + "/bodies/" + last_file) << "moved in already";
  ASSERT_TRUE(restore_backup(backup, restored()));
  EXPECT_FALSE(fs::exists(restored() + "/restoring"));
  EXPECT_EQ(fs::file_size(restored() + "/bodies/" + last_file), model::kBodyInlineBytesMax + 1);
}

TEST_F(BackupTest, RestoredStoreIsTheSameByteForByteAndStartsANewGeneration) {
  const auto small = harness.append(harness.draft(source, std::string("raw \0 bytes", 11)));
  const auto large = append_large('b');
  harness.append(harness.draft(source, "{}"));
  const auto lease = harness.lease(action, 1).leases.at(0);
  const auto page = harness.run(harness.store->ports().catalog.events({.limit = 1}));
  ASSERT_TRUE(page && page->next);
  must_make();
  const auto after = harness.append(harness.draft(source, "after the backup"));
  const auto revision = harness.store->ports().registry.snapshot()->revision;
  const auto events_before = harness.event(large.seq);

  const auto summary = restore_backup(backup, restored());
  ASSERT_TRUE(summary) << summary.error().message();
  open_restored();
  EXPECT_EQ(harness.event(small.seq).body, std::string("raw \0 bytes", 11));
  EXPECT_EQ(harness.event(large.seq).body, events_before.body);
  EXPECT_EQ(harness.event(large.seq).headers, events_before.headers);

  const auto stale = harness.run(harness.store->ports().catalog.events({.after = page->next}));
  ASSERT_FALSE(stale);
  EXPECT_EQ(stale.error().code, make_error_code(model::errc::old_cursor));
  const auto gone =
      harness.run(harness.store->ports().catalog.event(after.event, model::Catalog::WithBody::no));
  ASSERT_TRUE(gone);
  EXPECT_FALSE(*gone);

  EXPECT_GT(harness.append(harness.draft(source, "{}")).seq, after.seq + (kSeqLeap >> 1));
  EXPECT_GT(harness.store->ports().registry.snapshot()->revision, revision);
  const auto fresh = harness.lease(action, 10);
  ASSERT_FALSE(fresh.leases.empty());
  for (const auto& one : fresh.leases) EXPECT_GT(one.fence, lease.fence);
}

std::int64_t generation_in(const std::string& data_dir) {
  auto db = Connection::open({.path = data_dir + "/grapnel.db",
                              .vfs = {},
                              .access = Access::read_write,
                              .cache_bytes = kReaderCacheBytes});
  return db ? read_meta(**db, "generation").value_or(0) : 0;
}

TEST_F(BackupTest, ABackupCanBeRestoredMoreThanOnceAndARestoreBackedUp) {
  append_large('c');
  must_make();
  const auto first = restore_backup(backup, restored());
  ASSERT_TRUE(first);
  ASSERT_TRUE(restore_backup(backup, restored() + "2"));
  EXPECT_GT(generation_in(restored() + "2"), generation_in(restored()))
      << "a cursor of the first is none of the second";
  open_restored();
  backup = harness.folder + "/again";
  must_make();
  const auto summary = restore_backup(backup, harness.folder + "/third");
  ASSERT_TRUE(summary);
  EXPECT_GT(summary->generation, first->generation);
}

TEST_F(BackupTest, BackupOfAnEmptyStoreIsABackup) {
  StoreHarness empty(7);
  empty.open();
  const std::string folder = empty.folder + "/backup";
  ASSERT_TRUE(empty.run(empty.store->ports().upkeep.backup(folder)));
  EXPECT_TRUE(restore_backup(folder, empty.folder + "/restored"));
}

}  // namespace
}  // namespace grapnel::sqlite
