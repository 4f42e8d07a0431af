// Bounds of the async room.
#pragma once

#include <chrono>
#include <cstddef>

namespace grapnel::async {

/// Blocking calls that may wait for a thread. Each holds a request or a maintenance step, so some
/// thousands are far above honest use and stay below a few MiB.
inline constexpr std::size_t kBlockingQueueMax = 4096;

/// The longest rest between two pieces of long work: one that took longer met something else that
/// was slow, and waiting as long again would help nobody.
inline constexpr std::chrono::milliseconds kWorkRestMax{50};

}  // namespace grapnel::async
