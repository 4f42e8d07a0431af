#include "async/blocking_pool.h"

#include <boost/asio/executor_work_guard.hpp>

namespace grapnel::async {

BlockingPool::BlockingPool(Executor loop, std::size_t threads)
    : loop_(std::move(loop)), threads_(threads) {}

BlockingPool::~BlockingPool() { threads_.join(); }

bool BlockingPool::post(std::function<void()> job) {
  if (waiting_.load() >= kBlockingQueueMax) return false;
  ++waiting_;
  // The guard keeps the loop running until the value has been posted back.
  boost::asio::post(threads_, [this, job = std::move(job),
                               guard = boost::asio::make_work_guard(loop_)]() mutable {
    --waiting_;
    job();
  });
  return true;
}

}  // namespace grapnel::async
