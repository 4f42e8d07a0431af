// grapnel_sim: runs of the simulation from the command line. README.md says how it is used.
#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <cstdlib>
#include <exception>
#include <string>

#include "sim/campaign.h"

namespace grapnel::sim {
namespace {

constexpr std::size_t kTraceLinesShown = 60;

enum class Require : std::uint8_t { nothing, coverage };

std::string command_of(std::uint64_t seed, const Mutation* mutation) {
  const std::string bug = mutation ? fmt::format(" --mutation {}", mutation->name) : "";
  return fmt::format("grapnel_sim --seed {}{}", seed, bug);
}

/// One seed with its trace. Whether everything held.
bool show_seed(std::uint64_t seed, const Mutation* mutation) {
  const Outcome outcome =
      simulate({.seed = seed, .mutation = mutation, .keep = Trace::Keep::everything});
  for (const auto& line : outcome.trace) fmt::print("{}\n", line);
  fmt::print("{}", outcome.coverage.str());
  for (const auto& rule : outcome.broken) fmt::print("BROKEN {}\n", rule);
  return outcome.broken.empty();
}

void show_broken(std::uint64_t seed, const Mutation* mutation) {
  const Outcome outcome =
      simulate({.seed = seed, .mutation = mutation, .keep = Trace::Keep::everything});
  const std::size_t lines = outcome.trace.size();
  for (std::size_t i = lines - std::min(lines, kTraceLinesShown); i < lines; ++i) {
    fmt::print("  {}\n", outcome.trace[i]);
  }
}

/// Whether everything held (and was met, where that is required).
bool show_campaign(const CampaignOptions& options, Require require) {
  const CampaignResult result = run_campaign(options);
  const auto& c = result.coverage;
  const auto mean = [&](std::int64_t count) {
    return static_cast<double>(count) /
           static_cast<double>(std::max<std::uint64_t>(1, result.seeds));
  };
  fmt::print("{} seeds from {} in {:.1f} s ({:.0f} a second)\n", result.seeds, options.from,
             result.took_s, static_cast<double>(result.seeds) / std::max(result.took_s, 0.001));
  fmt::print(
      "a seed: {:.0f} steps ({:.0f} operations, {:.0f} commits, {:.0f} answers), {:.1f} crashes, "
      "{:.1f} stops\n{}",
      mean(c.moves()), mean(c.operations), mean(c.commits), mean(c.answers), mean(c.crashes),
      mean(c.stops), c.str());
  if (result.broken_seed) {
    fmt::print("seed {} is broken:\n", *result.broken_seed);
    for (const auto& rule : result.broken) fmt::print("  BROKEN {}\n", rule);
    show_broken(*result.broken_seed, options.mutation);
    fmt::print("again: {}\n", command_of(*result.broken_seed, options.mutation));
    return false;
  }
  const std::string missing = c.missing();
  fmt::print("{}", missing);
  return require == Require::nothing || missing.empty();
}

/// Each planted bug by itself. Whether all were found.
bool show_mutations(CampaignOptions options) {
  bool all = true;
  for (const Mutation& mutation : mutations()) {
    options.mutation = &mutation;
    const CampaignResult result = run_campaign(options);
    if (result.broken_seed) {
      fmt::print("{:>6} seeds  {:<22} {}\n                {}\n",
                 *result.broken_seed - options.from + 1, mutation.name, mutation.what,
                 result.broken.front());
    } else {
      all = false;
      fmt::print(" MISSED       {:<22} {}\n", mutation.name, mutation.what);
    }
  }
  return all;
}

int run(int argc, char** argv) {
  CLI::App app("Runs of the simulation, each drawn from a seed");
  CampaignOptions options;
  std::uint64_t seed = 0;
  std::string name;
  app.add_option("--seeds", options.seeds, "How many");
  app.add_option("--from", options.from, "The first");
  app.add_option("--jobs", options.jobs, "Threads")->check(CLI::Range(1, 256));
  const auto* one = app.add_option("--seed", seed, "This one alone, with its trace");
  const auto* bug = app.add_option("--mutation", name, "Plant this bug (see --list)");
  bool all = false;
  bool covered = false;
  bool list = false;
  app.add_flag("--mutations", all, "Plant each bug by itself; all must be found");
  app.add_flag("--require-coverage", covered, "Fail when something was never met");
  app.add_flag("--list", list, "The bugs that can be planted");
  CLI11_PARSE(app, argc, argv);

  if (list) {
    for (const auto& mutation : mutations()) fmt::print("{:<24}{}\n", mutation.name, mutation.what);
    return EXIT_SUCCESS;
  }
  if (*bug) {
    options.mutation = find_mutation(name);
    if (!options.mutation) {
      fmt::print(stderr, "there is no mutation {}; --list names them\n", name);
      return EXIT_FAILURE;
    }
  }
  bool good = false;
  if (all) {
    good = show_mutations(options);
  } else if (*one) {
    good = show_seed(seed, options.mutation);
  } else {
    good = show_campaign(options, covered ? Require::coverage : Require::nothing);
  }
  return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace
}  // namespace grapnel::sim

int main(int argc, char** argv) {
  try {
    return grapnel::sim::run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "grapnel_sim: {}\n", error.what());
    return EXIT_FAILURE;
  }
}
