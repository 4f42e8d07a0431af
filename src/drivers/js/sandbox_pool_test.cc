#include "drivers/js/sandbox_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>
#include <set>
#include <sstream>
#include <vector>

#include "drivers/js/pool_rig.h"

namespace grapnel::js {
namespace {

using model::ScriptFault;
using std::chrono::milliseconds;
using ::testing::Each;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr auto kNone = static_cast<std::size_t>(ScriptFault::none);

/// One of many calls at a time: its outcome in its place.
async::Task<> call_into(PoolRig* rig, model::ScriptPtr script, std::string body,
                        std::optional<Outcome>* outcome) {
  *outcome = co_await rig->pool.run({.script = script, .event = "{}", .body = body});
}

std::vector<Outcome> run_at_once(PoolRig& rig, const model::ScriptPtr& script, std::size_t count) {
  std::vector<std::optional<Outcome>> slots(count);
  for (std::size_t i = 0; i < count; ++i) {
    rig.scope.spawn(call_into(&rig, script, std::to_string(i), &slots[i]));
  }
  doubles::run(rig.loop, rig.scope.join());
  std::vector<Outcome> outcomes;
  for (auto& slot : slots) outcomes.push_back(std::move(slot.value()));
  return outcomes;
}

bool is_alive(pid_t pid) { return kill(pid, 0) == 0; }

TEST(SandboxPool, HoldsNoWorkerBeforeTheFirstCall) {
  PoolRig rig;
  EXPECT_THAT(rig.pool.worker_pids(), IsEmpty());
  EXPECT_FALSE(rig.pool.health().available);
  EXPECT_THAT(rig.pool.health().reason, HasSubstr("no worker has been started"));
}

TEST(SandboxPool, SaysAfterAProbeThatItIsAvailable) {
  PoolRig rig;
  doubles::run(rig.loop, rig.pool.probe());
  EXPECT_TRUE(rig.pool.health().available) << rig.pool.health().reason;
  EXPECT_THAT(rig.pool.health().reason, IsEmpty());
  EXPECT_THAT(rig.pool.worker_pids(), SizeIs(1));
}

TEST(SandboxPool, AnswersEachCallWithItsOwnResultInBatches) {
  PoolRig rig;
  const auto outcomes = run_at_once(rig, returning("event.payload * 2"), 500);
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    ASSERT_TRUE(outcomes[i]);
    EXPECT_EQ(outcomes[i]->result, std::to_string(2 * i));
  }
  EXPECT_LE(rig.pool.stats().batches, 100U);
  EXPECT_EQ(rig.pool.stats().calls[kNone], 500U);
}

TEST(SandboxPool, KeepsWorkersWhoseWorkAnotherTook) {
  PoolRig rig;
  const auto script = returning("event.payload");
  run_at_once(rig, script, 100);  // both workers are there
  // Callers wake both workers again and again, mostly for what one of them can do; whoever is given
  // up for that is killed within this time.
  const Monotonic end = rig.timers.now() + kKillGrace + 10 * kOverdueTick;
  for (std::size_t round = 0; rig.timers.now() < end; ++round) {
    run_at_once(rig, script, 1 + round % 3);
  }
  EXPECT_EQ(rig.pool.stats().ended, decltype(SandboxStats::ended){});
}

TEST(SandboxPool, RunsMoreScriptsThanAWorkerKeeps) {
  PoolRig rig({.workers = 1});
  std::vector<model::ScriptPtr> scripts;
  for (std::uint32_t i = 0; i < kRealmsMax + 4; ++i)
    scripts.push_back(returning(std::to_string(i)));
  for (int round = 0; round < 2; ++round) {
    for (std::size_t i = 0; i < scripts.size(); ++i) {
      EXPECT_EQ(rig.text(scripts[i]), std::to_string(i));
    }
  }
}

TEST(SandboxPool, RunsWhatDiedWithABadCallAgain) {
  PoolRig rig;
  // Innocent calls in one batch with one that takes its worker with it or all of its time.
  const auto script = script_of(
      "function transform(event) { if (event.payload !== 7) return event.payload;\n"
      "  for (;;) {} }");
  const auto outcomes = run_at_once(rig, script, 20);
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (i == 7) {
      ASSERT_FALSE(outcomes[i]);
      EXPECT_EQ(outcomes[i].error().fault, ScriptFault::timeout);
      EXPECT_EQ(outcomes[i].error().line, 2);
    } else {
      ASSERT_TRUE(outcomes[i]) << i << outcomes[i].error().message;
      EXPECT_EQ(outcomes[i]->result, std::to_string(i));
    }
  }
  EXPECT_EQ(rig.pool.stats().suspects, 1U);
}

TEST(SandboxPool, ReplacesAWorkerThatIsKilledAtRest) {
  PoolRig rig;
  const auto script = returning("1");
  EXPECT_EQ(rig.text(script), "1");
  ASSERT_THAT(rig.pool.worker_pids(), SizeIs(1));
  kill(rig.pool.worker_pids().front(), SIGKILL);
  EXPECT_TRUE(doubles::wait_until(rig.loop, [&] { return rig.pool.worker_pids().empty(); }));
  EXPECT_EQ(rig.text(script), "1");
  EXPECT_EQ(rig.pool.stats().suspects, 0U);
  EXPECT_EQ(rig.pool.stats().ended[static_cast<std::size_t>(WorkerEnd::killed)], 1U);
}

TEST(SandboxPool, LosesNoCallToWorkersKilledAtRandom) {
  PoolRig rig;
  const auto script = script_of(
      "function transform(event) { let n = 0; for (let i = 0; i < 2e4; i++) n += i;\n"
      "  return event.payload }");
  std::vector<std::optional<Outcome>> slots(300);
  for (std::size_t i = 0; i < slots.size(); ++i) {
    rig.scope.spawn(call_into(&rig, script, std::to_string(i), &slots[i]));
  }
  std::set<pid_t> killed;
  std::size_t kills = 0;
  EXPECT_TRUE(doubles::wait_until(rig.loop, [&] {
    // Each of the first workers, as soon as it is seen.
    for (const pid_t pid : rig.pool.worker_pids()) {
      if (kills < 2 && killed.insert(pid).second && kill(pid, SIGKILL) == 0) ++kills;
    }
    return rig.scope.running() == 0;
  }));
  for (std::size_t i = 0; i < slots.size(); ++i) {
    ASSERT_TRUE(slots[i]);
    ASSERT_TRUE(*slots[i]) << i << ": " << (*slots[i]).error().message;
    EXPECT_EQ((*slots[i])->result, std::to_string(i));
  }
}

TEST(SandboxPool, LetsACallerGoWhenItIsCanceled) {
  PoolRig rig;
  ASSERT_EQ(rig.text(returning("1")), "1");
  async::Scope scope(rig.loop.get_executor());
  std::optional<Outcome> outcome;
  scope.spawn(call_into(&rig, script_of("for (;;) {}"), "{}", &outcome));
  doubles::run_ready(rig.loop);
  scope.cancel();
  doubles::run(rig.loop, scope.join());
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->error().fault, ScriptFault::stopped);
  EXPECT_EQ(rig.text(returning("2")), "2");
}

TEST(SandboxPool, AnswersEverythingWhenItStops) {
  PoolRig rig;
  std::vector<std::optional<Outcome>> slots(50);
  for (auto& slot : slots) rig.scope.spawn(call_into(&rig, script_of("for (;;) {}"), "{}", &slot));
  EXPECT_TRUE(doubles::wait_until(rig.loop, [&] { return !rig.pool.worker_pids().empty(); }));
  const auto pids = rig.pool.worker_pids();
  doubles::run(rig.loop,
               rig.pool.stop(async::Deadline(rig.timers.now() + std::chrono::seconds(10))));
  doubles::run(rig.loop, rig.scope.join());
  for (const auto& slot : slots) {
    ASSERT_TRUE(slot);
    EXPECT_EQ(slot->error().fault, ScriptFault::stopped);
  }
  for (const pid_t pid : pids) EXPECT_FALSE(is_alive(pid));
  EXPECT_EQ(rig.text(returning("1")), "9: the program is stopping");
}

TEST(SandboxPool, EndsWorkersThatHaveNothingToDo) {
  PoolRig rig({.idle_time = milliseconds{50}});
  EXPECT_EQ(rig.text(returning("1")), "1");
  EXPECT_TRUE(doubles::wait_until(rig.loop, [&] { return rig.pool.worker_pids().empty(); }));
  EXPECT_EQ(rig.text(returning("1")), "1");
}

TEST(SandboxPool, TurnsCallsAwayWhenTooManyWait) {
  PoolRig rig;
  const auto outcomes = run_at_once(rig, returning("1"), model::kScriptCallsMax);
  std::size_t busy = 0;
  for (const Outcome& outcome : outcomes) {
    if (outcome) continue;
    ASSERT_EQ(outcome.error().fault, ScriptFault::busy);
    ++busy;
  }
  EXPECT_GT(busy, 0U);
  EXPECT_LE(busy, model::kScriptCallsMax - model::kScriptCallsMax / kShareDivisor);
}

TEST(SandboxPool, GivesLargeBodiesToScriptsAndLargeResultsBack) {
  PoolRig rig;
  const std::string body = "\"" + std::string(4 * 1'048'576, 'x') + "\"";
  const Outcome outcome = rig.run(returning("event.payload"), body);
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->result, body);
}

TEST(SandboxPool, RefusesEventsThatAreTooLarge) {
  PoolRig rig;
  const std::string body(kCallBytesMax, 'x');
  EXPECT_EQ(rig.text(returning("1"), body).substr(0, 2), "4:");
}

TEST(SandboxPool, GivesItsWorkersNothingOfItsOwn) {
  PoolRig rig;
  ASSERT_EQ(rig.text(returning("1")), "1");
  const std::string status = [&] {
    std::ifstream file("/proc/" + std::to_string(rig.pool.worker_pids().front()) + "/status");
    return (std::stringstream() << file.rdbuf()).str();
  }();
  EXPECT_THAT(status, HasSubstr("NoNewPrivs:\t1"));
  EXPECT_THAT(status, HasSubstr("Seccomp:\t2"));
  const std::string limits = [&] {
    std::ifstream file("/proc/" + std::to_string(rig.pool.worker_pids().front()) + "/limits");
    return (std::stringstream() << file.rdbuf()).str();
  }();
  EXPECT_THAT(limits, HasSubstr("Max open files            0                    0"));
  EXPECT_THAT(limits, HasSubstr("Max core file size        0                    0"));
}

TEST(SandboxPool, GoesOnAfterManyScriptsThatEndTheirWorker) {
  PoolRig rig;
  for (int i = 0; i < 5; ++i) {
    const auto bad = script_of("function transform() { const a = []; for (;;) a.push([a, " +
                               std::to_string(i) + "]) }");
    const Outcome outcome = rig.run(bad);
    ASSERT_FALSE(outcome);
    EXPECT_EQ(rig.text(returning("1")), "1");
  }
  EXPECT_LE(rig.pool.worker_pids().size(), 3U);
}

}  // namespace
}  // namespace grapnel::js
