#include "drivers/js/watchdog.h"

#include <pthread.h>
#include <time.h>

#include <latch>
#include <thread>

namespace grapnel::js {
namespace {

std::int64_t read_clock(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

std::int64_t nanos(std::chrono::nanoseconds duration) { return duration.count(); }

}  // namespace

Watchdog::Watchdog(JSContext* context) : context_(context) {
  pthread_getcpuclockid(pthread_self(), &engine_clock_);
  std::latch running(1);
  std::thread([this, &running] {
    running.count_down();
    watch();
  }).detach();
  running.wait();
}

void Watchdog::watch() {
  for (;;) {
    awake_.wait(0);
    const timespec tick{.tv_sec = 0, .tv_nsec = nanos(kWatchdogTick)};
    clock_nanosleep(CLOCK_MONOTONIC, 0, &tick, nullptr);
    const std::int64_t wall_end = wall_end_;
    const std::int64_t processor_end = processor_end_;
    if (wall_end == 0) continue;
    const bool late = read_clock(CLOCK_MONOTONIC) >= wall_end ||
                      (processor_end != 0 && read_clock(engine_clock_) >= processor_end);
    if (late) JS_RequestInterruptCallback(context_);
  }
}

void Watchdog::wake() {
  awake_ = 1;
  awake_.notify_one();
}

void Watchdog::rest() { awake_ = 0; }

void Watchdog::begin_call(std::chrono::milliseconds time) {
  verdict_ = Verdict::ok;
  line_ = column_ = 0;
  processor_begin_ = read_clock(engine_clock_);
  processor_end_ = time < model::kScriptTimeMax ? processor_begin_ + nanos(time) : 0;
  wall_end_ = read_clock(CLOCK_MONOTONIC) + nanos(model::kScriptTimeMax);
}

void Watchdog::end_call() { wall_end_ = 0; }

std::chrono::microseconds Watchdog::used() const {
  return std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::nanoseconds{read_clock(engine_clock_) - processor_begin_});
}

bool Watchdog::go_on(JSContext* context) {
  const std::int64_t wall_end = wall_end_;
  const std::int64_t processor_end = processor_end_;
  if (wall_end == 0) return true;
  Verdict verdict = Verdict::ok;
  if (processor_end != 0 && read_clock(engine_clock_) >= processor_end) verdict = Verdict::slow;
  if (read_clock(CLOCK_MONOTONIC) >= wall_end) verdict = Verdict::timeout;
  if (verdict == Verdict::ok) return true;
  if (verdict_ == Verdict::ok) {
    JS::AutoFilename file;
    JS::DescribeScriptedCaller(context, &file, &line_, &column_);
  }
  verdict_ = verdict;
  return false;
}

}  // namespace grapnel::js
