// From what a worker says, or how it dies, to the outcome of a call.
#pragma once

#include <string_view>

#include "drivers/js/call_queue.h"
#include "drivers/js/frames.h"
#include "drivers/js/worker_process.h"
#include "model/sandbox.h"

namespace grapnel::js {

Outcome failed(model::ScriptFault fault, std::string_view message);
/// Not of a slow one, which is no outcome.
Outcome outcome_of(AnswerFrame answer);
/// Of a call that was alone when its worker ended so.
Outcome outcome_of(WorkerEnd end);
/// The word for settings and messages.
std::string_view name_of(model::SandboxPart part);

}  // namespace grapnel::js
