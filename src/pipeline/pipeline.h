// The pipeline, wired: from a request that was read to an outcome that is durable, over the ports
// of one store and one sender. Everything runs on one loop.
//
//   made --start()--> running --begin_drain()--> draining --stop(deadline)--> stopped
//
// The daemon and the tests drive this same class; only the parts differ.
#pragma once

#include "async/blocking_pool.h"
#include "async/deadline.h"
#include "async/timers.h"
#include "base/id.h"
#include "crypto/keyed_digest.h"
#include "crypto/secret_box.h"
#include "model/http.h"
#include "model/store_ports.h"
#include "pipeline/attempt.h"
#include "pipeline/caretaker.h"
#include "pipeline/dispatch.h"
#include "pipeline/ingest.h"
#include "pipeline/journal.h"
#include "pipeline/keyring.h"
#include "pipeline/metrics.h"
#include "pipeline/releaser.h"
#include "pipeline/replayer.h"

namespace grapnel::pipeline {

class Pipeline {
 public:
  /// All outlive the pipeline.
  struct Parts {
    async::Executor executor;
    async::Timers& timers;
    const Clock& system_clock;
    model::StorePorts store;
    Random& random;
    IdSource& ids;
    model::HttpSender& sender;
    model::Sandbox& sandbox;
    const crypto::SecretBox& box;
    const crypto::KeyedDigest& digest;
    async::BlockingPool* pool;  ///< for large bodies; null: on the loop
    telemetry::Metrics& metrics;
    telemetry::Log& log_lines;
    model::RetentionPolicy retention{};
    AttemptBounds bounds{};
  };
  explicit Pipeline(Parts parts);

  /// Takes over the watchers of the registry and of the book. Call once.
  void start();
  /// No new attempts; what is leased and not begun goes back. Requests are still taken.
  void begin_drain() { dispatcher_.begin_drain(); }
  /// Nobody calls ingest any more. Returns when attempts have ended or were handed back at the
  /// deadline, and every store call is answered: at the latest kStopExtra after it, also when the
  /// store never answers. Then tasks are left that wait for it, and the pipeline may only be
  /// destroyed after its loop has stopped.
  async::Task<> stop(async::Deadline deadline);

  Ingest& ingest() { return ingest_; }
  Quarantine& quarantine() { return quarantine_; }
  Replayer& replayer() { return replayer_; }
  const Dispatcher& dispatcher() const { return dispatcher_; }

 private:
  void on_definitions(const model::SnapshotPtr& snapshot);

  Parts parts_;
  Metrics metrics_;
  AttemptJournal journal_;
  Keyring keyring_;
  Attempter attempter_;
  Dispatcher dispatcher_;
  Quarantine quarantine_;
  Ingest ingest_;
  Releaser releaser_;
  Replayer replayer_;
  Caretaker caretaker_;
};

}  // namespace grapnel::pipeline
