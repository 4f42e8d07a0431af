// The pipeline's log lines about attempts: one line an attempt, repeats of a failing action
// sampled.
#pragma once

#include "model/delivery.h"
#include "telemetry/log.h"
#include "telemetry/sampler.h"

namespace grapnel::pipeline {

class AttemptJournal {
 public:
  AttemptJournal(telemetry::Log& log, const Clock& clock) : log_(log), sampler_(clock) {}
  void attempted(const model::Delivery& delivery, const model::Attempt& attempt,
                 std::string_view traceparent);

 private:
  telemetry::Log& log_;
  telemetry::Sampler sampler_;
};

}  // namespace grapnel::pipeline
