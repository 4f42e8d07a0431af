// One log line for each event taken, handshake answered and request refused: what became of it, and
// why. Repeats are sampled.
#pragma once

#include <string_view>

#include "base/clock.h"
#include "model/event.h"
#include "model/event_log.h"
#include "model/source.h"
#include "pipeline/limits.h"
#include "pipeline/refusal.h"
#include "telemetry/log.h"
#include "telemetry/sampler.h"

namespace grapnel::pipeline {

/// Used on the loop's thread.
class Audit {
 public:
  /// Both outlive this object.
  Audit(telemetry::Log& log_lines, const Clock& clock)
      : log_lines_(log_lines), sampler_(clock, {.first = kAuditLinesFirst}) {}

  /// `event` as it was planned: of a duplicate, `first` is the event that is answered.
  void taken(const model::Source& source, const model::Event& event, model::Admission admission,
             model::EventId first);
  void handshake(const model::Source& source, std::string_view remote);
  /// `slug` is the sender's word where there is no such source.
  void refused(std::string_view slug, const Refusal& refusal, std::string_view remote);

 private:
  telemetry::Log& log_lines_;
  telemetry::Sampler sampler_;
};

}  // namespace grapnel::pipeline
