#include "base/random.h"

#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/check.h"
#include "base/limits.h"

namespace grapnel {
namespace {

void fill_from_kernel(std::span<std::byte> out) {
  while (!out.empty()) {
    const ssize_t got = ::getrandom(out.data(), out.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    GRAPNEL_CHECK(got > 0, errno);
    out = out.subspan(static_cast<std::size_t>(got));
  }
}

}  // namespace

std::uint64_t Random::u64() {
  std::uint64_t value = 0;
  fill(std::as_writable_bytes(std::span{&value, 1}));
  return value;
}

std::uint64_t Random::below(std::uint64_t bound) {
  GRAPNEL_CHECK(bound > 0);
  const std::uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
  std::uint64_t value = u64();
  while (value >= limit) value = u64();
  return value % bound;
}

double Random::unit() { return static_cast<double>(u64() >> 11) * 0x1.0p-53; }

void SystemRandom::fill(std::span<std::byte> out) {
  if (out.size() > kRandomAheadBytes) return fill_from_kernel(out);
  const std::scoped_lock lock(mutex_);
  if (ahead_.size() < out.size()) {
    ahead_.resize(kRandomAheadBytes);
    fill_from_kernel(ahead_);
  }
  std::memcpy(out.data(), ahead_.data() + ahead_.size() - out.size(), out.size());
  std::fill(ahead_.end() - static_cast<std::ptrdiff_t>(out.size()), ahead_.end(), std::byte{0});
  ahead_.resize(ahead_.size() - out.size());
}

void SeededRandom::fill(std::span<std::byte> out) {
  const std::scoped_lock lock(mutex_);
  while (!out.empty()) {
    const std::uint64_t value = engine_();
    const std::size_t size = std::min(out.size(), sizeof value);
    std::memcpy(out.data(), &value, size);
    out = out.subspan(size);
  }
}

}  // namespace grapnel
