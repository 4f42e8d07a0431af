// Some runs of the simulation with the build's own flags (sanitizers), and what a run itself
// promises. GRAPNEL_SEED=17 runs that seed alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "sim/campaign.h"

namespace grapnel::sim {
namespace {

constexpr std::uint64_t kSeeds = 150;
constexpr std::uint64_t kSeedsTwice = 15;

/// The seed asked for in the environment, or `count` of them.
std::vector<std::uint64_t> seeds(std::uint64_t count) {
  if (const char* one = std::getenv("GRAPNEL_SEED")) return {std::strtoull(one, nullptr, 10)};
  std::vector<std::uint64_t> out(count);
  for (std::uint64_t i = 0; i < count; ++i) out[i] = i + 1;
  return out;
}

Outcome see(std::uint64_t seed) {
  return simulate({.seed = seed, .keep = Trace::Keep::everything});
}

TEST(Simulation, InvariantsHoldWhateverHappens) {
  for (const auto seed : seeds(kSeeds)) {
    const Outcome outcome = simulate({.seed = seed});
    ASSERT_THAT(outcome.broken, testing::IsEmpty()) << "grapnel_sim --seed " << seed;
  }
}

TEST(Simulation, SameSeedIsTheSameRun) {
  for (const auto seed : seeds(kSeedsTwice)) {
    const Outcome once = see(seed);
    EXPECT_EQ(once.trace, see(seed).trace) << "seed " << seed;
    EXPECT_GT(once.trace.size(), static_cast<std::size_t>(kOperations)) << "seed " << seed;
  }
}

TEST(Simulation, CampaignNamesTheLowestBrokenSeed) {
  const Mutation* bug = find_mutation("success_claimed");
  ASSERT_NE(bug, nullptr);
  const auto alone = run_campaign({.seeds = 200, .mutation = bug});
  const auto shared = run_campaign({.seeds = 200, .jobs = 2, .mutation = bug});
  ASSERT_TRUE(alone.broken_seed);
  EXPECT_EQ(shared.broken_seed, alone.broken_seed);
  EXPECT_EQ(shared.broken, alone.broken);
}

TEST(Simulation, MutationsHaveDistinctNames) {
  for (const Mutation& mutation : mutations()) EXPECT_EQ(find_mutation(mutation.name), &mutation);
  EXPECT_EQ(find_mutation("none such"), nullptr);
}

}  // namespace
}  // namespace grapnel::sim
