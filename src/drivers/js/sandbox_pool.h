// The sandbox of this program: scripts run in worker processes (main.cc), and this is who starts
// them, feeds them, doubts all they say and outlives all they do.
//
//   run(), check() --> CallQueue --> seats, each with at most one worker process:
//                                      regular    batches; a call that is slow goes to the suspects
//                                      suspects   one call at a time, with all of its time
//
// A worker that dies takes only its batch with it, and a batch is of one script. The calls of it
// that were not answered run again, one by one; the one that kills its worker alone has its
// verdict. That is right because a script is a function of its event.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/deadline.h"
#include "async/notify.h"
#include "async/scope.h"
#include "async/task.h"
#include "async/timers.h"
#include "drivers/js/call_queue.h"
#include "drivers/js/limits.h"
#include "drivers/js/worker_process.h"
#include "model/sandbox.h"

namespace grapnel::js {

struct SandboxOptions {
  /// Parts of the sandbox that scripts may run without where the kernel refuses them.
  std::vector<model::SandboxPart> allow_without;
  /// Workers beside that of the suspects, 1 to kWorkersMax.
  int workers = kWorkersDefault;
  /// A worker that had nothing to do for so long ends.
  std::chrono::milliseconds idle_time = kIdleTime;
  /// Given to the worker's program: tests only.
  std::string worker_argument;
};

struct SandboxStats {
  std::size_t workers = 0;                         ///< processes now
  std::uint64_t started = 0;                       ///< processes so far
  std::array<std::uint64_t, kWorkerEnds> ended{};  ///< by WorkerEnd
  std::array<std::uint64_t, 10> calls{};           ///< by model::ScriptFault; none: answered
  std::uint64_t batches = 0;
  std::size_t waiting = 0;   ///< calls
  std::size_t suspects = 0;  ///< scripts
};

/// Used on the loop's thread only, which also outlives its workers (they die with it). Workers
/// start at the first call. Join it with stop() before it is destroyed, once it was used.
class SandboxPool final : public model::Sandbox {
 public:
  SandboxPool(async::Executor executor, async::Timers& timers, SandboxOptions options);
  ~SandboxPool() override;

  async::Task<model::ScriptFailure> check(model::ScriptPtr script) override;
  async::Task<std::expected<model::ScriptAnswer, model::ScriptFailure>> run(
      model::ScriptCall call) override;
  /// Before the first worker was started: not available, and says so.
  model::SandboxHealth health() const override { return health_; }

  /// Starts a worker, so that health() says how things are.
  async::Task<> probe();
  /// Answers everything that waits or runs with `stopped` and ends the workers. Twice is fine.
  async::Task<> stop(async::Deadline deadline);

  SandboxStats stats() const;
  /// Processes that live now, in no order.
  std::vector<pid_t> worker_pids() const;

 private:
  struct Seat {
    Seat(async::Executor executor, Lane serves) : lane(serves), bell(executor) {}

    std::chrono::milliseconds call_time() const {
      return lane == Lane::suspects ? model::kScriptTimeMax : kSlowCall;
    }

    Lane lane;
    async::Notify bell;
    bool idle = false;
    std::unique_ptr<WorkerProcess> process;
    std::optional<Monotonic> overdue_at;  ///< when something must have come from the process
    bool noticed = false;                 ///< overdue at the last look
  };
  /// What came of a batch.
  struct Talk {
    std::size_t answered = 0;
    bool ended = false;   ///< the worker gave the batch back
    bool slow = false;    ///< the call after the answered ones was interrupted as slow
    bool retire = false;  ///< the worker is not to be used again
  };

  void begin();
  async::Task<Outcome> submit(CallKind kind, model::ScriptCall call);
  void settle(PendingCall& call, Outcome outcome);
  void settle_all(const std::vector<CallPtr>& calls, model::ScriptFault fault,
                  std::string_view message);
  void make_suspect(const model::ScriptPtr& script, std::chrono::milliseconds time);
  void wake();

  async::Task<> serve(Seat& seat);
  async::Task<> rest(Seat& seat);
  async::Task<> wait_for_work(Seat& seat);
  async::Task<> run_batch(Seat& seat, Batch batch);
  async::Task<Talk> talk(Seat& seat, const Batch& batch);
  void take_answer(const Batch& batch, AnswerFrame answer, Talk& talk);
  void after_death(const Seat& seat, WorkerEnd end, const Batch& batch, std::vector<CallPtr> left);
  async::Task<Result<>> seat_worker(Seat& seat);
  async::Task<Result<>> start_process(Seat& seat);
  Result<> accept_parts(const ReadyFrame& ready);
  async::Task<WorkerEnd> end_worker(Seat& seat);
  bool has_worker() const;

  void expect_word(Seat& seat, std::chrono::milliseconds within);
  async::Task<> watch();

  async::Executor executor_;
  async::Timers& timers_;
  SandboxOptions options_;
  CallQueue queue_;
  std::vector<std::unique_ptr<Seat>> seats_;
  std::optional<FileDescriptor> program_;
  model::SandboxHealth health_;
  SandboxStats stats_;
  Monotonic refuse_until_;  // after a start that failed
  std::chrono::milliseconds retry_wait_ = kStartRetryMin;
  bool begun_ = false;
  bool stopping_ = false;
  async::Notify overdue_bell_;
  async::Scope scope_;
};

}  // namespace grapnel::js
