// The relay, wired: the pipeline over the store and the sender. Everything lives on one loop.
#pragma once

#include "async/blocking_pool.h"
#include "async/deadline.h"
#include "async/timers.h"
#include "base/id.h"
#include "crypto/keyed_digest.h"
#include "crypto/secret_box.h"
#include "model/catalog.h"
#include "model/http.h"
#include "model/upkeep.h"
#include "pipeline/attempt.h"
#include "pipeline/caretaker.h"
#include "pipeline/dispatch.h"
#include "pipeline/ingest.h"
#include "pipeline/journal.h"
#include "pipeline/keyring.h"
#include "pipeline/metrics.h"
#include "pipeline/releaser.h"
#include "pipeline/replayer.h"

namespace grapnel::app {

class Relay {
 public:
  /// All outlive the relay.
  struct Parts {
    async::Executor executor;
    async::Timers& timers;
    const Clock& system_clock;
    const StoreClock& clock;
    Random& random;
    model::Registry& registry;
    model::EventLog& log;
    model::DeliveryBook& book;
    model::Catalog& catalog;
    model::Upkeep& upkeep;
    model::RetentionPolicy retention;
    model::HttpSender& sender;
    const crypto::SecretBox& box;
    const crypto::KeyedDigest& digest;
    async::BlockingPool& pool;
    telemetry::Metrics& metrics;
    telemetry::Log& log_lines;
  };
  explicit Relay(Parts parts);

  void start();
  /// No new attempts; what is leased and not begun goes back.
  void begin_drain() { dispatcher_.begin_drain(); }
  /// Ingest has ended; returns when attempts have, or were handed back at the deadline.
  async::Task<> stop(async::Deadline deadline);

  IdSource& ids() { return ids_; }
  pipeline::Ingest& ingest() { return ingest_; }
  pipeline::Replayer& replayer() { return replayer_; }

 private:
  void on_definitions(const model::SnapshotPtr& snapshot);

  Parts parts_;
  IdSource ids_;
  pipeline::Metrics metrics_;
  pipeline::AttemptJournal journal_;
  pipeline::Keyring keyring_;
  pipeline::Attempter attempter_;
  pipeline::Dispatcher dispatcher_;
  pipeline::Ingest ingest_;
  pipeline::Releaser releaser_;
  pipeline::Replayer replayer_;
  pipeline::Caretaker caretaker_;
};

}  // namespace grapnel::app
