#include "telemetry/process_stats.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace grapnel::telemetry {
namespace {

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

/// proc(5): start time is the 22nd field of /proc/self/stat, in clock ticks since boot; the second
/// field, the name in parentheses, may hold anything.
std::optional<double> start_time() {
  std::ifstream stat("/proc/self/stat");
  std::string line;
  if (!std::getline(stat, line)) return std::nullopt;
  const auto name_end = line.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(line.substr(name_end + 1));
  std::string skipped;
  for (int field = 3; field < 22; ++field) fields >> skipped;
  double ticks = 0;
  if (!(fields >> ticks)) return std::nullopt;

  std::ifstream system("/proc/stat");
  std::string key;
  double boot = 0;
  while (system >> key) {
    if (key == "btime" && system >> boot) {
      return boot + ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
    }
    std::getline(system, skipped);
  }
  return std::nullopt;
}

std::optional<double> open_fds() {
  std::error_code error;
  double count = 0;
  for (std::filesystem::directory_iterator at("/proc/self/fd", error), end; !error && at != end;
       at.increment(error)) {
    ++count;
  }
  if (error) return std::nullopt;
  return count - 1;  // the one that reads the directory
}

}  // namespace

ProcessStats read_process_stats() {
  ProcessStats stats;
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) == 0) {
    stats.cpu_seconds = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
  }
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) stats.max_fds = static_cast<double>(limit.rlim_cur);
  stats.open_fds = open_fds();
  std::ifstream memory("/proc/self/statm");
  double virtual_pages = 0;
  double resident_pages = 0;
  if (memory >> virtual_pages >> resident_pages) {
    const auto page = static_cast<double>(::sysconf(_SC_PAGESIZE));
    stats.virtual_bytes = virtual_pages * page;
    stats.resident_bytes = resident_pages * page;
  }
  stats.start_time_seconds = start_time();
  return stats;
}

}  // namespace grapnel::telemetry
