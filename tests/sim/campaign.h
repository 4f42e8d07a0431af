// Many runs, one a seed, on a few threads: which is the first to break a rule, and what all of them
// went through.
#pragma once

#include <cstdint>
#include <optional>

#include "sim/run.h"

namespace grapnel::sim {

struct CampaignOptions {
  std::uint64_t from = 1;
  std::uint64_t seeds = 10'000;
  unsigned jobs = 1;
  const Mutation* mutation = nullptr;  ///< null: none
};

struct CampaignResult {
  std::optional<std::uint64_t> broken_seed;  ///< the lowest; all below it hold
  std::vector<std::string> broken;
  std::uint64_t seeds = 0;  ///< that were run
  double took_s = 0;
  Coverage coverage;
};

/// Ends early at the first broken seed.
CampaignResult run_campaign(const CampaignOptions& options);

}  // namespace grapnel::sim
