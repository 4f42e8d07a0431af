#include "base/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>
#include <thread>

#include "base/limits.h"

namespace grapnel {
namespace {

/// Gives the listed values in turn.
class ListedRandom final : public Random {
 public:
  explicit ListedRandom(std::vector<std::uint64_t> values) : values_(std::move(values)) {}
  void fill(std::span<std::byte> out) override {
    const auto bytes = std::as_bytes(std::span{&values_.at(next_++), 1});
    std::copy_n(bytes.begin(), out.size(), out.begin());
  }

 private:
  std::vector<std::uint64_t> values_;
  std::size_t next_ = 0;
};

TEST(RandomDeathTest, BelowNothingIsABug) {
  SeededRandom random(1);
  EXPECT_DEATH(random.below(0), "bound > 0");
}

TEST(Random, BelowThrowsAwayTheUnevenTail) {
  // 2^64 - 1 is 3 * 6148914691236517205, so for 10 the values from ...610 on are the uneven tail.
  ListedRandom random({UINT64_MAX, UINT64_MAX - 4, 27});
  EXPECT_EQ(random.below(10), 7U);
}

TEST(Random, BelowReachesEveryValueAndNoOther) {
  SeededRandom random(2);
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(random.below(7));
  EXPECT_EQ(seen, (std::set<std::uint64_t>{0, 1, 2, 3, 4, 5, 6}));
}

TEST(Random, UnitIsNeverOne) {
  ListedRandom random({UINT64_MAX, 0});
  EXPECT_LT(random.unit(), 1.0);
  EXPECT_EQ(random.unit(), 0.0);
}

TEST(SeededRandom, SameSeedSameBytes) {
  SeededRandom a(42);
  SeededRandom b(42);
  SeededRandom other(43);
  const std::uint64_t first = a.u64();
  EXPECT_EQ(first, b.u64());
  EXPECT_NE(first, other.u64());
}

TEST(SeededRandom, FillsSizesThatAreNoMultipleOfAWord) {
  SeededRandom random(3);
  std::array<std::byte, 13> bytes{};
  random.fill(std::span{bytes}.first(11));
  EXPECT_EQ(bytes[11], std::byte{0});
  EXPECT_EQ(bytes[12], std::byte{0});
  EXPECT_TRUE(std::any_of(bytes.begin() + 8, bytes.begin() + 11,
                          [](std::byte byte) { return byte != std::byte{0}; }));
}

TEST(SystemRandom, NeverRepeatsBytesFromItsReadAhead) {
  SystemRandom random;
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 2000; ++i) seen.insert(random.u64());  // four blocks' worth
  EXPECT_EQ(seen.size(), 2000U);
}

TEST(SystemRandom, FillsMoreThanItReadsAhead) {
  SystemRandom random;
  std::vector<std::byte> bytes(kRandomAheadBytes * 3 + 5);
  random.fill(bytes);
  const auto zeros = std::count(bytes.begin(), bytes.end(), std::byte{0});
  EXPECT_LT(zeros, static_cast<std::ptrdiff_t>(bytes.size() / 64));  // 48 of 12 KiB expected
}

TEST(SystemRandom, ThreadsNeverGetTheSameBytes) {
  SystemRandom random;
  std::array<std::vector<std::uint64_t>, 4> drawn;
  {
    std::vector<std::jthread> threads;
    for (auto& values : drawn) {
      threads.emplace_back([&random, &values] {
        for (int i = 0; i < 1000; ++i) values.push_back(random.u64());
      });
    }
  }
  std::set<std::uint64_t> all;
  for (const auto& values : drawn) all.insert(values.begin(), values.end());
  EXPECT_EQ(all.size(), 4000U);
}

}  // namespace
}  // namespace grapnel
