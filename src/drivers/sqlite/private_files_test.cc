#include "drivers/sqlite/private_files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "drivers/sqlite/backup.h"
#include "drivers/sqlite/data_lock.h"
#include "drivers/sqlite/store_harness.h"
#include "model/errors.h"
#include "model/limits.h"

namespace grapnel::sqlite {
namespace {

namespace fs = std::filesystem;

/// The store must not lean on what the process's umask happens to be.
struct PrivateFilesTest : testing::Test {
  StoreHarness harness;
  const mode_t umask_before = ::umask(0);
  ~PrivateFilesTest() override { ::umask(umask_before); }

  static unsigned mode_of(const fs::path& path) {
    return static_cast<unsigned>(fs::symlink_status(path).permissions());
  }
  static void expect_private(const fs::path& root) {
    EXPECT_EQ(mode_of(root), 0700U) << root;
    int files = 0;
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
      EXPECT_EQ(mode_of(entry.path()), entry.is_directory() ? 0700U : 0600U) << entry.path();
      files += entry.is_directory() ? 0 : 1;
    }
    EXPECT_GT(files, 1) << root;
  }
};

TEST_F(PrivateFilesTest, EverythingOfAStoreItsBackupAndItsRestoreIsTheOwnersAlone) {
  harness.open();
  const auto source = harness.add_source("demo");
  const std::string body(model::kBodyInlineBytesMax + 1, 'x');
  const auto file =
      harness.run(harness.store->ports().log.write_body(std::make_shared<std::string>(body)));
  ASSERT_TRUE(file);
  auto draft = harness.draft(source, body);
  draft.event.body.clear();
  draft.body_file = *file;
  harness.append(std::move(draft));
  ASSERT_TRUE(fs::exists(harness.options.data_dir + "/grapnel.db-wal"));
  expect_private(harness.options.data_dir);

  const std::string backup = harness.folder + "/backup";
  ASSERT_TRUE(harness.run(harness.store->ports().upkeep.backup(backup)));
  expect_private(backup);
  const std::string restored = harness.folder + "/restored";
  ASSERT_TRUE(restore_backup(backup, restored));
  expect_private(restored);
}

TEST_F(PrivateFilesTest, FolderThatExistsKeepsItsMode) {
  fs::create_directory(harness.folder + "/taken");
  fs::permissions(harness.folder + "/taken", fs::perms(0750));
  EXPECT_TRUE(make_private_folder(harness.folder + "/taken/"));
  EXPECT_EQ(mode_of(harness.folder + "/taken"), 0750U);
  EXPECT_TRUE(make_private_folder(harness.folder + "/parent/new/"));
  EXPECT_EQ(mode_of(harness.folder + "/parent/new"), 0700U);
  std::ofstream(harness.folder + "/file") << "x";
  EXPECT_FALSE(make_private_folder(harness.folder + "/file"));
}

TEST_F(PrivateFilesTest, LinksPipesAndFoldersAreNoPlainFiles) {
  std::ofstream(harness.folder + "/file") << "x";
  EXPECT_TRUE(open_plain(harness.folder + "/file"));
  fs::create_symlink(harness.folder + "/file", harness.folder + "/link");
  ASSERT_EQ(::mkfifo((harness.folder + "/pipe").c_str(), 0600), 0);
  for (const std::string name : {"/link", "/pipe", ""}) {
    const auto opened = open_plain(harness.folder + name);
    ASSERT_FALSE(opened) << name;
    EXPECT_EQ(opened.error(), std::errc::too_many_symbolic_link_levels) << name;
  }
}

TEST_F(PrivateFilesTest, LockFileThatIsALinkIsNotFollowed) {
  const std::string other = harness.folder + "/other";
  std::ofstream(other) << "somebody's";
  fs::create_directory(harness.options.data_dir);
  fs::create_symlink(other, harness.options.data_dir + "/lock");
  EXPECT_FALSE(DataLock::acquire(harness.options.data_dir));
  EXPECT_EQ(fs::file_size(other), 10U);
}

}  // namespace
}  // namespace grapnel::sqlite
