#include "pipeline/audit.h"

#include <fmt/format.h>

#include "model/limits.h"
#include "model/texts.h"
#include "telemetry/trace.h"

namespace grapnel::pipeline {

void Audit::taken(const model::Source& source, const model::Event& event,
                  model::Admission admission, model::EventId first) {
  if (!log_lines_.enabled(telemetry::Level::info)) return;
  const auto suppressed =
      sampler_.admit(fmt::format("{} {}", source.slug, model::to_text(admission)));
  if (!suppressed) return;
  const auto context = telemetry::parse_traceparent(event.traceparent);
  const std::string trace = context ? context->trace_text() : "";
  log_lines_.write(telemetry::Level::info, "webhook taken",
                   {{"source", source.slug},
                    {"outcome", model::to_text(admission)},
                    {"event", first},
                    {"type", event.type},
                    {"verified_by", event.verification},
                    {"bytes", static_cast<std::int64_t>(event.body_size)},
                    {"remote", event.remote},
                    {"trace", trace},
                    {"suppressed", *suppressed}});
}

void Audit::handshake(const model::Source& source, std::string_view remote) {
  if (!log_lines_.enabled(telemetry::Level::info)) return;
  const auto suppressed = sampler_.admit(source.slug + " handshake");
  if (!suppressed) return;
  log_lines_.write(telemetry::Level::info, "webhook handshake",
                   {{"source", source.slug},
                    {"provider", source.inbound.provider},
                    {"outcome", "answered"},
                    {"remote", remote},
                    {"suppressed", *suppressed}});
}

void Audit::refused(std::string_view slug, const Refusal& refusal, std::string_view remote) {
  if (!log_lines_.enabled(telemetry::Level::warn)) return;
  const std::string_view reason = reason_of(refusal);
  const std::string_view named = slug.substr(0, model::kSlugBytesMax);
  // Unknown slugs are the sender's words: all of them are one kind.
  const auto suppressed = sampler_.admit(
      fmt::format("{} {}", refusal.kind == RefusalKind::unknown_source ? "" : named, reason));
  if (!suppressed) return;
  log_lines_.write(telemetry::Level::warn, "webhook refused",
                   {{"source", named},
                    {"outcome", "refused"},
                    {"reason", reason},
                    {"detail", refusal.for_owner.empty() ? refusal.detail : refusal.for_owner},
                    {"remote", remote},
                    {"suppressed", *suppressed}});
}

}  // namespace grapnel::pipeline
