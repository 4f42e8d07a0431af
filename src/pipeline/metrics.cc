#include "pipeline/metrics.h"

#include "model/texts.h"
#include "pipeline/ingest.h"

namespace grapnel::pipeline {
namespace {

using Seconds = std::chrono::duration<double>;

std::string_view text_of(RefusalKind kind) {
  switch (kind) {
    case RefusalKind::unknown_source: return "unknown_source";
    case RefusalKind::unsupported_type: return "unsupported_type";
    case RefusalKind::invalid_json: return "invalid_json";
    case RefusalKind::body_too_large: return "body_too_large";
    case RefusalKind::rate_limited: return "rate_limited";
    case RefusalKind::backlog_full: return "backlog_full";
    case RefusalKind::held_full: return "held_full";
    case RefusalKind::store_down: return "store_down";
  }
  return "other";
}

std::string_view text_of(model::Admission admission) {
  switch (admission) {
    case model::Admission::accepted: return "accepted";
    case model::Admission::recorded: return "recorded";
    case model::Admission::held: return "held";
    case model::Admission::duplicate: return "duplicate";
    default: return "other";
  }
}

}  // namespace

Metrics::Metrics(telemetry::Metrics& metrics)
    : received_(metrics.counters("webhooks_received_total",
                                 "Webhooks answered 2xx, by source and status.",
                                 {"source", "status"})),
      refused_(
          metrics.counters("webhooks_refused_total", "Webhooks refused, by reason.", {"reason"})),
      other_bodies_(metrics.counter("webhooks_duplicate_other_body_total",
                                    "Duplicates whose body differs from the first one's.")),
      ingest_(metrics.histogram("webhook_ingest_duration_seconds",
                                "From the whole request read to durable or refused.",
                                telemetry::latency_buckets())),
      queue_age_(metrics.histogram("delivery_queue_age_seconds",
                                   "How long leased deliveries had been due.",
                                   {0.001, 0.01, 0.1, 1, 10, 60, 600, 3600, 86400})),
      attempted_(
          metrics.counters("deliveries_attempted_total", "Attempts made, by result.", {"result"})),
      duration_(metrics.histogram("delivery_duration_seconds", "Duration of attempts.",
                                  telemetry::latency_buckets())),
      errors_(metrics.counters("delivery_errors_total", "Failed attempts, by the step that failed.",
                               {"reason"})),
      ended_(metrics.counters("deliveries_ended_total",
                              "Deliveries that became terminal, by state.", {"state"})),
      open_(metrics.gauges("deliveries_open", "Open deliveries, by state.", {"state"})),
      retry_depth_(metrics.gauge("retry_queue_depth", "Deliveries that wait for their next try.")),
      dead_letters_(metrics.gauge("dead_letters", "Dead deliveries that were not replayed.")),
      wal_bytes_(metrics.gauge("grapnel_store_wal_bytes", "Size of the write-ahead log.")),
      writable_(metrics.gauge("grapnel_store_writable", "1 when the store can commit.")),
      wall_jumps_(metrics.counter("grapnel_wall_clock_jumps_total",
                                  "Jumps of the wall clock, which change nothing.")) {}

void Metrics::received(const model::Source& source, model::Admission admission) {
  received_.with({source.slug, text_of(admission)}).inc();
}

void Metrics::refused(RefusalKind kind) { refused_.with({text_of(kind)}).inc(); }

void Metrics::ingest_took(std::chrono::nanoseconds duration) {
  ingest_.observe(Seconds(duration).count());
}

void Metrics::queue_age(Millis age) { queue_age_.observe(Seconds(age).count()); }

void Metrics::attempted(const model::Delivery&, const model::Attempt& attempt) {
  attempted_.with({model::to_text(attempt.result)}).inc();
  duration_.observe(attempt.timings.total_us * 1e-6);
  if (attempt.result == model::AttemptResult::failed)
    errors_.with({model::to_text(attempt.step)}).inc();
}

void Metrics::settled(const model::Settlement&, const model::Settled& settled) {
  if (!settled.stale && model::is_terminal(settled.state))
    ended_.with({model::to_text(settled.state)}).inc();
}

void Metrics::open_work(std::int64_t pending, std::int64_t running, std::int64_t retrying) {
  open_.with({"pending"}).set(static_cast<double>(pending));
  open_.with({"running"}).set(static_cast<double>(running));
  open_.with({"retrying"}).set(static_cast<double>(retrying));
  retry_depth_.set(static_cast<double>(retrying));
}

void Metrics::store(std::uint64_t wal_bytes, bool writable) {
  wal_bytes_.set(static_cast<double>(wal_bytes));
  writable_.set(writable ? 1 : 0);
}

}  // namespace grapnel::pipeline
