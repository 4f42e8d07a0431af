// Long work in pieces, on a thread of a pool.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>

#include "async/limits.h"

namespace grapnel::async {

/// Rests between two pieces as long as the first of them took, at most kWorkRestMax: whoever waits
/// for the same processor or disk waits for one piece, and each such thread leaves half of a
/// processor. Not for a loop: it blocks.
class WorkRest {
 public:
  void before_piece() {
    using Clock = std::chrono::steady_clock;
    if (began_) {
      std::this_thread::sleep_for(std::min<Clock::duration>(Clock::now() - *began_, kWorkRestMax));
    }
    began_ = Clock::now();
  }

 private:
  std::optional<std::chrono::steady_clock::time_point> began_;
};

}  // namespace grapnel::async
