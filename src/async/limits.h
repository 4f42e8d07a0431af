// Bounds of the async room.
#pragma once

#include <cstddef>

namespace grapnel::async {

/// Blocking calls that may wait for a thread. Each holds a request or a maintenance step, so some
/// thousands are far above honest use and stay below a few MiB.
inline constexpr std::size_t kBlockingQueueMax = 4096;

}  // namespace grapnel::async
