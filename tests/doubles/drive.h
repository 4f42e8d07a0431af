// Driving a loop from a test, which stands outside of it.
#pragma once

#include <boost/asio/co_spawn.hpp>

#include <chrono>
#include <exception>
#include <functional>
#include <optional>
#include <stdexcept>
#include <utility>

#include "async/task.h"

namespace grapnel::doubles {

/// Real time that a task may take before the test gives up on it: no honest one comes near.
inline constexpr std::chrono::seconds kDrivePatience{60};

/// Runs what is ready, and what that makes ready, until nothing is. Answers how many handlers ran.
inline std::size_t run_ready(async::Loop& loop) {
  loop.restart();
  return loop.poll();
}

/// Runs ready handlers one by one until `predicate` holds; false: nothing is ready and it does not
/// hold.
inline bool run_until(async::Loop& loop, const std::function<bool()>& predicate) {
  while (!predicate()) {
    loop.restart();
    if (loop.poll_one() == 0) return false;
  }
  return true;
}

/// Like run_until for work that other threads finish: waits for them, up to kDrivePatience.
inline bool wait_until(async::Loop& loop, const std::function<bool()>& predicate) {
  const auto end = std::chrono::steady_clock::now() + kDrivePatience;
  while (!predicate()) {
    if (std::chrono::steady_clock::now() > end) return false;
    loop.restart();
    loop.run_one_for(std::chrono::milliseconds{20});
  }
  return true;
}

/// Runs a task to its end and gives what it returns; other threads may take part. Throws what the
/// task throws, and runtime_error when it does not end.
template <class T>
T run(async::Loop& loop, async::Task<T> task) {
  std::exception_ptr failure;
  bool done = false;
  const auto patient = [&] {
    if (!wait_until(loop, [&] { return done; })) throw std::runtime_error("the task does not end");
    if (failure) std::rethrow_exception(failure);
  };
  if constexpr (std::is_void_v<T>) {
    boost::asio::co_spawn(loop, std::move(task), [&](std::exception_ptr error) {
      failure = std::move(error);
      done = true;
    });
    patient();
  } else {
    std::optional<T> result;
    boost::asio::co_spawn(loop, std::move(task), [&](std::exception_ptr error, T value) {
      failure = std::move(error);
      result.emplace(std::move(value));
      done = true;
    });
    patient();
    return std::move(*result);
  }
}

}  // namespace grapnel::doubles
