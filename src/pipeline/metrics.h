// What the pipeline counts. Labels are bounded by the metrics themselves (telemetry/limits.h).
#pragma once

#include <chrono>

#include "model/delivery_book.h"
#include "model/event_log.h"
#include "model/source.h"
#include "telemetry/metrics.h"

namespace grapnel::pipeline {

enum class RefusalKind : std::uint8_t;

class Metrics {
 public:
  explicit Metrics(telemetry::Metrics& metrics);

  void received(const model::Source& source, model::Admission admission);
  void refused(RefusalKind kind);
  void duplicate_with_other_body() { other_bodies_.inc(); }
  void ingest_took(std::chrono::nanoseconds duration);
  void queue_age(Millis age);
  void attempted(const model::Delivery& delivery, const model::Attempt& attempt);
  void settled(const model::Settlement& settlement, const model::Settled& settled);
  /// Read every few seconds from the store's counts.
  void open_work(std::int64_t pending, std::int64_t running, std::int64_t retrying);
  void dead_letters(std::int64_t count) { dead_letters_.set(static_cast<double>(count)); }
  void store(std::uint64_t wal_bytes, bool writable);
  void wall_jump() { wall_jumps_.inc(); }

 private:
  telemetry::CounterFamily& received_;
  telemetry::CounterFamily& refused_;
  telemetry::Counter other_bodies_;
  telemetry::Histogram ingest_;
  telemetry::Histogram queue_age_;
  telemetry::CounterFamily& attempted_;
  telemetry::Histogram duration_;
  telemetry::CounterFamily& errors_;
  telemetry::CounterFamily& ended_;
  telemetry::GaugeFamily& open_;
  telemetry::Gauge retry_depth_;
  telemetry::Gauge dead_letters_;
  telemetry::Gauge wal_bytes_;
  telemetry::Gauge writable_;
  telemetry::Counter wall_jumps_;
};

}  // namespace grapnel::pipeline
