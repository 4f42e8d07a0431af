#include "pipeline/metrics.h"

#include <algorithm>
#include <initializer_list>

#include "model/texts.h"

namespace grapnel::pipeline {
namespace {

using model::Admission;
using model::AttemptResult;
using model::AttemptStep;
using model::DeliveryState;
using model::EndReason;
using Seconds = std::chrono::duration<double>;

/// The handles of a family with one label, for those values of an enum that occur.
template <std::size_t kValues, class Enum>
std::array<telemetry::Counter, kValues> counters_of(telemetry::CounterFamily& family,
                                                    std::initializer_list<Enum> values) {
  std::array<telemetry::Counter, kValues> out;
  for (const Enum value : values) {
    out.at(static_cast<std::size_t>(value)) = family.with({to_text(value)});
  }
  return out;
}

template <std::size_t kValues, class Enum>
void count(const std::array<telemetry::Counter, kValues>& counters, Enum value) {
  counters.at(static_cast<std::size_t>(value)).inc();
}

std::array<telemetry::Counter, kRefusalKinds> refusals(telemetry::CounterFamily& family) {
  std::array<telemetry::Counter, kRefusalKinds> out;
  for (int i = 0; i < kRefusalKinds; ++i) {
    const auto kind = static_cast<RefusalKind>(i);
    if (kind == RefusalKind::unverified) continue;  // counted by their rejection
    out[static_cast<std::size_t>(i)] = family.with({to_text(kind)});
  }
  return out;
}

std::array<telemetry::Counter, signature::kRejections> rejections(
    telemetry::CounterFamily& family) {
  std::array<telemetry::Counter, signature::kRejections> out;
  for (int i = 0; i < signature::kRejections; ++i) {
    out[static_cast<std::size_t>(i)] =
        family.with({signature::to_text(static_cast<signature::Rejection>(i))});
  }
  return out;
}

}  // namespace

Metrics::Metrics(telemetry::Metrics& metrics)
    : metrics_(metrics),
      received_(metrics.counters("webhooks_received_total",
                                 "Webhooks answered 2xx, by source and status.",
                                 {"source", "status"})),
      refused_(refusals(
          metrics.counters("webhooks_refused_total", "Webhooks refused, by reason.", {"reason"}))),
      rejected_(rejections(
          metrics.counters("webhooks_refused_total", "Webhooks refused, by reason.", {"reason"}))),
      handshakes_(metrics.counter("webhook_handshakes_total",
                                  "Handshakes of providers that were answered.")),
      other_bodies_(metrics.counter("webhooks_duplicate_other_body_total",
                                    "Duplicates whose body differs from the first one's.")),
      ingest_(metrics.histogram("webhook_ingest_duration_seconds",
                                "From the whole request read to durable or refused.",
                                telemetry::latency_buckets())),
      born_dead_(counters_of<10>(
          metrics.counters("deliveries_born_dead_total",
                           "Deliveries of received and released events that were dead letters from "
                           "the start, by reason.",
                           {"reason"}),
          {EndReason::backlog_full, EndReason::endpoint_gone})),
      queue_age_(metrics.histogram("delivery_queue_age_seconds",
                                   "How long leased deliveries had been due.",
                                   {0.001, 0.01, 0.1, 1, 10, 60, 600, 3600, 86400})),
      attempted_(counters_of<4>(
          metrics.counters("deliveries_attempted_total", "Attempts made, by result.", {"result"}),
          {AttemptResult::succeeded, AttemptResult::failed, AttemptResult::unknown,
           AttemptResult::handed_back})),
      duration_(metrics.histogram("delivery_duration_seconds", "Duration of attempts.",
                                  telemetry::latency_buckets())),
      errors_(counters_of<11>(
          metrics.counters("delivery_errors_total", "Failed attempts, by the step that failed.",
                           {"reason"}),
          {AttemptStep::prepare, AttemptStep::egress, AttemptStep::dns, AttemptStep::connect,
           AttemptStep::tls, AttemptStep::send, AttemptStep::response, AttemptStep::timeout,
           AttemptStep::status, AttemptStep::script})),
      ended_(counters_of<6>(
          metrics.counters("deliveries_ended_total",
                           "Deliveries that ended with an attempt, by state; not those born dead, "
                           "nor those that ended while they waited (cancelled, endpoint gone).",
                           {"state"}),
          {DeliveryState::delivered, DeliveryState::dead, DeliveryState::cancelled})),
      retry_depth_(metrics.gauge("retry_queue_depth", "Deliveries that wait for their next try.")),
      dead_letters_(metrics.gauge("dead_letters", "Dead deliveries that were not replayed.")),
      wal_bytes_(metrics.gauge("grapnel_store_wal_bytes", "Size of the write-ahead log.")),
      writable_(metrics.gauge("grapnel_store_writable", "1 when the store can commit.")),
      wall_jumps_(metrics.counter("grapnel_wall_clock_jumps_total",
                                  "Jumps of the wall clock, which change nothing.")) {
  auto& open = metrics.gauges("deliveries_open", "Open deliveries, by state.", {"state"});
  pending_ = open.with({to_text(DeliveryState::pending)});
  running_ = open.with({to_text(DeliveryState::running)});
  retrying_ = open.with({to_text(DeliveryState::retrying)});
}

void Metrics::received(const model::Source& source, Admission admission) {
  OfSource& of = of_source_[source.id];
  if (of.slug != source.slug) {
    if (!of.slug.empty()) metrics_.remove("source", of.slug);
    of.slug = source.slug;
    for (std::size_t i = 0; i < of.received.size(); ++i) {
      of.received[i] = received_.with({of.slug, to_text(static_cast<Admission>(i))});
    }
  }
  count(of.received, admission);
}

void Metrics::on_definitions(const model::RegistrySnapshot& snapshot) {
  std::erase_if(of_source_, [&](const auto& entry) {
    const auto& [id, of] = entry;
    const auto named = snapshot.slugs.find(of.slug);
    if (named != snapshot.slugs.end() && named->second == id) return false;
    metrics_.remove("source", of.slug);
    return true;
  });
}

void Metrics::refused(const Refusal& refusal) {
  if (refusal.rejected) {
    count(rejected_, *refusal.rejected);
  } else {
    count(refused_, refusal.kind);
  }
}

void Metrics::ingest_took(std::chrono::nanoseconds duration) {
  ingest_.observe(Seconds(duration).count());
}

void Metrics::fanned_out(const model::FanoutPlan& plan) {
  for (const auto& delivery : plan.deliveries) {
    if (delivery.birth == model::Birth::dead) count(born_dead_, delivery.reason);
  }
}

void Metrics::queue_age(Millis age) { queue_age_.observe(Seconds(age).count()); }

void Metrics::attempted(const model::Attempt& attempt) {
  count(attempted_, attempt.result);
  duration_.observe(attempt.timings.total_us * 1e-6);
  if (attempt.result == AttemptResult::failed) count(errors_, attempt.step);
}

void Metrics::settled(const model::Settled& settled) {
  if (!settled.stale && !settled.stale_plan) count(ended_, settled.state);
}

void Metrics::open_work(const model::OpenWork& total) {
  pending_.set(static_cast<double>(total.pending));
  running_.set(static_cast<double>(total.running));
  retrying_.set(static_cast<double>(total.retrying));
  retry_depth_.set(static_cast<double>(total.retrying));
}

void Metrics::store(const model::StoreHealth& health) {
  wal_bytes_.set(static_cast<double>(health.wal_bytes));
  writable_.set(health.writable ? 1 : 0);
}

}  // namespace grapnel::pipeline
