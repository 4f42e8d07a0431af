#include "drivers/sqlite/stall_watch.h"

#include <fmt/format.h>

#include <algorithm>

#include "model/errors.h"

namespace grapnel::sqlite {
namespace {

constexpr Monotonic kFree = Monotonic::max();

Monotonic now() { return std::chrono::steady_clock::now(); }

}  // namespace

StallWatch::StallWatch(Millis stall_max) : stall_max_(stall_max) {
  for (auto& since : since_) since = kFree;
}

std::optional<Error> StallWatch::stalled() const {
  Monotonic oldest = kFree;
  for (const auto& since : since_) oldest = std::min(oldest, since.load());
  const Monotonic at = now();
  if (oldest >= at || at - oldest < stall_max_) return std::nullopt;
  const auto age = std::chrono::duration_cast<std::chrono::seconds>(at - oldest);
  return Error{
      model::errc::store_unavailable,
      fmt::format("the store has not answered for {} s; does its disk hang?", age.count())};
}

StallWatch::Steps::Steps(StallWatch& watch) {
  for (auto& since : watch.since_) {
    Monotonic free = kFree;
    if (!since.compare_exchange_strong(free, now())) continue;
    slot_ = &since;
    return;
  }
}

StallWatch::Steps::~Steps() {
  if (slot_ != nullptr) *slot_ = kFree;
}

void StallWatch::Steps::next() {
  if (slot_ != nullptr) *slot_ = now();
}

}  // namespace grapnel::sqlite
