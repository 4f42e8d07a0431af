// The pipeline's log lines about attempts: one line an attempt, repeats of a failing action
// sampled.
#pragma once

#include "model/delivery.h"
#include "telemetry/log.h"
#include "telemetry/sampler.h"

namespace grapnel::pipeline {

class AttemptJournal {
 public:
  AttemptJournal(telemetry::Log& log_lines, const Clock& clock)
      : log_lines_(log_lines), sampler_(clock) {}
  void attempted(const model::Delivery& delivery, const model::Attempt& attempt,
                 std::string_view traceparent);

 private:
  telemetry::Log& log_lines_;
  telemetry::Sampler sampler_;
};

}  // namespace grapnel::pipeline
