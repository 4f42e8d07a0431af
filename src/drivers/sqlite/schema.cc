#include "drivers/sqlite/schema.h"

#include <fmt/format.h>

#include <array>

#include "drivers/sqlite/errors.h"

namespace grapnel::sqlite {
namespace {

// "GRPN": tells our files from any other SQLite database.
constexpr std::int64_t kApplicationId = 0x4752504e;

// Rows are narrow and indexes few, because each costs 2 to 4 µs of an event's 60:
// - `source` and `action` in rows are the small integers (pk) of the definitions' tables, whose
//   rows stay as tombstones (definition NULL) after a removal, so that history keeps its ids;
// - an index on (x) is one on (x, seq): SQLite ends every entry with the row's key, which is seq.
constexpr std::string_view kVersion1 = R"sql(
CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;

CREATE TABLE sources(
  pk INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE,
  slug TEXT NOT NULL,
  deleting INTEGER NOT NULL DEFAULT 0,
  revision INTEGER NOT NULL,
  definition TEXT                     -- JSON; NULL: removed, the row stays for history
);
CREATE TABLE actions(
  pk INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE,
  source INTEGER NOT NULL,            -- sources.pk
  deleting INTEGER NOT NULL DEFAULT 0,
  revision INTEGER NOT NULL,
  definition TEXT
);
CREATE INDEX actions_source ON actions(source);
CREATE TABLE action_revisions(        -- what an attempt's request was made from
  action INTEGER NOT NULL,            -- actions.pk
  revision INTEGER NOT NULL,
  definition TEXT NOT NULL,
  PRIMARY KEY(action, revision)
) WITHOUT ROWID;
CREATE TABLE api_keys(
  id BLOB PRIMARY KEY,
  hash TEXT NOT NULL UNIQUE,
  definition TEXT NOT NULL,
  last_used_ms INTEGER
) WITHOUT ROWID;

CREATE TABLE events(
  seq INTEGER PRIMARY KEY,
  id BLOB NOT NULL,
  source INTEGER NOT NULL,
  type TEXT NOT NULL,
  received_ms INTEGER NOT NULL,
  fanout INTEGER NOT NULL,            -- model::FanoutState
  run INTEGER NOT NULL,
  fanout_ended_ms INTEGER,            -- NULL: in the transaction that stored the event
  body_size INTEGER NOT NULL,
  body_sha256 BLOB NOT NULL,
  method TEXT NOT NULL,
  target TEXT NOT NULL,
  remote TEXT NOT NULL,
  verification TEXT NOT NULL,
  traceparent TEXT NOT NULL,
  idem_place TEXT NOT NULL,
  idem_key TEXT NOT NULL,
  ordering_key TEXT,
  body_file TEXT,                     -- a name under bodies/; then body is NULL
  headers BLOB NOT NULL,              -- codec.h
  body BLOB                           -- last, so that lists never read its pages
);
CREATE UNIQUE INDEX events_id ON events(id);
CREATE INDEX events_source ON events(source);
CREATE INDEX events_held ON events(source) WHERE fanout = 0;
CREATE INDEX events_body_file ON events(body_file) WHERE body_file IS NOT NULL;

CREATE TABLE deliveries(
  seq INTEGER PRIMARY KEY,
  id BLOB NOT NULL,
  event_seq INTEGER NOT NULL,
  source INTEGER NOT NULL,
  action INTEGER NOT NULL,
  state INTEGER NOT NULL,             -- model::DeliveryState
  attempts INTEGER NOT NULL DEFAULT 0,
  tries_used INTEGER NOT NULL DEFAULT 0,
  unknown_streak INTEGER NOT NULL DEFAULT 0,
  created_ms INTEGER NOT NULL,
  due_ms INTEGER NOT NULL,            -- the largest number while it waits for its ordering key
  ended_ms INTEGER,
  ended_seq INTEGER NOT NULL DEFAULT 0,
  reason INTEGER NOT NULL DEFAULT 0,  -- model::EndReason
  last_status INTEGER NOT NULL DEFAULT 0,
  last_error TEXT NOT NULL DEFAULT '',
  run INTEGER NOT NULL,
  fence INTEGER NOT NULL DEFAULT 0,
  cancel_wish INTEGER NOT NULL DEFAULT 0,  -- the EndReason it shall be cancelled for; 0: no wish
  waits INTEGER NOT NULL DEFAULT 0,        -- pending behind its ordering key
  skipped INTEGER NOT NULL DEFAULT 0,
  stand_seq INTEGER NOT NULL,         -- its place in its key: its seq, a replay its original's
  body_size INTEGER NOT NULL,
  order_key INTEGER,                  -- while open, or dead and not passed over (order.h)
  replay_of BLOB,
  replayed_by BLOB
);
CREATE UNIQUE INDEX deliveries_id ON deliveries(id);
CREATE INDEX deliveries_event ON deliveries(event_seq);
CREATE INDEX deliveries_action ON deliveries(action);
CREATE INDEX deliveries_open ON deliveries(action, state, due_ms, body_size)
  WHERE state = 0 OR state = 1 OR state = 2;
-- The last columns answer the condition itself and the reason, so that counting never reads rows.
CREATE INDEX deliveries_dead ON deliveries(ended_seq, state, replayed_by, reason)
  WHERE state = 4 AND replayed_by IS NULL;
CREATE INDEX deliveries_dead_action ON deliveries(action, ended_seq, state, replayed_by, reason)
  WHERE state = 4 AND replayed_by IS NULL;
CREATE INDEX deliveries_failed ON deliveries(state) WHERE state = 4 OR state = 5;
CREATE INDEX deliveries_order ON deliveries(order_key, state, stand_seq)
  WHERE order_key IS NOT NULL;

CREATE TABLE attempts(
  key INTEGER PRIMARY KEY,            -- (delivery seq << 16) | number: one b-tree, appended to
  id BLOB NOT NULL,
  started_ms INTEGER NOT NULL,
  result INTEGER NOT NULL,            -- model::AttemptResult
  step INTEGER NOT NULL,              -- model::AttemptStep
  action_revision INTEGER NOT NULL,
  status INTEGER NOT NULL,
  dns_us INTEGER NOT NULL,
  connect_us INTEGER NOT NULL,
  tls_us INTEGER NOT NULL,
  first_byte_us INTEGER NOT NULL,
  total_us INTEGER NOT NULL,
  error TEXT NOT NULL,
  request_headers BLOB NOT NULL,
  response_headers BLOB NOT NULL,
  excerpt BLOB NOT NULL
);

CREATE TABLE idempotency(
  slice INTEGER NOT NULL,             -- received time / 2 h: old keys are dropped by slice
  hash BLOB NOT NULL,                 -- first 16 bytes of SHA-256 over source, place and key
  event_seq INTEGER NOT NULL,
  event_id BLOB NOT NULL,             -- outlives the event, which retention may remove earlier
  received_ms INTEGER NOT NULL,
  body INTEGER NOT NULL,              -- first 8 bytes of the body's SHA-256
  PRIMARY KEY(slice, hash)
) WITHOUT ROWID;

CREATE TABLE jobs(
  id BLOB PRIMARY KEY,
  state INTEGER NOT NULL,             -- model::JobState
  filter_source BLOB,
  filter_action BLOB,
  filter_reason INTEGER,
  filter_from_ms INTEGER,
  filter_to_ms INTEGER,
  per_second REAL NOT NULL,
  ceiling INTEGER NOT NULL,
  cursor INTEGER NOT NULL,
  matched INTEGER NOT NULL,
  replayed INTEGER NOT NULL,
  skipped INTEGER NOT NULL,
  created_ms INTEGER NOT NULL,
  ended_ms INTEGER
) WITHOUT ROWID;
)sql";

// Keys were in slices of two hours, so that each new one was looked for in thirteen of them:
// thirteen cold pages an event, in a store with a day of keys. One index by hash answers with one
// page, and the rows, in the order of events, are dropped from their end.
constexpr std::string_view kVersion2 = R"sql(
CREATE TABLE keys(
  event_seq INTEGER PRIMARY KEY,
  hash BLOB NOT NULL,                 -- first 16 bytes of SHA-256 over source, place and key
  event_id BLOB NOT NULL,             -- outlives the event, which retention may remove earlier
  received_ms INTEGER NOT NULL,
  body INTEGER NOT NULL               -- first 8 bytes of the body's SHA-256
);
CREATE UNIQUE INDEX keys_hash ON keys(hash);
INSERT OR REPLACE INTO keys(event_seq, hash, event_id, received_ms, body)
  SELECT event_seq, hash, event_id, received_ms, body FROM idempotency ORDER BY event_seq;
DROP TABLE idempotency;
ALTER TABLE keys RENAME TO idempotency;
-- Nobody knows how long the events that are there took: a minute was the bound.
INSERT INTO meta(key, value) SELECT 'commit_lag_ms', 60000 WHERE EXISTS (SELECT 1 FROM events);
)sql";

/// Stores that had version 2 before it knew the lag of commits.
constexpr std::string_view kVersion3 = R"sql(
INSERT OR IGNORE INTO meta(key, value)
  SELECT 'commit_lag_ms', 60000 WHERE EXISTS (SELECT 1 FROM events);
)sql";

/// Transforms: what they made of events, the versions of scripts, what scripts wrote.
constexpr std::string_view kVersion4 = R"sql(
CREATE TABLE results(                 -- what a run of an event sends instead of it; NULL: the same
  key INTEGER PRIMARY KEY,            -- (event seq << 16) | run
  type TEXT,
  set_headers BLOB NOT NULL,          -- codec.h
  removed_headers BLOB NOT NULL,
  body_size INTEGER,                  -- NULL: the body is the event's
  body_sha256 BLOB,
  body_file TEXT,
  body BLOB
);
CREATE INDEX results_body_file ON results(body_file) WHERE body_file IS NOT NULL;
CREATE TABLE splits(                  -- events that a transform made of another
  event_seq INTEGER PRIMARY KEY,
  parent BLOB NOT NULL                -- its id: retention may remove it earlier
);
CREATE INDEX splits_parent ON splits(parent);
CREATE TABLE scripts(
  owner BLOB NOT NULL,                -- id of a source or an action
  version INTEGER NOT NULL,
  created_ms INTEGER NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY(owner, version)
);
ALTER TABLE attempts ADD COLUMN console TEXT;
)sql";

constexpr std::array kMigrations{Migration{1, kVersion1}, Migration{2, kVersion2},
                                 Migration{3, kVersion3}, Migration{4, kVersion4}};

Result<> run_step(Connection& db, const Migration& step) {
  if (auto done = db.begin(); !done) return done;
  auto done = db.execute(std::string(step.sql));
  if (done) {
    done = db.execute(fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}",
                                  kApplicationId, step.version));
  }
  if (done) done = db.commit();
  if (!done) db.rollback();
  return done;
}

}  // namespace

std::span<const Migration> migrations() { return kMigrations; }
int newest_schema() { return kMigrations.back().version; }

Result<> migrate(Connection& db, std::span<const Migration> steps) {
  const auto version = db.scalar("PRAGMA user_version");
  if (!version) return fail(version.error());
  const auto application = db.scalar("PRAGMA application_id");
  if (!application) return fail(application.error());
  const auto tables = db.scalar("SELECT count(*) FROM sqlite_schema");
  if (!tables) return fail(tables.error());
  if (*application != kApplicationId && *tables > 0) {
    return fail(errc::not_a_store, "the file is a database of another program");
  }
  if (*version > steps.back().version) {
    return fail(
        errc::newer_schema,
        fmt::format("the store has schema {}, this program knows up to {}: run the newer version "
                    "that wrote it, or restore a backup",
                    *version, steps.back().version));
  }
  for (const auto& step : steps) {
    if (step.version <= *version) continue;
    if (auto done = run_step(db, step); !done) {
      return fail(Error{done.error().code, fmt::format("migration {} of the store failed: {}",
                                                       step.version, done.error().message())});
    }
  }
  return {};
}

Result<std::int64_t> read_meta(Connection& db, std::string_view key) {
  auto query = db.query("SELECT value FROM meta WHERE key = ?1");
  const auto row = query.bind(key).next();
  if (!row) return fail(row.error());
  return *row ? query.integer(0) : 0;
}

Result<> write_meta(Connection& db, std::string_view key, std::int64_t value) {
  auto query = db.query("INSERT OR REPLACE INTO meta(key, value) VALUES(?1, ?2)");
  return query.bind(key, value).run();
}

}  // namespace grapnel::sqlite
