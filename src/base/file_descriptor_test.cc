#include "base/file_descriptor.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <thread>

namespace grapnel {
namespace {

class FileDescriptorTest : public testing::Test {
 protected:
  FileDescriptorTest() { std::filesystem::create_directories(folder_); }
  ~FileDescriptorTest() override { std::filesystem::remove_all(folder_); }

  static bool is_closed(int number) { return ::fcntl(number, F_GETFD) < 0; }

  std::string folder_ = testing::TempDir() + "grapnel_file_" + std::to_string(getpid());
  std::string path_ = folder_ + "/file";
};

TEST_F(FileDescriptorTest, MissingFileSaysWhatTheSystemSaid) {
  const auto file = open_file(path_, O_RDONLY);
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error(), std::errc::no_such_file_or_directory);
  EXPECT_EQ(file.error().value(), ENOENT);
  EXPECT_EQ(sync_folder_of(folder_ + "/absent/file"), std::errc::no_such_file_or_directory);
}

TEST_F(FileDescriptorTest, DescriptorOfTheWrongKindFailsEachCall) {
  const auto file = open_file(folder_, O_RDONLY);
  ASSERT_TRUE(file);
  std::array<char, 4> buffer;
  EXPECT_EQ(write_all(*file, "x"), std::errc::bad_file_descriptor);
  EXPECT_EQ(read_up_to(*file, buffer).error(), std::errc::is_a_directory);
  std::array<int, 2> ends;
  ASSERT_EQ(::pipe(ends.data()), 0);
  const FileDescriptor reader(ends[0]);
  const FileDescriptor writer(ends[1]);
  EXPECT_TRUE(sync(writer));
}

TEST_F(FileDescriptorTest, ClosesWhatItOwnsOnceAndNothingAfterAMove) {
  int number = -1;
  {
    auto first = open_file(path_, O_WRONLY | O_CREAT);
    ASSERT_TRUE(first);
    number = first->number();
    FileDescriptor second = std::move(*first);
    first = std::unexpected(std::error_code());
    EXPECT_FALSE(is_closed(number));
    const int other = ::dup(number);
    second = FileDescriptor(other);
    EXPECT_TRUE(is_closed(number));
    number = other;
  }
  EXPECT_TRUE(is_closed(number));
}

TEST_F(FileDescriptorTest, WriteBackWaitsWhereItCanAndSaysWhatFailed) {
  const auto file = open_file(path_, O_WRONLY | O_CREAT | O_EXCL);
  ASSERT_TRUE(file);
  EXPECT_FALSE(write_all(*file, "abcdef"));
  EXPECT_FALSE(write_back(*file, 0, 6));
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const FileDescriptor reader(ends[0]);
  const FileDescriptor writer(ends[1]);
  EXPECT_FALSE(write_back(writer, 0, 1)) << "a pipe has nothing to write back";
  EXPECT_EQ(write_back(FileDescriptor(-1), 0, 1), std::errc::bad_file_descriptor);
}

TEST_F(FileDescriptorTest, WrittenFileReadsBackUpToItsEnd) {
  {
    const auto file = open_file(path_, O_WRONLY | O_CREAT | O_EXCL);
    ASSERT_TRUE(file);
    EXPECT_FALSE(write_all(*file, "abcdef"));
    EXPECT_FALSE(sync(*file));
    EXPECT_FALSE(sync_folder_of(path_));
  }
  EXPECT_EQ(std::filesystem::status(path_).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  const auto file = open_file(path_, O_RDONLY);
  ASSERT_TRUE(file);
  std::array<char, 4> buffer;
  EXPECT_EQ(read_up_to(*file, buffer), 4u);
  EXPECT_EQ(std::string_view(buffer.data(), 4), "abcd");
  EXPECT_EQ(read_up_to(*file, buffer), 2u);
  EXPECT_EQ(read_up_to(*file, buffer), 0u);
}

void do_nothing(int) {}

TEST_F(FileDescriptorTest, SignalsAndShortWritesLoseNothing) {
  struct sigaction action{};
  action.sa_handler = do_nothing;  // without SA_RESTART: calls return EINTR
  struct sigaction former{};
  ::sigaction(SIGUSR1, &action, &former);
  std::array<int, 2> ends;
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
  const std::string sent(4 << 20, 's');
  std::string got(sent.size(), '\0');
  const FileDescriptor reader(ends[1]);
  const auto receiving = ::pthread_self();
  std::thread sending([&] {
    const FileDescriptor writer(ends[0]);
    const std::string_view all = sent;
    for (std::size_t at = 0; at < all.size(); at += 1 << 20) {
      EXPECT_FALSE(write_all(writer, all.substr(at, 1 << 20)));
      ::pthread_kill(receiving, SIGUSR1);
    }
  });
  EXPECT_EQ(read_up_to(reader, got), sent.size());
  sending.join();
  ::sigaction(SIGUSR1, &former, nullptr);
  EXPECT_EQ(got, sent);
}

}  // namespace
}  // namespace grapnel
