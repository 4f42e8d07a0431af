// What one call of a script costs: the transform of a 1 KiB event, as many at a time as a batch
// takes and one by one. Prints the processor time of this program and of its workers a call.
#include <fmt/format.h>
#include <sys/resource.h>

#include <cstdlib>
#include <memory>
#include <string>

#include "async/scope.h"
#include "async/timers.h"
#include "drivers/js/sandbox_pool.h"

namespace {

using namespace grapnel;
using std::chrono::duration;
using std::chrono::steady_clock;

constexpr std::string_view kScript = R"(
function transform(event) {
  const p = event.payload;
  let total = 0;
  for (const item of p.items) total += item.price * item.qty;
  return {
    payload: { id: p.id, total, who: p.customer.email.toUpperCase(),
      tags: p.tags.filter((tag) => tag.length > 3) },
    type: 'order.' + p.state,
  };
})";

std::string kibibyte_body() {
  std::string items;
  for (int i = 0; i < 12; ++i) {
    items += fmt::format(R"({}{{"sku":"sku-{}","price":{},"qty":{},"name":"product number"}})",
                         i ? "," : "", i, i * 1.5, i);
  }
  const std::string note(200, '-');
  return R"({"id":77,"state":"paid","customer":{"email":"a@b.example"},)"
         R"("tags":["a","bcde","fghij"],)"
         R"("note":")" +
         note + R"(","items":[)" + items + "]}";
}

struct Rig {
  async::Loop loop;
  async::SystemTimers timers{loop.get_executor()};
  js::SandboxPool pool{loop.get_executor(), timers, {.workers = js::kWorkersDefault}};
  async::Scope scope{loop.get_executor()};
  model::ScriptPtr script;
  std::string body = kibibyte_body();
  std::string event =
      R"({"id":"evt_01J","type":"order","source":"shop","received_at":"2026-01-02T03:04:05.678Z",)"
      R"("headers":{"content-type":"application/json","user-agent":"bench"},"actions":[]})";
  std::size_t left = 0;
  std::size_t failed = 0;
};

async::Task<> call_on(Rig* rig) {
  while (rig->left > 0) {
    --rig->left;
    const auto outcome =
        co_await rig->pool.run({.script = rig->script, .event = rig->event, .body = rig->body});
    if (!outcome) ++rig->failed;
  }
}

async::Task<> drive(Rig* rig, std::size_t at_once, std::size_t count) {
  rig->left = count;
  async::Scope callers(rig->loop.get_executor());
  for (std::size_t i = 0; i < at_once; ++i) callers.spawn(call_on(rig));
  co_await callers.join();
}

async::Task<> stop(Rig* rig) {
  co_await rig->pool.stop(async::Deadline(rig->timers.now() + std::chrono::seconds{10}));
}

double seconds_of(const rusage& used) {
  return static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
         static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

double used_by(int who) {
  rusage used{};
  getrusage(who, &used);
  return seconds_of(used);
}

void run_all(Rig& rig, async::Task<> task) {
  rig.scope.spawn(std::move(task));
  rig.loop.restart();
  while (rig.scope.running() > 0) rig.loop.run_one();
}

/// Microseconds of processor time a call, in total. Starting the workers is not counted: it is
/// measured by a run without calls and taken off.
double measure(std::string_view name, std::size_t at_once, std::size_t count, double start_cost) {
  Rig rig;
  auto script = std::make_shared<model::Script>();
  script->body = kScript;
  script->name = "bench:transform";
  rig.script = std::move(script);
  run_all(rig, drive(&rig, at_once, 2 * at_once));
  const double own = used_by(RUSAGE_SELF);
  const double children = used_by(RUSAGE_CHILDREN);
  const auto batches = rig.pool.stats().batches;
  const auto begin = steady_clock::now();
  if (count > 0) run_all(rig, drive(&rig, at_once, count));
  const double wall = duration<double>(steady_clock::now() - begin).count();
  const double own_used = used_by(RUSAGE_SELF) - own;
  const auto batches_used = rig.pool.stats().batches - batches;
  run_all(rig, stop(&rig));
  // Children are counted once they have ended.
  const double child_used = used_by(RUSAGE_CHILDREN) - children - start_cost;
  if (count == 0) return child_used;
  const double calls = static_cast<double>(count);
  const double micros = (own_used + child_used) / calls * 1e6;
  fmt::print(
      "{:<10} {:>9.0f} calls/s {:>7.1f} µs of processor a call ({:.1f} here, {:.1f} workers)"
      " {:.1f} calls a batch{}\n",
      name, calls / wall, micros, own_used / calls * 1e6, child_used / calls * 1e6,
      calls / static_cast<double>(batches_used),
      rig.failed ? fmt::format(", {} FAILED", rig.failed) : "");
  return micros;
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t count = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 40'000;
  fmt::print("one event of {} bytes\n", kibibyte_body().size());
  const double start_one = measure("", 1, 0, 0);
  const double start_many = measure("", 128, 0, 0);
  const double unbatched = measure("one by one", 1, count / 4, start_one);
  const double batched = measure("batched", 128, count, start_many);
  fmt::print("one by one costs {:.2f} times as much; the bound is 100 µs batched\n",
             unbatched / batched);
  return batched <= 100 ? EXIT_SUCCESS : EXIT_FAILURE;
}
