#include "drivers/sqlite/recovery.h"

#include <algorithm>

#include "drivers/sqlite/limits.h"
#include "drivers/sqlite/registry.h"
#include "drivers/sqlite/schema.h"
#include "drivers/sqlite/settle.h"
#include "drivers/sqlite/transitions.h"

namespace grapnel::sqlite {
namespace {

using model::DeliveryState;

Result<> count_open(Connection& db, WriterState& state) {
  auto query = db.query(
      "SELECT action, state, count(*), sum(body_size) FROM deliveries INDEXED BY deliveries_open"
      " WHERE state = 0 OR state = 1 OR state = 2 GROUP BY action, state");
  for (;;) {
    const auto row = query.next();
    if (!row) return fail(row.error());
    if (!*row) return {};
    model::OpenWork& work = state.open[query.integer(0)];
    const auto kind = static_cast<DeliveryState>(query.integer(1));
    if (kind == DeliveryState::pending) work.pending = query.integer(2);
    if (kind == DeliveryState::running) work.running = query.integer(2);
    if (kind == DeliveryState::retrying) work.retrying = query.integer(2);
    work.bytes += query.integer(3);
  }
}

Result<> count_held(Connection& db, WriterState& state) {
  auto query = db.query(
      "SELECT source, count(*), sum(body_size) FROM events INDEXED BY events_held WHERE fanout = 0 "
      "GROUP BY source");
  for (;;) {
    const auto row = query.next();
    if (!row) return fail(row.error());
    if (!*row) return {};
    state.held[query.integer(0)] = {.count = query.integer(1), .bytes = query.integer(2)};
  }
}

/// True: there may be more.
Result<bool> recover_some(Transaction& tx, IdSource& ids) {
  std::vector<DeliveryRow> rows;
  auto query =
      tx.db().query(GRAPNEL_SQLITE_ROW_SELECT
                    "INDEXED BY deliveries_open WHERE d.action = ?1 AND d.state = 1 LIMIT ?2");
  for (const auto& [key, id] : tx.keys().action_ids) {
    query.reset();
    query.bind(key, kStepRows - static_cast<int>(rows.size()));
    for (;;) {
      const auto row = query.next();
      if (!row) return fail(row.error());
      if (!*row) break;
      rows.push_back(read_row(query));
    }
    if (std::ssize(rows) == kStepRows) break;
  }
  for (auto& row : rows) {
    const auto action = tx.action(row.action);
    const model::Attempt attempt{.id = ids.make<model::AttemptId>(),
                                 .started = tx.now(),
                                 .result = model::AttemptResult::unknown,
                                 .action_revision = action ? action->revision : 0,
                                 .error = "the process ended before the outcome was known"};
    row.last_error = attempt.error;
    row.last_status = 0;
    auto done = record_attempt(tx, row, attempt);
    if (done) done = give_back_unknown(tx, row);
    if (!done) return fail(std::move(done.error()));
  }
  return std::ssize(rows) == kStepRows;
}

}  // namespace

Result<WriterState> load_state(Connection& db) {
  WriterState state;
  const auto epoch = read_meta(db, "epoch");
  if (!epoch) return fail(epoch.error());
  state.epoch = *epoch + 1;
  if (auto done = write_meta(db, "epoch", state.epoch); !done) return fail(std::move(done.error()));
  state.fence = state.epoch << kFenceCounterBits;
  const auto seq = read_meta(db, "seq");
  if (!seq) return fail(seq.error());
  state.seq = *seq;
  const auto lag = read_meta(db, kCommitLag);
  if (!lag) return fail(lag.error());
  state.commit_lag = Millis(*lag);
  auto keys = load_row_keys(db);
  if (!keys) return fail(std::move(keys.error()));
  state.keys = std::move(*keys);
  auto registry = load_registry(db);
  if (!registry) return fail(std::move(registry.error()));
  state.registry = std::move(*registry);
  auto done = count_open(db, state);
  if (done) done = count_held(db, state);
  if (!done) return fail(std::move(done.error()));
  return state;
}

Result<> recover_running(Writer& writer, const StoreClock& clock, Random& random) {
  IdSource ids(clock, random);
  for (bool more = true; more;) {
    auto done = writer.run_alone([&ids, &more](Transaction& tx) -> Result<> {
      const auto rest = recover_some(tx, ids);
      if (!rest) return fail(rest.error());
      more = *rest;
      return {};
    });
    if (!done) return done;
  }
  return {};
}

Result<> sweep_bodies(Connection& db, Bodies& bodies) {
  auto former = bodies.former();
  if (!former) return fail(std::move(former.error()));
  if (former->empty()) return {};
  std::ranges::sort(*former);
  std::vector<std::string> named;
  auto query = db.query(
      "SELECT body_file FROM events WHERE body_file IS NOT NULL"
      " UNION ALL SELECT body_file FROM results WHERE body_file IS NOT NULL");
  for (;;) {
    const auto row = query.next();
    if (!row) return fail(row.error());
    if (!*row) break;
    named.push_back(query.string(0));
  }
  std::ranges::sort(named);
  std::vector<std::string> orphans;
  std::ranges::set_difference(*former, named, std::back_inserter(orphans));
  for (const auto& name : orphans) bodies.remove(name);
  return {};
}

Result<std::vector<model::WorkHint>> all_waiting(Connection& db, const WriterState& state) {
  std::vector<model::WorkHint> hints;
  auto query = db.query(
      "SELECT min(coalesce((SELECT min(due_ms) FROM deliveries INDEXED BY deliveries_open WHERE "
      "action = ?1 AND state = 0), ?2),"
      " coalesce((SELECT min(due_ms) FROM deliveries INDEXED BY deliveries_open WHERE action = ?1 "
      "AND state = 2), ?2))");
  for (const auto& [key, work] : state.open) {
    if (work.pending + work.retrying == 0) continue;
    query.reset();
    const auto row = query.bind(key, kNever).next();
    if (!row) return fail(row.error());
    if (query.time(0) == kNever) continue;
    const auto action = state.keys->action_ids.find(key);
    if (action == state.keys->action_ids.end()) continue;
    hints.push_back({.action = action->second, .due = query.time(0)});
  }
  return hints;
}

}  // namespace grapnel::sqlite
