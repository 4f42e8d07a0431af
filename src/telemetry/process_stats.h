// What the kernel says about this process.
#pragma once

#include <optional>

namespace grapnel::telemetry {

/// Figures that could not be read are not set (no /proc in a hardened container).
struct ProcessStats {
  std::optional<double> cpu_seconds;
  std::optional<double> open_fds;
  std::optional<double> max_fds;
  std::optional<double> resident_bytes;
  std::optional<double> virtual_bytes;
  std::optional<double> start_time_seconds;
};

ProcessStats read_process_stats();

}  // namespace grapnel::telemetry
