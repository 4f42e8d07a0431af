// What the pipeline counts. Labels are bounded by the metrics themselves (telemetry/limits.h).
//
// Nothing is looked up by its labels while events flow: series of fixed labels are taken once,
// those of a source when its first event comes, and they go when the source does.
#pragma once

#include <array>
#include <chrono>
#include <string>
#include <unordered_map>

#include "model/delivery_book.h"
#include "model/event_log.h"
#include "model/registry.h"
#include "model/upkeep.h"
#include "pipeline/refusal.h"
#include "telemetry/metrics.h"

namespace grapnel::pipeline {

/// Used on the loop's thread.
class Metrics {
 public:
  /// `metrics` outlives this object.
  explicit Metrics(telemetry::Metrics& metrics);

  /// `source` as the newest definitions have it, or its series would come back under an old name.
  void received(const model::Source& source, model::Admission admission);
  void refused(const Refusal& refusal);
  void handshake() { handshakes_.inc(); }
  void duplicate_with_other_body() { other_bodies_.inc(); }
  void ingest_took(std::chrono::nanoseconds duration);
  /// An event was fanned out by this plan.
  void fanned_out(const model::FanoutPlan& plan);
  void queue_age(Millis age);
  void attempted(const model::Attempt& attempt);
  void settled(const model::Settled& settled);
  /// Definitions changed: the series of sources that left, or have another name now, go.
  void on_definitions(const model::RegistrySnapshot& snapshot);
  /// Read every few seconds from the store's counts.
  void open_work(const model::OpenWork& total);
  void dead_letters(std::int64_t count) { dead_letters_.set(static_cast<double>(count)); }
  void store(const model::StoreHealth& health);
  void wall_jump() { wall_jumps_.inc(); }

 private:
  /// One handle a value of an enum; those that never occur count nowhere.
  template <std::size_t kValues>
  using Counters = std::array<telemetry::Counter, kValues>;
  struct OfSource {
    std::string slug;
    Counters<4> received;  ///< accepted, recorded, held, duplicate
  };

  telemetry::Metrics& metrics_;
  telemetry::CounterFamily& received_;
  std::unordered_map<model::SourceId, OfSource> of_source_;
  Counters<kRefusalKinds> refused_;
  Counters<signature::kRejections> rejected_;
  telemetry::Counter handshakes_;
  telemetry::Counter other_bodies_;
  telemetry::Histogram ingest_;
  Counters<10> born_dead_;
  telemetry::Histogram queue_age_;
  Counters<4> attempted_;
  telemetry::Histogram duration_;
  Counters<11> errors_;
  Counters<6> ended_;
  telemetry::Gauge pending_;
  telemetry::Gauge running_;
  telemetry::Gauge retrying_;
  telemetry::Gauge retry_depth_;
  telemetry::Gauge dead_letters_;
  telemetry::Gauge wal_bytes_;
  telemetry::Gauge writable_;
  telemetry::Counter wall_jumps_;
};

}  // namespace grapnel::pipeline
