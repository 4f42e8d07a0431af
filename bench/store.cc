// The embedded store by itself: durable appends, and appends followed by a settled attempt, by
// callers that each wait for their answer.
//
//   bench_store DIR [seconds] [callers] [batch]
//
// Prints rows per second of wall time and processor microseconds per event, the loop's side
// included.
#include "drivers/sqlite/store.h"

#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "async/scope.h"
#include "base/clock.h"
#include "base/random.h"
#include "sample.h"

namespace {

using namespace grapnel;
using Clock = std::chrono::steady_clock;

struct Measured {
  async::Loop loop;
  SystemClock clock;
  SystemRandom random;
  std::unique_ptr<sqlite::Store> store;
  model::SourceId source;
  std::size_t batch = 1;
  Clock::time_point end;
  std::uint64_t events = 0;
};

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

enum class Scenario { append, append_and_settle };

async::Task<> call(Measured& run, Scenario scenario) {
  IdSource ids(run.store->ports().clock, run.random);
  const std::string body(1024, 'x');
  while (Clock::now() < run.end) {
    const auto entry = run.store->ports().registry.snapshot()->find_source(run.source);
    std::vector<model::EventDraft> drafts;
    for (std::size_t i = 0; i < run.batch; ++i)
      drafts.push_back(bench::draft(*entry, ids, body, run.store->ports().clock.now()));
    const auto appended = co_await run.store->ports().log.append(std::move(drafts));
    if (!appended) {
      std::fprintf(stderr, "%s\n", appended.error().message().c_str());
      co_return;
    }
    if (scenario == Scenario::append_and_settle) {
      std::vector<model::Settlement> settlements;
      for (const auto& one : *appended) {
        settlements.push_back(
            bench::delivered(one.deliveries.front(), ids, run.store->ports().clock.now()));
      }
      const auto settled = co_await run.store->ports().book.settle(std::move(settlements));
      if (!settled) co_return;
    }
    run.events += appended->size();
  }
}

async::Task<> define(Measured& run) {
  IdSource ids(run.store->ports().clock, run.random);
  const auto source = co_await bench::define_source(*run.store, ids, 1);
  if (source) run.source = *source;
  if (!source) std::fprintf(stderr, "%s\n", source.error().message().c_str());
}

void measure(Measured& run, const char* name, Scenario scenario, int callers,
             std::chrono::seconds duration) {
  run.events = 0;
  const auto start = Clock::now();
  const double cpu = cpu_seconds();
  const auto commits = run.store->counters().commits;
  run.end = start + duration;
  async::Scope scope(run.loop.get_executor());
  for (int i = 0; i < callers; ++i) scope.spawn(call(run, scenario));
  run.loop.restart();
  run.loop.run();
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  const auto events = static_cast<double>(run.events);
  const auto counters = run.store->counters();
  std::printf(
      "%-20s callers %4d batch %3zu: %8.0f events/s, %5.1f us cpu an event, %5.1f events a commit, "
      "%llu log restarts\n",
      name, callers, run.batch, events / seconds, (cpu_seconds() - cpu) * 1e6 / events,
      events / static_cast<double>(counters.commits - commits),
      static_cast<unsigned long long>(counters.restarts));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "bench_store DIR [seconds] [callers] [batch]\n");
    return 2;
  }
  const std::chrono::seconds duration(argc > 2 ? std::atoi(argv[2]) : 5);
  const int callers = argc > 3 ? std::atoi(argv[3]) : 64;
  Measured run;
  run.batch = argc > 4 ? static_cast<std::size_t>(std::atoi(argv[4])) : 1;
  auto opened = sqlite::Store::open({.data_dir = argv[1], .vfs = ""}, run.clock, run.random,
                                    run.loop.get_executor());
  if (!opened) {
    std::fprintf(stderr, "%s\n", opened.error().message().c_str());
    return 1;
  }
  run.store = std::move(*opened);
  async::Scope scope(run.loop.get_executor());
  scope.spawn(define(run));
  run.loop.run();
  measure(run, "append", Scenario::append, callers, duration);
  measure(run, "append and settle", Scenario::append_and_settle, callers, duration);
  return 0;
}
