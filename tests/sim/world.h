// What a run of the simulation works on: the store, the clocks and the judge, which outlive every
// process, and the process, which is the pipeline of the daemon over the ports of ports.h.
#pragma once

#include <memory>

#include "crypto/keyed_digest.h"
#include "crypto/secret_box.h"
#include "doubles/manual_clock.h"
#include "doubles/manual_timers.h"
#include "doubles/memory_store.h"
#include "doubles/scripted_sandbox.h"
#include "pipeline/pipeline.h"
#include "sim/coverage.h"
#include "sim/judge.h"
#include "sim/limits.h"
#include "sim/mutation.h"
#include "sim/ports.h"

namespace grapnel::sim {

struct World {
  World(std::uint64_t seed, const Mutation& mutation, Trace::Keep keep,
        SimSender::Endpoints endpoints);
  ~World();

  /// Runs what is ready, until nothing is.
  void settle();
  /// Lets time pass, up to a crash of the store.
  void pass(Millis time);
  void start_process();
  /// Stops the process: what it has not done at the deadline is cut off. On a store that crashed
  /// already this is what becomes of a process that was killed. The store is closed afterwards.
  void end_process(async::Deadline deadline);
  void reopen();
  void restore(const std::string& backup);

  async::Loop loop;
  doubles::ManualClock system_clock;
  doubles::ManualTimers timers{loop, system_clock};
  doubles::MemoryStore store{loop, system_clock};
  Coverage coverage;
  Trace trace;
  Judge judge{store, system_clock, kRetention, coverage, trace};
  SimLog log;
  SimBook book;
  SimRegistry registry;
  SimSender sender;
  doubles::ScriptedSandbox sandbox{timers};
  SeededRandom random;
  IdSource ids{store.clock(), random};
  telemetry::Metrics metrics{{.version = "sim"}};
  telemetry::Log log_lines{system_clock, {.level = telemetry::Level::off}};
  crypto::SecretBox box{random, crypto::MasterKey::make(random)};
  crypto::KeyedDigest digest{crypto::Secret(std::string("a key of digests"))};
  std::unique_ptr<pipeline::Pipeline> process;

 private:
  async::Task<> stop_process(async::Deadline deadline);
  void end_naps();

  bool stopped_ = false;
  async::Scope stops_{loop.get_executor()};
};

}  // namespace grapnel::sim
