// Some hundred random runs (random_run.h). To see one again:
//   GRAPNEL_SEED=<seed> pipeline_test --gtest_filter='DispatchRandom.*'
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "pipeline/random_run.h"

namespace grapnel::pipeline {
namespace {

constexpr std::uint64_t kSeeds = 200;
constexpr std::uint64_t kSeedsTwice = 20;
constexpr int kOperations = 60;

struct Seen {
  std::vector<std::string> broken;
  std::vector<std::string> trace;
};

Seen see(std::uint64_t seed) {
  RandomRun run(seed);
  run.operate(kOperations);
  run.recover();
  run.check();
  return {.broken = run.broken(), .trace = run.trace()};
}

/// The seed asked for in the environment, or `count` of them.
std::vector<std::uint64_t> seeds(std::uint64_t count) {
  if (const char* one = std::getenv("GRAPNEL_SEED")) return {std::strtoull(one, nullptr, 10)};
  std::vector<std::uint64_t> out(count);
  for (std::uint64_t i = 0; i < count; ++i) out[i] = i + 1;
  return out;
}

TEST(DispatchRandom, InvariantsHoldWhateverHappens) {
  for (const auto seed : seeds(kSeeds)) {
    const Seen seen = see(seed);
    ASSERT_THAT(seen.broken, testing::IsEmpty()) << "seed " << seed;
  }
}

TEST(DispatchRandom, SameSeedIsTheSameRun) {
  for (const auto seed : seeds(kSeedsTwice)) {
    const Seen once = see(seed);
    EXPECT_EQ(once.trace, see(seed).trace) << "seed " << seed;
    EXPECT_GT(once.trace.size(), static_cast<std::size_t>(kOperations)) << "seed " << seed;
  }
}

}  // namespace
}  // namespace grapnel::pipeline
