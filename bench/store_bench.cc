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
#include "crypto/digest.h"

namespace {

using namespace grapnel;
using Clock = std::chrono::steady_clock;

struct Bench {
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

model::EventDraft draft(Bench& bench, const model::SourceEntry& entry, IdSource& ids,
                        const std::string& body) {
  model::EventDraft draft;
  draft.event.id = ids.make<model::EventId>();
  draft.event.source = bench.source;
  draft.event.type = "push";
  draft.event.method = "POST";
  draft.event.target = "/webhooks/bench";
  draft.event.remote = "127.0.0.1:40000";
  draft.event.headers = {{"Host", "localhost"},
                         {"Content-Type", "application/json"},
                         {"User-Agent", "bench/1"},
                         {"Content-Length", "1024"}};
  draft.event.body = body;
  draft.event.body_size = body.size();
  draft.event.body_sha256 = crypto::sha256(body);
  draft.event.received = bench.store->clock().now();
  draft.plan.revision = entry.source.revision;
  draft.plan.deliveries.push_back({.id = ids.make<model::DeliveryId>(),
                                   .action = entry.actions.front()->id,
                                   .birth = model::Birth::leased});
  return draft;
}

model::Settlement delivered(const model::BornDelivery& born, IdSource& ids, Time now) {
  model::Attempt attempt{.id = ids.make<model::AttemptId>(), .number = 1, .started = now};
  attempt.request_headers = {
      {"Content-Type", "application/json"},
      {"webhook-id", "evt_06ESVZ8Q3C9Y3RZ1J5H7K9M2PW"},
      {"webhook-timestamp", "1767225600"},
      {"webhook-signature", "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4="}};
  attempt.response_status = 200;
  attempt.response_headers = {{"Content-Length", "2"}};
  attempt.response_excerpt = "ok";
  return {.delivery = born.seq,
          .fence = born.fence,
          .kind = model::Settlement::Kind::delivered,
          .due = {},
          .attempt = std::move(attempt),
          .health = std::nullopt};
}

enum class Scenario { append, append_and_settle };

async::Task<> call(Bench& bench, Scenario scenario) {
  IdSource ids(bench.store->clock(), bench.random);
  const std::string body(1024, 'x');
  while (Clock::now() < bench.end) {
    const auto entry = bench.store->registry().snapshot()->find_source(bench.source);
    std::vector<model::EventDraft> drafts;
    for (std::size_t i = 0; i < bench.batch; ++i) drafts.push_back(draft(bench, *entry, ids, body));
    const auto appended = co_await bench.store->events().append(std::move(drafts));
    if (!appended) {
      std::fprintf(stderr, "%s\n", appended.error().message().c_str());
      co_return;
    }
    if (scenario == Scenario::append_and_settle) {
      std::vector<model::Settlement> settlements;
      for (const auto& one : *appended) {
        settlements.push_back(delivered(one.deliveries.front(), ids, bench.store->clock().now()));
      }
      const auto settled = co_await bench.store->deliveries().settle(std::move(settlements));
      if (!settled) co_return;
    }
    bench.events += appended->size();
  }
}

async::Task<> define(Bench& bench) {
  model::Source source;
  source.id = IdSource(bench.store->clock(), bench.random).make<model::SourceId>();
  source.slug = "bench";
  bench.source = source.id;
  model::Action action;
  action.id = IdSource(bench.store->clock(), bench.random).make<model::ActionId>();
  action.source = source.id;
  action.name = "sink";
  action.target_url = "http://127.0.0.1/";
  std::vector<model::RegistryChange> changes;
  changes.emplace_back(model::PutSource{.source = source});
  changes.emplace_back(model::PutAction{.action = action});
  const auto done = co_await bench.store->registry().commit(std::move(changes));
  if (!done) std::fprintf(stderr, "%s\n", done.error().message().c_str());
}

void measure(Bench& bench, const char* name, Scenario scenario, int callers,
             std::chrono::seconds duration) {
  bench.events = 0;
  const auto start = Clock::now();
  const double cpu = cpu_seconds();
  const auto commits = bench.store->counters().commits;
  bench.end = start + duration;
  async::Scope scope(bench.loop.get_executor());
  for (int i = 0; i < callers; ++i) scope.spawn(call(bench, scenario));
  bench.loop.restart();
  bench.loop.run();
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  const auto events = static_cast<double>(bench.events);
  const auto counters = bench.store->counters();
  std::printf(
      "%-20s callers %4d batch %3zu: %8.0f events/s, %5.1f us cpu an event, %5.1f events a commit, "
      "%llu log restarts\n",
      name, callers, bench.batch, events / seconds, (cpu_seconds() - cpu) * 1e6 / events,
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
  Bench bench;
  bench.batch = argc > 4 ? static_cast<std::size_t>(std::atoi(argv[4])) : 1;
  auto opened = sqlite::Store::open({.data_dir = argv[1], .vfs = ""}, bench.clock, bench.random,
                                    bench.loop.get_executor());
  if (!opened) {
    std::fprintf(stderr, "%s\n", opened.error().message().c_str());
    return 1;
  }
  bench.store = std::move(*opened);
  async::Scope scope(bench.loop.get_executor());
  scope.spawn(define(bench));
  bench.loop.run();
  measure(bench, "append", Scenario::append, callers, duration);
  measure(bench, "append and settle", Scenario::append_and_settle, callers, duration);
  return 0;
}
