#include "pipeline/script_attempt.h"

#include <fmt/format.h>

#include "base/utf8.h"
#include "model/texts.h"
#include "model/transform.h"
#include "pipeline/limits.h"
#include "pipeline/script_event.h"
#include "pipeline/script_result.h"

namespace grapnel::pipeline {
namespace {

using model::AttemptResult;
using model::AttemptStep;
using model::ScriptFault;

/// When a call that was not made may be made again; nothing: it was made.
std::optional<Millis> not_made(ScriptFault fault) {
  switch (fault) {
    case ScriptFault::stopped: return Millis{0};
    case ScriptFault::busy: return kScriptBusyRest;
    case ScriptFault::unavailable: return kNoSandboxRest;
    default: return std::nullopt;
  }
}

void note_failure(AttemptReport& report, const model::ScriptFailure& failure) {
  report.attempt.console = failure.console;
  if (const auto rest = not_made(failure.fault)) {
    report.attempt.result = AttemptResult::handed_back;
    report.retry_after = *rest;
    return;
  }
  report.attempt.result = AttemptResult::failed;
  report.attempt.step = AttemptStep::script;
  report.attempt.error =
      fmt::format("script: {}: {}", model::to_text(failure.fault), failure.message);
}

void note_made(AttemptReport& report, std::string_view result, const model::Event& event,
               const model::SourceEntry& entry) {
  auto made = read_made(result, event, entry);
  if (made) {
    report.made = std::move(*made);
    return;
  }
  note_failure(report, {.fault = ScriptFault::result,
                        .message = made.error().context,
                        .console = std::move(report.attempt.console)});
}

}  // namespace

async::Task<> run_script(model::Sandbox& sandbox, const StoreClock& clock, model::SourcePtr entry,
                         model::ActionPtr action, model::EventPtr event, AttemptReport& report) {
  const bool transforms = model::is_transform(*action);
  const model::ScriptPtr script = transforms ? entry->source.script : action->script;
  if (!script && transforms) {  // cleared: events pass as they are
    report.made = unchanged();
    co_return;
  }
  if (!script) {
    report.attempt.result = AttemptResult::failed;
    report.attempt.step = AttemptStep::prepare;
    report.attempt.error = "prepare: the action has no script";
    co_return;
  }
  auto answer = co_await sandbox.run(
      {.script = script, .event = script_event(*event, *entry), .body = event->body});
  const auto took =
      std::chrono::duration_cast<std::chrono::microseconds>(clock.now() - report.attempt.started);
  report.attempt.timings.total_us = static_cast<std::int32_t>(took.count());
  if (!answer) {
    note_failure(report, answer.error());
    co_return;
  }
  report.attempt.console = std::move(answer->console);
  if (transforms) {
    note_made(report, answer->result, *event, *entry);
  } else {
    const std::string result = answer->result.empty() ? "null" : std::move(answer->result);
    report.attempt.response_excerpt = cut_utf8(result, model::kResponseExcerptBytesMax);
  }
}

}  // namespace grapnel::pipeline
