#include "drivers/js/sandbox_pool.h"

#include <boost/asio/experimental/awaitable_operators.hpp>

#include <algorithm>
#include <string_view>
#include <utility>

#include "async/errors.h"
#include "base/check.h"
#include "base/utf8.h"
#include "drivers/js/errors.h"
#include "drivers/js/verdicts.h"
#include "drivers/js/worker_image.h"

namespace grapnel::js {
namespace {

using model::ScriptFault;
using namespace boost::asio::experimental::awaitable_operators;

constexpr std::string_view kStopping = "the program is stopping";
constexpr std::string_view kProbeScript = "function transform(event) {}";

static_assert(kRefusedFilter == 1 << static_cast<int>(model::SandboxPart::seccomp));
static_assert(kRefusedMemory == 1 << static_cast<int>(model::SandboxPart::memory));

/// Marks a call whose caller went away, however it went.
class Waiting {
 public:
  explicit Waiting(PendingCall& call) : call_(call) {}
  ~Waiting() { call_.abandoned = !call_.outcome; }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

 private:
  PendingCall& call_;
};

/// The frames that run a batch on a worker.
std::string encode(const Batch& batch, WorkerProcess::Slot slot, std::chrono::milliseconds time) {
  std::string out;
  const model::Script& script = *batch.script;
  if (slot.fresh) {
    const bool transform = script.entry == model::ScriptEntry::transform;
    FrameWriter(out, FrameKind::define)
        .u32(slot.number)
        .text(transform ? "transform" : "process")
        .text(cut_utf8(script.name, kScriptNameBytesMax))
        .text(script.body)
        .finish();
  }
  const bool check = batch.calls.front()->kind == CallKind::check;
  FrameWriter frame(out, check ? FrameKind::check : FrameKind::calls);
  frame.u32(slot.number).u32(static_cast<std::uint32_t>(time.count()));
  if (!check) {
    frame.u32(static_cast<std::uint32_t>(batch.calls.size()));
    for (const CallPtr& call : batch.calls) frame.text(call->call.event).text(call->call.body);
  }
  frame.finish();
  return out;
}

}  // namespace

SandboxPool::SandboxPool(async::Executor executor, async::Timers& timers, SandboxOptions options)
    : executor_(executor),
      timers_(timers),
      options_(std::move(options)),
      health_{.available = false, .reason = "no worker has been started yet"},
      refuse_until_(Monotonic::min()),
      overdue_bell_(executor),
      scope_(executor) {
  const int workers = std::clamp(options_.workers, 1, kWorkersMax);
  for (int i = 0; i < workers; ++i) {
    const Lane lane = i % 2 == 0 ? Lane::proven_first : Lane::unproven_first;
    seats_.push_back(std::make_unique<Seat>(executor, lane));
  }
  seats_.push_back(std::make_unique<Seat>(executor, Lane::suspects));
}

SandboxPool::~SandboxPool() = default;

void SandboxPool::begin() {
  if (std::exchange(begun_, true)) return;
  for (const auto& seat : seats_) scope_.spawn(serve(*seat));
  scope_.spawn(watch());
}

// --- calls

async::Task<model::ScriptFailure> SandboxPool::check(model::ScriptPtr script) {
  const Outcome outcome =
      co_await submit(CallKind::check, model::ScriptCall{.script = std::move(script)});
  if (!outcome) co_return outcome.error();
  co_return model::ScriptFailure{.console = outcome->console};
}

async::Task<std::expected<model::ScriptAnswer, model::ScriptFailure>> SandboxPool::run(
    model::ScriptCall call) {
  co_return co_await submit(CallKind::run, std::move(call));
}

async::Task<> SandboxPool::probe() {
  auto script = std::make_shared<model::Script>();
  script->body = kProbeScript;
  script->name = "probe";
  co_await check(std::move(script));
}

async::Task<Outcome> SandboxPool::submit(CallKind kind, model::ScriptCall given) {
  GRAPNEL_CHECK(given.script != nullptr);
  const auto call = std::make_shared<PendingCall>(executor_, kind, std::move(given));
  const Monotonic now = timers_.now();
  if (call->call.script->body.size() > model::kScriptBytesMax) {
    settle(*call, failed(ScriptFault::compile, "has more than 64 KiB"));
  } else if (call->call.event.size() > kCallEventBytesMax || call->bytes() > kCallBytesMax) {
    settle(*call, failed(ScriptFault::memory, "the event is larger than a script can be given"));
  } else if (stopping_) {
    settle(*call, failed(ScriptFault::stopped, kStopping));
  } else if (now < refuse_until_ && !has_worker()) {
    settle(*call, failed(ScriptFault::unavailable, health_.reason));
  } else if (!queue_.push(call, now)) {
    settle(*call, failed(ScriptFault::busy, "too many calls of scripts wait"));
  }
  if (call->outcome) co_return std::move(*call->outcome);
  begin();
  wake();
  const Waiting waiting(*call);
  // A worker that cannot even be made has settled it by now.
  if (!call->outcome) co_await call->settled.wait();
  if (call->outcome) co_return std::move(*call->outcome);
  ++stats_.calls[static_cast<std::size_t>(ScriptFault::stopped)];
  co_return failed(ScriptFault::stopped, "canceled");
}

void SandboxPool::settle(PendingCall& call, Outcome outcome) {
  if (call.abandoned || call.outcome) return;
  const ScriptFault fault = outcome ? ScriptFault::none : outcome.error().fault;
  ++stats_.calls[static_cast<std::size_t>(fault)];
  call.outcome = std::move(outcome);
  call.settled.notify_all();
}

void SandboxPool::settle_all(const std::vector<CallPtr>& calls, ScriptFault fault,
                             std::string_view message) {
  for (const CallPtr& call : calls) settle(*call, failed(fault, message));
}

void SandboxPool::make_suspect(const model::ScriptPtr& script, std::chrono::milliseconds time) {
  settle_all(queue_.suspect(script, timers_.now() + time), ScriptFault::busy,
             "the script is slow, and too many of its calls wait");
}

void SandboxPool::wake() {
  const Monotonic now = timers_.now();
  bool woken = false;
  for (const auto& seat : seats_) {
    const bool regular = seat->lane != Lane::suspects;
    if (!seat->idle || (regular && woken) || !queue_.has_work(seat->lane, now)) continue;
    seat->idle = false;
    seat->bell.notify_all();
    woken = woken || regular;
  }
}

// --- seats

async::Task<> SandboxPool::serve(Seat& seat) {
  while (!stopping_) {
    Batch batch = queue_.take(seat.lane, timers_.now());
    if (batch.calls.empty()) {
      co_await rest(seat);
    } else {
      co_await run_batch(seat, std::move(batch));
    }
  }
  if (seat.process) {
    seat.process->kill(WorkerEnd::stopped);
    co_await end_worker(seat);
  }
}

async::Task<> SandboxPool::wait_for_work(Seat& seat) {
  while (!stopping_ && !queue_.has_work(seat.lane, timers_.now())) co_await seat.bell.wait();
}

async::Task<> SandboxPool::rest(Seat& seat) {
  seat.idle = true;
  if (!seat.process) {
    co_await wait_for_work(seat);
  } else {
    const Monotonic until = timers_.now() + options_.idle_time;
    const auto woken = co_await (wait_for_work(seat) || seat.process->wait_for_end() ||
                                 timers_.sleep_until(until));
    // Where work came, another seat may have taken it by now: the worker rests again.
    if (woken.index() != 0) {
      if (timers_.now() >= until) seat.process->kill(WorkerEnd::stopped);
      co_await end_worker(seat);
    }
  }
  seat.idle = false;
}

async::Task<WorkerEnd> SandboxPool::end_worker(Seat& seat) {
  expect_word(seat, kKillGrace);
  const WorkerEnd end = co_await seat.process->reap();
  seat.overdue_at.reset();
  seat.process.reset();
  ++stats_.ended[static_cast<std::size_t>(end)];
  co_return end;
}

async::Task<> SandboxPool::run_batch(Seat& seat, Batch batch) {
  if (const auto seated = co_await seat_worker(seat); !seated) {
    settle_all(batch.calls, stopping_ ? ScriptFault::stopped : ScriptFault::unavailable,
               stopping_ ? kStopping : std::string_view(health_.reason));
    co_return;
  }
  // While the worker started, callers may have gone, and with them their bodies.
  std::erase_if(batch.calls, [](const CallPtr& call) { return call->abandoned; });
  if (batch.calls.empty()) co_return;
  ++stats_.batches;
  const Talk came = co_await talk(seat, batch);
  seat.overdue_at.reset();
  std::vector<CallPtr> left(batch.calls.begin() + static_cast<std::ptrdiff_t>(came.answered),
                            batch.calls.end());
  if (!came.ended) {
    const WorkerEnd end = co_await end_worker(seat);
    after_death(seat, end, batch, std::move(left));
  } else {
    if (came.slow) make_suspect(batch.script, kSuspectTime);
    queue_.put_back(std::move(left));
    if (came.retire) {
      seat.process->kill(WorkerEnd::stopped);
      co_await end_worker(seat);
    }
  }
  wake();
}

async::Task<SandboxPool::Talk> SandboxPool::talk(Seat& seat, const Batch& batch) {
  Talk talk;
  const std::chrono::milliseconds within = seat.call_time() + kAnswerDelayMax + kKillGrace;
  expect_word(seat, within);
  const WorkerProcess::Slot slot = seat.process->slot_of(batch.script);
  if (!co_await seat.process->send(encode(batch, slot, seat.call_time()))) co_return talk;
  for (;;) {
    auto frame = co_await seat.process->receive();
    if (!frame) co_return talk;
    expect_word(seat, within);
    auto* answer = std::get_if<AnswerFrame>(&*frame);
    // With all of its time a call is not slow but over it.
    const bool possible = answer && !talk.slow && talk.answered < batch.calls.size() &&
                          (answer->verdict != Verdict::slow || seat.lane != Lane::suspects);
    if (possible) {
      take_answer(batch, std::move(*answer), talk);
      continue;
    }
    const auto* ended = std::get_if<EndedFrame>(&*frame);
    const std::size_t answers = talk.answered + (talk.slow ? 1 : 0);
    if (ended && answers > 0 && ended->answers == answers) {
      talk.ended = true;
    } else {
      seat.process->kill(WorkerEnd::violation);
    }
    co_return talk;
  }
}

void SandboxPool::take_answer(const Batch& batch, AnswerFrame answer, Talk& talk) {
  if (answer.verdict == Verdict::slow) {
    talk.slow = true;
    return;
  }
  const std::chrono::microseconds used{answer.micros};
  const bool offence =
      used >= kSlowCall || answer.verdict == Verdict::timeout || answer.verdict == Verdict::memory;
  if (offence) {
    make_suspect(batch.script, kSuspectTime);
  } else if (batch.calls.front()->kind == CallKind::run) {
    queue_.note_answer(batch.script, used);
  }
  talk.retire = talk.retire || answer.verdict == Verdict::memory;
  settle(*batch.calls[talk.answered++], outcome_of(std::move(answer)));
}

void SandboxPool::after_death(const Seat& seat, WorkerEnd end, const Batch& batch,
                              std::vector<CallPtr> left) {
  if (stopping_) return settle_all(left, ScriptFault::stopped, kStopping);
  const bool own_doing = end != WorkerEnd::killed;
  if (!own_doing && left.empty()) return;
  make_suspect(batch.script, own_doing ? kSuspectTime : kBystanderTime);
  // On a regular worker it was killed before its time was over.
  const bool had_its_time = end != WorkerEnd::overdue || seat.lane == Lane::suspects;
  if (own_doing && left.size() == 1 && had_its_time) {
    return settle(*left.front(), outcome_of(end));
  }
  if (!own_doing) {
    for (const CallPtr& call : left) {
      if (++call->deaths >= kDeathsMax) settle(*call, outcome_of(end));
    }
  }
  std::erase_if(left, [](const CallPtr& call) { return call->outcome.has_value(); });
  queue_.put_back(std::move(left));
}

// --- processes

bool SandboxPool::has_worker() const {
  return std::ranges::any_of(seats_, [](const auto& seat) { return seat->process != nullptr; });
}

async::Task<Result<>> SandboxPool::seat_worker(Seat& seat) {
  if (seat.process) co_return Result<>{};
  if (timers_.now() < refuse_until_) co_return fail(errc::start_failed, health_.reason);
  auto started = co_await start_process(seat);
  // Somebody who kills workers is no reason to refuse scripts; one that cannot start is.
  for (int deaths = 1;
       !started && started.error().code == errc::worker_died && !stopping_ && deaths < kDeathsMax;
       ++deaths) {
    started = co_await start_process(seat);
  }
  if (started) {
    retry_wait_ = kStartRetryMin;
    co_return started;
  }
  if (stopping_) co_return started;
  health_ = {.available = false, .reason = started.error().message()};
  refuse_until_ = timers_.now() + retry_wait_;
  retry_wait_ = std::min(retry_wait_ * 2, kStartRetryMax);
  co_return started;
}

async::Task<Result<>> SandboxPool::start_process(Seat& seat) {
  if (!program_) {
    auto made = make_worker_file();
    if (!made) co_return fail(made.error());
    program_ = std::move(*made);
  }
  auto process = WorkerProcess::start(executor_, *program_, options_.worker_argument);
  if (!process) co_return fail(process.error());
  ++stats_.started;
  seat.process = std::move(*process);
  expect_word(seat, kStartTimeout);
  const auto frame = co_await seat.process->receive();
  Result<> accepted = fail(errc::start_failed, "the worker of scripts ended while it started");
  if (frame) {
    const auto* ready = std::get_if<ReadyFrame>(&*frame);
    accepted = ready ? accept_parts(*ready) : fail(errc::bad_frame);
    if (!accepted) seat.process->kill(WorkerEnd::stopped);
  }
  seat.overdue_at.reset();
  if (accepted) co_return accepted;
  if (co_await end_worker(seat) == WorkerEnd::killed) {
    co_return fail(errc::worker_died, "the worker of scripts was killed while it started");
  }
  co_return accepted;
}

Result<> SandboxPool::accept_parts(const ReadyFrame& ready) {
  std::string missing;
  std::string forbidden;
  for (const auto part : {model::SandboxPart::seccomp, model::SandboxPart::memory}) {
    if ((ready.refused & (1U << static_cast<unsigned>(part))) == 0) continue;
    const bool allowed = std::ranges::count(options_.allow_without, part) > 0;
    std::string& list = allowed ? missing : forbidden;
    list += (list.empty() ? "" : " and ") + std::string(name_of(part));
  }
  if (!forbidden.empty()) {
    return fail(errc::part_refused,
                "scripts are refused, because the kernel refuses a part of their sandbox (" +
                    ready.reason + "), unless the settings let them go without " + forbidden);
  }
  health_ = {.available = true, .reason = {}};
  if (!missing.empty()) {
    health_.reason = "scripts run without a part of their sandbox, " + missing +
                     ", as the settings allow (" + ready.reason + ")";
  }
  return {};
}

void SandboxPool::expect_word(Seat& seat, std::chrono::milliseconds within) {
  seat.overdue_at = timers_.now() + within;
  seat.noticed = false;
  overdue_bell_.notify_all();
}

async::Task<> SandboxPool::watch() {
  const auto due = [](const auto& seat) { return seat->overdue_at.has_value(); };
  while (!stopping_ || std::ranges::any_of(seats_, due)) {
    if (std::ranges::none_of(seats_, due)) {
      co_await overdue_bell_.wait();
      continue;
    }
    if (!co_await timers_.sleep_for(kOverdueTick)) co_return;
    const Monotonic now = timers_.now();
    for (const auto& seat : seats_) {
      if (!seat->overdue_at || now < *seat->overdue_at || !seat->process) continue;
      // At the second look: after a pause of our own the answer may lie there unread.
      if (std::exchange(seat->noticed, true)) seat->process->kill(WorkerEnd::overdue);
    }
  }
}

// --- the end, and what is to be seen

async::Task<> SandboxPool::stop(async::Deadline deadline) {
  stopping_ = true;
  settle_all(queue_.drain(), ScriptFault::stopped, kStopping);
  for (const auto& seat : seats_) {
    if (seat->process) seat->process->kill(WorkerEnd::stopped);
    seat->bell.notify_all();
  }
  overdue_bell_.notify_all();
  if (!co_await scope_.join(timers_, deadline)) {
    scope_.cancel();
    co_await scope_.join();
  }
  for (const auto& seat : seats_) seat->process.reset();
}

SandboxStats SandboxPool::stats() const {
  SandboxStats stats = stats_;
  stats.workers = worker_pids().size();
  stats.waiting = queue_.waiting();
  stats.suspects = queue_.suspects(timers_.now());
  return stats;
}

std::vector<pid_t> SandboxPool::worker_pids() const {
  std::vector<pid_t> pids;
  for (const auto& seat : seats_) {
    if (seat->process) pids.push_back(seat->process->pid());
  }
  return pids;
}

}  // namespace grapnel::js
