#include "sim/coverage.h"

#include <fmt/format.h>

#include <iterator>

namespace grapnel::sim {
namespace {

constexpr std::array<std::string_view, kSteps> kStepNames{
    "- -> pending: fan-out",
    "- -> dead: fan-out, the action is gone",
    "- -> dead: fan-out, the backlog is full",
    "- -> pending: a replay",
    "pending -> running: leased",
    "retrying -> running: leased",
    "running -> delivered: confirmed",
    "running -> retrying: failed, tries left",
    "running -> dead: no tries left",
    "running -> dead: the policy says final",
    "running -> dead: 410, or back while the action is gone",
    "running -> pending: handed back",
    "running -> pending: unknown",
    "running -> retrying or dead: unknown after five in a row",
    "retrying -> pending: asked to be due now",
    "pending -> dead: the action is gone",
    "retrying -> dead: the action is gone",
    "pending -> cancelled: by a person",
    "retrying -> cancelled: by a person",
    "pending -> cancelled: definition deleted",
    "retrying -> cancelled: definition deleted",
    "running -> cancelled: by a person",
    "running -> cancelled: definition deleted",
    "running -> delivered: a confirmed 2xx beats a wish to cancel",
};

constexpr std::array<std::string_view, kHistories> kHistoryNames{
    "a 410 that arrives after the target was changed",
    "a cancel, then a crash",
    "a deletion, then a crash",
    "a bulk replay while its endpoint is down",
    "new events that join the end of what is released",
    "an ordered key with an unknown attempt and another waiting",
    "a restore, and a cursor of before that is refused",
    "the wall clock a day off, then a restart",
    "disk full while attempts are in flight",
    "a read-only store while attempts are in flight",
    "an outcome of an old lease, refused",
    "an answer after the time-out",
    "a delivery that runs alone",
    "a crash before its commit is durable",
    "a crash after its commit is durable",
    "a copy of an event, answered with the first's id",
    "an event removed by retention",
    "commits that hang for a while",
    "an event refused because a bound of open or held work is reached",
    "an event that its transform changed",
    "an event that its transform dropped",
    "an event that its transform split",
    "a transform that is dead",
    "a transform that is run again for the event's next run",
    "a transform that a crash cut off",
};

template <std::size_t N>
void add_table(std::string& out, const std::array<std::string_view, N>& names,
               const std::array<std::int64_t, N>& counts) {
  for (std::size_t i = 0; i < N; ++i) {
    fmt::format_to(std::back_inserter(out), "  {:>10}  {}\n", counts[i], names[i]);
  }
}

template <std::size_t N>
void add_missing(std::string& out, const std::array<std::string_view, N>& names,
                 const std::array<std::int64_t, N>& counts) {
  for (std::size_t i = 0; i < N; ++i) {
    if (counts[i] == 0) fmt::format_to(std::back_inserter(out), "never: {}\n", names[i]);
  }
}

}  // namespace

void Coverage::add(const Coverage& other) {
  for (std::size_t i = 0; i < kSteps; ++i) steps[i] += other.steps[i];
  for (std::size_t i = 0; i < kHistories; ++i) histories[i] += other.histories[i];
  operations += other.operations;
  commits += other.commits;
  answers += other.answers;
  crashes += other.crashes;
  stops += other.stops;
}

std::string Coverage::str() const {
  std::string out = "transitions\n";
  add_table(out, kStepNames, steps);
  out += "histories\n";
  add_table(out, kHistoryNames, histories);
  return out;
}

std::string Coverage::missing() const {
  std::string out;
  add_missing(out, kStepNames, steps);
  add_missing(out, kHistoryNames, histories);
  return out;
}

}  // namespace grapnel::sim
