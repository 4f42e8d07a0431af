#include "sim/campaign.h"

#include <atomic>
#include <chrono>
#include <limits>
#include <mutex>
#include <thread>

namespace grapnel::sim {
namespace {

/// What the threads of a campaign share.
class Campaign {
 public:
  explicit Campaign(const CampaignOptions& options) : options_(options), next_(options.from) {}

  CampaignResult run() {
    const auto began = std::chrono::steady_clock::now();
    {
      std::vector<std::jthread> threads;
      for (unsigned i = 0; i < options_.jobs; ++i) threads.emplace_back([this] { take_seeds(); });
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    result_.took_s = took.count();
    return result_;
  }

 private:
  void take_seeds() {
    Coverage coverage;
    std::uint64_t seeds = 0;
    const std::uint64_t end = options_.from + options_.seeds;
    for (auto seed = next_++; seed < end && seed < broken_; seed = next_++) {
      const Outcome outcome = simulate({.seed = seed, .mutation = options_.mutation});
      coverage.add(outcome.coverage);
      ++seeds;
      if (!outcome.broken.empty()) note_broken(seed, outcome);
    }
    const std::scoped_lock lock(mutex_);
    result_.coverage.add(coverage);
    result_.seeds += seeds;
  }

  void note_broken(std::uint64_t seed, const Outcome& outcome) {
    const std::scoped_lock lock(mutex_);
    if (broken_ < seed) return;
    broken_ = seed;
    result_.broken_seed = seed;
    result_.broken = outcome.broken;
  }

  const CampaignOptions& options_;
  std::atomic<std::uint64_t> next_;
  std::atomic<std::uint64_t> broken_ = std::numeric_limits<std::uint64_t>::max();  ///< lowest
  std::mutex mutex_;
  CampaignResult result_;
};

}  // namespace

CampaignResult run_campaign(const CampaignOptions& options) { return Campaign(options).run(); }

}  // namespace grapnel::sim
