// The bound on bytes of request bodies held at a time.
#pragma once

#include <cstdint>

namespace grapnel::http {

class BodyBudget {
 public:
  explicit BodyBudget(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}
  std::uint64_t bytes() const { return bytes_; }

 private:
  friend class BodyShare;
  std::uint64_t bytes_max_;
  std::uint64_t bytes_ = 0;
};

/// What one request holds of the budget, given back at the end.
class BodyShare {
 public:
  explicit BodyShare(BodyBudget& budget) : budget_(budget) {}
  ~BodyShare() { release(); }
  BodyShare(const BodyShare&) = delete;
  BodyShare& operator=(const BodyShare&) = delete;

  std::uint64_t bytes() const { return bytes_; }
  void release() {
    budget_.bytes_ -= bytes_;
    bytes_ = 0;
  }
  /// False when the budget has no room; the share stays as it is.
  [[nodiscard]] bool grow_to(std::uint64_t bytes) {
    if (bytes <= bytes_) return true;
    const std::uint64_t more = bytes - bytes_;
    if (more > budget_.bytes_max_ - budget_.bytes_) return false;
    budget_.bytes_ += more;
    bytes_ = bytes;
    return true;
  }

 private:
  BodyBudget& budget_;
  std::uint64_t bytes_ = 0;
};

}  // namespace grapnel::http
