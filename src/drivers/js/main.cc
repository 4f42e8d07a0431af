// WORKER. The program that runs scripts: it is embedded in Grapnel and started from there, speaks
// frames (frames.h) on its one descriptor, and believes nothing it runs.
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <string_view>

#include "drivers/js/break_outs.h"
#include "drivers/js/call_state.h"
#include "drivers/js/channel.h"
#include "drivers/js/engine.h"
#include "drivers/js/frames.h"
#include "drivers/js/jail.h"
#include "drivers/js/script_realm.h"

namespace {

using namespace grapnel::js;
using Clock = std::chrono::steady_clock;

void write_answer(std::string& out, const AnswerFrame& answer) {
  FrameWriter(out, FrameKind::answer)
      .u8(static_cast<std::uint8_t>(answer.verdict))
      .u32(answer.micros)
      .u32(answer.line)
      .u32(answer.column)
      .text(answer.message)
      .text(answer.console)
      .text(answer.result)
      .finish();
}

/// After such a call nothing else runs in this batch: its script is watched from now on, or the
/// process is about to be replaced.
bool ends_batch(const AnswerFrame& answer) {
  return answer.verdict == Verdict::timeout || answer.verdict == Verdict::memory ||
         answer.verdict == Verdict::slow ||
         answer.micros >= std::chrono::microseconds(kSlowCall).count();
}

class Worker {
 public:
  explicit Worker(JSContext* context) : context_(context), janitor_(context) {}

  /// False: the pool has gone, or does not speak as it should.
  bool obey(const IncomingFrame& frame) {
    FrameReader reader(frame.payload);
    switch (frame.kind) {
      case FrameKind::define: return define(reader);
      case FrameKind::calls: return run_calls(reader);
      case FrameKind::check: return check(reader);
      default: return false;
    }
  }

 private:
  bool define(FrameReader& reader) {
    const std::uint32_t slot = reader.u32();
    const std::string_view function = reader.text();
    const std::string_view name = reader.text();
    const std::string_view body = reader.text();
    if (!reader.done() || slot >= kRealmsMax) return false;
    realms_[slot] = std::make_unique<ScriptRealm>(context_, std::string(function),
                                                  std::string(name), std::string(body));
    return true;
  }

  bool run_calls(FrameReader& reader) {
    const std::uint32_t slot = reader.u32();
    const std::chrono::milliseconds time(reader.u32());
    const std::uint32_t count = reader.u32();
    if (!reader.ok() || slot >= kRealmsMax || !realms_[slot]) return false;
    const auto begin = Clock::now();
    auto sent = begin;
    std::uint32_t answers = 0;
    std::string out;
    while (answers < count) {
      const std::string_view event = reader.text();
      const std::string_view body = reader.text();
      if (!reader.ok()) return false;
      const AnswerFrame answer = realms_[slot]->call(event, body, time);
      write_answer(out, answer);
      ++answers;
      const auto now = Clock::now();
      if (ends_batch(answer) || now - begin >= kBatchTime) break;
      if (out.size() >= kAnswerBatchBytesMax || now - sent >= kAnswerDelayMax) {
        if (!send_frames(out)) return false;
        sent = now;
      }
    }
    return end(out, answers);
  }

  bool check(FrameReader& reader) {
    const std::uint32_t slot = reader.u32();
    const std::chrono::milliseconds time(reader.u32());
    if (!reader.done() || slot >= kRealmsMax || !realms_[slot]) return false;
    std::string out;
    write_answer(out, realms_[slot]->check(time));
    return end(out, 1);
  }

  bool end(std::string& out, std::uint32_t answers) {
    FrameWriter(out, FrameKind::ended).u32(answers).finish();
    if (!send_frames(out)) return false;
    janitor_.after_batch();
    return true;
  }

  JSContext* context_;
  Janitor janitor_;
  std::array<std::unique_ptr<ScriptRealm>, kRealmsMax> realms_;
};

void serve(JSContext* context, bool breaks_out) {
  Watchdog& watchdog = CallState::of(context).watchdog;
  Worker worker(context);
  while (const auto frame = receive_frame()) {
    if (breaks_out && frame->kind == FrameKind::forbidden) {
      break_out(FrameReader(frame->payload).u32());
      continue;
    }
    watchdog.wake();
    const bool served = worker.obey(*frame);
    watchdog.rest();
    if (!served) _exit(EXIT_FAILURE);
  }
  _exit(EXIT_SUCCESS);
}

}  // namespace

int main(int count, char** arguments) {
  close_doors();
  setenv("TZ", "UTC", 1);
  std::set_new_handler([] { _exit(kExitMemory); });
  JSContext* context = start_engine();
  if (!context) _exit(kExitNoEngine);
  tell_shortage();
  const ReadyFrame ready = lock_up();
  std::string out;
  FrameWriter(out, FrameKind::ready).u8(ready.refused).text(ready.reason).finish();
  if (!send_frames(out)) _exit(EXIT_FAILURE);
  serve(context, count > 1 && arguments[1] == kBreakOutArgument);
}
