// One attempt of a delivery whose action is a script: a source's transform, or an action of type
// javascript.
#pragma once

#include "model/registry.h"
#include "model/sandbox.h"
#include "pipeline/verdict.h"

namespace grapnel::pipeline {

/// Runs the script and fills `report`, whose attempt has begun; a transform's report has `made`.
async::Task<> run_script(model::Sandbox& sandbox, const StoreClock& clock, model::SourcePtr entry,
                         model::ActionPtr action, model::EventPtr event, AttemptReport& report);

}  // namespace grapnel::pipeline
