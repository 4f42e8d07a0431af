#include "drivers/js/verdicts.h"

#include <utility>

namespace grapnel::js {

using model::ScriptFault;

namespace {

ScriptFault fault_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::ok: return ScriptFault::none;
    case Verdict::compile: return ScriptFault::compile;
    case Verdict::thrown: return ScriptFault::thrown;
    case Verdict::timeout:
    case Verdict::slow: return ScriptFault::timeout;
    case Verdict::memory: return ScriptFault::memory;
    case Verdict::result: return ScriptFault::result;
  }
  return ScriptFault::crashed;
}

/// Ends with where it happened.
std::string placed(std::string message, const AnswerFrame& answer) {
  if (answer.line == 0) return message;
  message += " (line " + std::to_string(answer.line);
  if (answer.column > 0) message += ", column " + std::to_string(answer.column);
  return message + ")";
}

}  // namespace

Outcome failed(ScriptFault fault, std::string_view message) {
  return std::unexpected(model::ScriptFailure{.fault = fault, .message = std::string(message)});
}

Outcome outcome_of(AnswerFrame answer) {
  if (answer.verdict == Verdict::ok) {
    return model::ScriptAnswer{.result = std::move(answer.result),
                               .console = std::move(answer.console)};
  }
  model::ScriptFailure failure{.fault = fault_of(answer.verdict),
                               .message = placed(std::move(answer.message), answer),
                               .line = static_cast<int>(answer.line),
                               .column = static_cast<int>(answer.column),
                               .console = std::move(answer.console)};
  return std::unexpected(std::move(failure));
}

Outcome outcome_of(WorkerEnd end) {
  switch (end) {
    case WorkerEnd::overdue:
      return failed(ScriptFault::timeout, "ran too long and did not stop when it was told to");
    case WorkerEnd::memory:
      return failed(ScriptFault::memory, "took so much memory that its process ended");
    case WorkerEnd::forbidden:
      return failed(ScriptFault::crashed, "made a system call that the sandbox forbids");
    case WorkerEnd::violation:
      return failed(ScriptFault::crashed, "its process did what no worker does and was ended");
    case WorkerEnd::killed:
      return failed(ScriptFault::crashed, "its process was killed each time it was tried");
    case WorkerEnd::crashed:
    case WorkerEnd::stopped: break;
  }
  return failed(ScriptFault::crashed, "its process crashed");
}

std::string_view name_of(model::SandboxPart part) {
  return part == model::SandboxPart::seccomp ? "seccomp" : "memory";
}

}  // namespace grapnel::js
