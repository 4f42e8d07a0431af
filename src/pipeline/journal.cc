#include "pipeline/journal.h"

#include <fmt/format.h>

#include "model/texts.h"
#include "telemetry/trace.h"

namespace grapnel::pipeline {

void AttemptJournal::attempted(const model::Delivery& delivery, const model::Attempt& attempt,
                               std::string_view traceparent) {
  const bool ok = attempt.result == model::AttemptResult::succeeded;
  const auto level = ok ? telemetry::Level::info : telemetry::Level::warn;
  if (!log_lines_.enabled(level)) return;
  const std::string kind =
      fmt::format("{} {}", delivery.action.str(), model::to_text(attempt.result));
  const auto suppressed = sampler_.admit(kind);
  if (!suppressed) return;
  const auto context = telemetry::parse_traceparent(traceparent);
  const std::string trace = context ? context->trace_text() : "";
  log_lines_.write(level, ok ? "attempt succeeded" : "attempt failed",
                   {{"event", delivery.event},
                    {"delivery", delivery.id},
                    {"action", delivery.action},
                    {"attempt", attempt.number},
                    {"status", attempt.response_status},
                    {"duration_ms", attempt.timings.total_us / 1000.0},
                    {"error", attempt.error},
                    {"trace", trace},
                    {"suppressed", *suppressed}});
}

}  // namespace grapnel::pipeline
