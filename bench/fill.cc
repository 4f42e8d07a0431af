// Fills a fresh store with history: events of 1 KiB spread evenly over the last 30 days, each with
// an idempotency key and deliveries that succeeded at the first attempt.
//
//   bench_fill DIR EVENTS [ACTIONS]      source "bench"; its actions are paused
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "async/scope.h"
#include "base/clock.h"
#include "base/random.h"
#include "drivers/sqlite/store.h"
#include "sample.h"

namespace {

using namespace grapnel;

constexpr Millis kSpan{30LL * 86'400'000};
/// Events of one moment, at most; a small history is spread as evenly as a large one.
constexpr std::int64_t kBatchMax = 500;
/// Keys past their window are dropped this often, so that a day of them remains.
constexpr Millis kKeysEvery{2 * 3'600'000};

/// Both clocks go as far as the filler says.
class FilledClock final : public Clock {
 public:
  explicit FilledClock(Time start) : start_(start) {}
  void advance_to(Time time) { passed_ = (time - start_).count(); }
  Time wall() const override { return start_ + Millis(passed_); }
  Monotonic monotonic() const override { return Monotonic(Millis(passed_)); }

 private:
  const Time start_;
  std::atomic<std::int64_t> passed_ = 0;
};

std::string body_of(std::int64_t number) {
  std::string body = "{\"number\":" + std::to_string(number) + ",\"fill\":\"";
  body.append(1022 - body.size(), 'x');
  return body + "\"}";
}

/// Every first attempt succeeded.
std::vector<model::Settlement> outcomes(const std::vector<model::Appended>& appended, IdSource& ids,
                                        Time now) {
  std::vector<model::Settlement> out;
  for (const auto& one : appended) {
    for (const auto& born : one.deliveries) out.push_back(bench::delivered(born, ids, now));
  }
  return out;
}

async::Task<Result<>> drop_old_keys(sqlite::Store& store) {
  for (;;) {
    const auto step = co_await store.ports().upkeep.drop_old_keys();
    if (!step) co_return fail(step.error());
    if (*step == model::StepResult::done) co_return Result<>{};
  }
}

async::Task<Result<>> fill(sqlite::Store& store, FilledClock& clock, Random& random, Time start,
                           std::int64_t events, int actions) {
  IdSource ids(store.ports().clock, random);
  const auto source = co_await bench::define_source(store, ids, actions);
  if (!source) co_return fail(source.error());
  const auto entry = store.ports().registry.snapshot()->find_source(*source);
  const std::int64_t batch = std::clamp<std::int64_t>(events / 1'000, 1, kBatchMax);
  Time keys_at = start + kKeysEvery;
  for (std::int64_t done = 0; done < events;) {
    clock.advance_to(start + kSpan * done / events);
    const Time now = store.ports().clock.now();
    std::vector<model::EventDraft> drafts;
    const auto end = std::min(events, done + batch);
    for (; done < end; ++done) {
      drafts.push_back(bench::draft(*entry, ids, body_of(done), now));
      drafts.back().event.idempotency_place = "header:Idempotency-Key";
      drafts.back().event.idempotency_key = "key-" + std::to_string(random.u64());
    }
    const auto appended = co_await store.ports().log.append(std::move(drafts));
    if (!appended) co_return fail(appended.error());
    if (actions > 0) {
      const auto settled = co_await store.ports().book.settle(outcomes(*appended, ids, now));
      if (!settled) co_return fail(settled.error());
    }
    if (now >= keys_at) {
      keys_at = now + kKeysEvery;
      if (auto dropped = co_await drop_old_keys(store); !dropped) co_return dropped;
    }
    if (done % 500'000 == 0) std::printf("%lld events\n", static_cast<long long>(done));
    std::fflush(stdout);
  }
  co_return Result<>{};
}

async::Task<> run(sqlite::Store& store, FilledClock& clock, Random& random, Time start,
                  std::int64_t events, int actions, Result<>& outcome) {
  outcome = co_await fill(store, clock, random, start, events, actions);
}

int say(const Error& error) {
  std::fprintf(stderr, "bench_fill: %s\n", error.message().c_str());
  return EXIT_FAILURE;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: bench_fill DIR EVENTS [ACTIONS]\n");
    return EXIT_FAILURE;
  }
  const std::int64_t events = std::atoll(argv[2]);
  const int actions = argc > 3 ? std::atoi(argv[3]) : 2;
  const Time start = SystemClock().wall() - kSpan;
  FilledClock clock(start);
  SystemRandom random;
  async::Loop loop;
  std::filesystem::create_directories(argv[1]);
  auto store = sqlite::Store::open({.data_dir = argv[1]}, clock, random, loop.get_executor());
  if (!store) return say(store.error());
  Result<> outcome;
  async::Scope scope(loop.get_executor());
  scope.spawn(run(**store, clock, random, start, events, actions, outcome));
  loop.run();
  (*store)->stop();
  return outcome ? EXIT_SUCCESS : say(outcome.error());
}
