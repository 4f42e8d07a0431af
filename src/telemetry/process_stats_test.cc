#include "telemetry/process_stats.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>

namespace grapnel::telemetry {
namespace {

TEST(ProcessStats, CountsDescriptors) {
  const double before = read_process_stats().open_fds.value();
  const int fd = ::open("/dev/null", O_RDONLY);
  EXPECT_EQ(read_process_stats().open_fds.value(), before + 1);
  ::close(fd);
  EXPECT_EQ(read_process_stats().open_fds.value(), before);
}

TEST(ProcessStats, StartedNotLongAgo) {
  const auto now =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch());
  const double start = read_process_stats().start_time_seconds.value();
  EXPECT_LE(start, now.count() + 2);  // the kernel rounds the boot time
  EXPECT_GT(start, now.count() - 3600);
}

TEST(ProcessStats, MemoryIsPlausible) {
  const ProcessStats stats = read_process_stats();
  EXPECT_GT(stats.resident_bytes.value(), 1e6);
  EXPECT_GT(stats.virtual_bytes.value(), stats.resident_bytes.value());
  EXPECT_GE(stats.cpu_seconds.value(), 0);
  EXPECT_GT(stats.max_fds.value(), 0);
}

}  // namespace
}  // namespace grapnel::telemetry
