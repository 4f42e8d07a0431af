// The bound on bytes of request bodies held at a time, and on the part of it that one payer may
// hold: a source that is flooded leaves room to the others (kPayerShareDivisor).
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>

#include "drivers/http/limits.h"

namespace grapnel::http {

class BodyBudget {
 public:
  explicit BodyBudget(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}
  std::uint64_t bytes() const { return bytes_; }

 private:
  friend class BodyShare;
  std::uint64_t bytes_max_;
  std::uint64_t bytes_ = 0;
  std::unordered_map<std::string, std::uint64_t> bytes_of_;  ///< by payer, those that hold some
};

/// What one request holds of the budget, given back at the end.
class BodyShare {
 public:
  BodyShare(BodyBudget& budget, std::string payer) : budget_(budget), payer_(std::move(payer)) {}
  ~BodyShare() { release(); }
  BodyShare(const BodyShare&) = delete;
  BodyShare& operator=(const BodyShare&) = delete;

  std::uint64_t bytes() const { return bytes_; }
  void release() {
    if (bytes_ == 0) return;
    budget_.bytes_ -= bytes_;
    const auto paid = budget_.bytes_of_.find(payer_);
    paid->second -= bytes_;
    if (paid->second == 0) budget_.bytes_of_.erase(paid);
    bytes_ = 0;
  }
  /// False when the budget, or the payer's part of it, has no room; the share stays as it is.
  [[nodiscard]] bool grow_to(std::uint64_t bytes) {
    if (bytes <= bytes_) return true;
    const std::uint64_t more = bytes - bytes_;
    if (more > budget_.bytes_max_ - budget_.bytes_) return false;
    const auto paid = budget_.bytes_of_.find(payer_);
    const std::uint64_t held = paid == budget_.bytes_of_.end() ? 0 : paid->second;
    const std::uint64_t left_by_others = budget_.bytes_max_ - (budget_.bytes_ - held);
    if (held + more > left_by_others / kPayerShareDivisor) return false;
    budget_.bytes_of_[payer_] += more;
    budget_.bytes_ += more;
    bytes_ = bytes;
    return true;
  }

 private:
  BodyBudget& budget_;
  std::string payer_;
  std::uint64_t bytes_ = 0;
};

}  // namespace grapnel::http
