// Long work in pieces, on a thread of a pool.
#pragma once

#include <chrono>
#include <thread>

namespace grapnel::async {

/// Rests after each piece as long as the piece took: whoever waits for the same processor or
/// disk waits for one piece at most, and has half of it in all. Not for a loop: it blocks.
class WorkRest {
 public:
  void after_piece() {
    std::this_thread::sleep_for(std::chrono::steady_clock::now() - since_);
    since_ = std::chrono::steady_clock::now();
  }

 private:
  std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
};

}  // namespace grapnel::async
