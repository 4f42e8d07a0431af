#include "app/secret_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "app/errors.h"

namespace grapnel::app {
namespace {

using testing::HasSubstr;

class SecretFile : public testing::Test {
 protected:
  SecretFile() { std::filesystem::create_directories(folder_); }
  ~SecretFile() override { std::filesystem::remove_all(folder_); }

  static std::string line_of(const std::string& file) {
    const auto secret = read_secret_file(file);
    EXPECT_TRUE(secret) << secret.error().message();
    return secret && *secret ? std::string((*secret)->reveal()) : "(none)";
  }

  std::string folder_ = testing::TempDir() + "grapnel_secret_" + std::to_string(getpid());
  std::string file_ = folder_ + "/key";
};

TEST_F(SecretFile, AbsentFileIsNothingAndAFolderIsAnError) {
  EXPECT_EQ(line_of(file_), "(none)");
  ::chmod(folder_.c_str(), 0700);
  const auto secret = read_secret_file(folder_);
  ASSERT_FALSE(secret);
  EXPECT_EQ(secret.error().code, errc::file_failed);
  EXPECT_THAT(secret.error().message(), HasSubstr(folder_));
}

TEST_F(SecretFile, FileThatOthersCanReadIsRefusedWithTheCommandThatHelps) {
  ASSERT_TRUE(write_secret_file(file_, "s3cret"));
  ::chmod(file_.c_str(), 0640);
  const auto secret = read_secret_file(file_);
  ASSERT_FALSE(secret);
  EXPECT_EQ(secret.error().code, errc::file_failed);
  EXPECT_THAT(secret.error().message(), HasSubstr("chmod 600 " + file_));
}

TEST_F(SecretFile, WriteNeitherReplacesNorLeavesAPart) {
  ASSERT_TRUE(write_secret_file(file_, "first"));
  EXPECT_FALSE(write_secret_file(file_, "second"));
  EXPECT_EQ(line_of(file_), "first");
  EXPECT_FALSE(write_secret_file(folder_ + "/absent/key", "x"));
}

TEST_F(SecretFile, WrittenFileIsItsOwnersAlone) {
  ASSERT_TRUE(write_secret_file(file_, "s3cret"));
  struct stat status{};
  ASSERT_EQ(::stat(file_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  EXPECT_EQ(line_of(file_), "s3cret");
}

TEST_F(SecretFile, ReplaceIgnoresWhatACutOffOneLeft) {
  ASSERT_TRUE(write_secret_file(file_, "old"));
  std::ofstream(file_ + ".new") << "half";
  ASSERT_TRUE(replace_secret_file(file_, "new"));
  EXPECT_EQ(line_of(file_), "new");
  EXPECT_FALSE(std::filesystem::exists(file_ + ".new"));
}

}  // namespace
}  // namespace grapnel::app
