#include "drivers/sqlite/replay.h"

#include <fmt/format.h>

#include "drivers/sqlite/births.h"
#include "drivers/sqlite/errors.h"
#include "drivers/sqlite/fanout.h"
#include "drivers/sqlite/limits.h"
#include "drivers/sqlite/rows.h"
#include "drivers/sqlite/transitions.h"
#include "model/errors.h"

namespace grapnel::sqlite {
namespace {

using model::DeliveryState;
using model::JobState;
using model::ReplayJob;

/// A dead letter as the index of dead letters shows it.
struct DeadLetter {
  model::DeliveryId id;
  model::Seq ended_seq = 0;
  std::int64_t source = 0;
  std::int64_t action = 0;
  model::EndReason reason = model::EndReason::none;
  Time ended;
};

#define GRAPNEL_SQLITE_DEAD_SELECT                                         \
  "SELECT id, ended_seq, source, action, reason, ended_ms FROM deliveries" \
  " INDEXED BY deliveries_dead WHERE state = 4"                            \
  " AND replayed_by IS NULL AND ended_seq > ?1 AND ended_seq <= ?2"

DeadLetter read_dead(Query& row) {
  return {.id = row.id<model::DeliveryId>(0),
          .ended_seq = row.integer(1),
          .source = row.integer(2),
          .action = row.integer(3),
          .reason = static_cast<model::EndReason>(row.integer(4)),
          .ended = row.time(5)};
}

/// A filter whose ids are row keys: 0 matches all, -1 nothing.
struct KeyFilter {
  std::int64_t source = 0;
  std::int64_t action = 0;
  const model::DeadFilter& rest;

  bool matches(const DeadLetter& dead) const {
    return (source == 0 || source == dead.source) && (action == 0 || action == dead.action) &&
           (!rest.reason || *rest.reason == dead.reason) &&
           (!rest.ended_from || dead.ended >= *rest.ended_from) &&
           (!rest.ended_to || dead.ended < *rest.ended_to);
  }
};

template <class IdType>
Result<std::int64_t> key_of(Connection& db, std::string_view sql, const std::optional<IdType>& id) {
  if (!id) return 0;
  auto query = db.query(sql);
  const auto row = query.bind(*id).next();
  if (!row) return fail(row.error());
  return *row ? query.integer(0) : -1;
}

Result<KeyFilter> to_keys(Connection& db, const model::DeadFilter& filter) {
  const auto source = key_of(db, "SELECT pk FROM sources WHERE id = ?1", filter.source);
  if (!source) return fail(source.error());
  const auto action = key_of(db, "SELECT pk FROM actions WHERE id = ?1", filter.action);
  if (!action) return fail(action.error());
  return KeyFilter{.source = *source, .action = *action, .rest = filter};
}

Result<> store_progress(Transaction& tx, const ReplayJob& job) {
  auto query = tx.db().query(
      "UPDATE jobs SET state = ?2, cursor = ?3, replayed = ?4, skipped = ?5, ended_ms = ?6 WHERE "
      "id = ?1");
  return query
      .bind(job.id, static_cast<int>(job.state), job.cursor, job.replayed, job.skipped, job.ended)
      .run();
}

/// The event's part that a replay needs. Error: body_gone.
struct ReplayEvent {
  EventPart part;
  std::optional<std::string> ordering_key;
};
Result<ReplayEvent> find_event(Transaction& tx, const DeliveryRow& original) {
  auto query = tx.db().query(
      "SELECT ordering_key, body_size > 0 AND body IS NULL AND body_file IS NULL FROM events WHERE "
      "seq = ?1");
  const auto row = query.bind(original.event_seq).next();
  if (!row) return fail(row.error());
  if (!*row || query.flag(1)) return fail(model::errc::body_gone);
  ReplayEvent event{.part = {.seq = original.event_seq,
                             .source = original.source,
                             .run = original.run,
                             .body_size = original.body_size,
                             .ordering_key = std::nullopt},
                    .ordering_key = std::nullopt};
  if (!query.null(0)) event.ordering_key = query.string(0);
  return event;
}

}  // namespace

Result<model::Seq> replay_one(Transaction& tx, const model::ReplayWish& wish) {
  auto found = find_row(tx.db(), wish.original);
  if (!found) return fail(std::move(found.error()));
  if (!*found)
    return fail(model::errc::not_found,
                fmt::format("there is no delivery {}", wish.original.str()));
  const DeliveryRow& original = **found;
  if (!is_terminal(original.state)) return fail(model::errc::not_terminal);
  const bool dead = original.state == DeliveryState::dead;
  if (dead && original.replayed) return fail(model::errc::already_replayed);
  auto event = find_event(tx, original);
  if (!event) return fail(std::move(event.error()));
  if (event->ordering_key) event->part.ordering_key = event->ordering_key;
  const auto action = tx.action(original.action);
  const auto source = action ? tx.registry().find_source(action->source) : nullptr;
  if (!action || action->deleting || !source || source->source.deleting) {
    return fail(model::errc::action_deleted);
  }
  if (action->health == model::Health::gone) return fail(model::errc::endpoint_gone);
  const model::DeliveryPlan plan{
      .id = wish.replay, .action = action->id, .birth = model::Birth::pending};
  if (is_transform(tx, original)) {  // the event's next run, with today's script and actions
    const auto run = begin_run(tx, original.event_seq);
    if (!run) return fail(run.error());
    event->part.run = *run;
  }
  const auto born = bear(tx, event->part, plan, *action,
                         Original{.id = wish.original, .stand_seq = original.stand_seq});
  if (!born) return fail(born.error());
  if (dead) {
    auto update = tx.db().query("UPDATE deliveries SET replayed_by = ?2 WHERE seq = ?1");
    if (auto done = update.bind(original.seq, wish.replay).run(); !done)
      return fail(std::move(done.error()));
  }
  return born->seq;
}

Result<std::int64_t> count_dead(Connection& db, const model::DeadFilter& filter,
                                model::Seq ceiling) {
  const auto keys = to_keys(db, filter);
  if (!keys) return fail(keys.error());
  auto query = db.query(GRAPNEL_SQLITE_DEAD_SELECT);
  query.bind(0, ceiling);
  for (std::int64_t count = 0;;) {
    const auto row = query.next();
    if (!row) return fail(row.error());
    if (!*row) return count;
    if (keys->matches(read_dead(query))) ++count;
  }
}

Result<> insert_job(Transaction& tx, const ReplayJob& job) {
  const auto running = tx.db().scalar("SELECT count(*) FROM jobs WHERE state = 0");
  if (!running) return fail(running.error());
  if (*running >= kRunningJobsMax) {
    return fail(model::errc::too_many, fmt::format("{} replay jobs run already", kRunningJobsMax));
  }
  std::optional<int> reason;
  if (job.filter.reason) reason = static_cast<int>(*job.filter.reason);
  auto query = tx.db().query(
      "INSERT INTO jobs(id, state, filter_source, filter_action, filter_reason, filter_from_ms,"
      " filter_to_ms, per_second, ceiling, cursor, matched, replayed, skipped, created_ms)"
      " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)");
  return query
      .bind(job.id, static_cast<int>(job.state), job.filter.source, job.filter.action, reason,
            job.filter.ended_from, job.filter.ended_to, job.per_second, job.ceiling, job.cursor,
            job.matched, job.replayed, job.skipped, job.created)
      .run();
}

Result<ReplayJob> find_job(Connection& db, model::JobId id) {
  auto query = db.query(GRAPNEL_SQLITE_JOB_SELECT "WHERE j.id = ?1");
  const auto row = query.bind(id).next();
  if (!row) return fail(row.error());
  if (!*row)
    return fail(model::errc::not_found, fmt::format("there is no replay job {}", id.str()));
  return read_job(query);
}

Result<ReplayJob> step_job(Transaction& tx, model::JobId id,
                           const std::vector<model::DeliveryId>& ids) {
  auto job = find_job(tx.db(), id);
  if (!job || job->state != JobState::running) return job;
  const auto keys = to_keys(tx.db(), job->filter);
  if (!keys) return fail(keys.error());
  // Collected first: replaying takes rows out of the index that is read.
  std::vector<DeadLetter> dead;
  auto query = tx.db().query(GRAPNEL_SQLITE_DEAD_SELECT " ORDER BY ended_seq LIMIT ?3");
  query.bind(job->cursor, job->ceiling, kStepRows);
  for (;;) {
    const auto row = query.next();
    if (!row) return fail(row.error());
    if (!*row) break;
    dead.push_back(read_dead(query));
  }
  bool exhausted = std::ssize(dead) < kStepRows;
  std::size_t used = 0;
  for (const auto& letter : dead) {
    if (keys->matches(letter)) {
      if (used == ids.size()) {
        exhausted = false;
        break;
      }
      const auto replayed = replay_one(tx, {.original = letter.id, .replay = ids[used]});
      if (replayed) {
        ++used;
        ++job->replayed;
      } else if (is_store_failure(replayed.error()) ||
                 replayed.error().code == errc::bad_statement) {
        return fail(replayed.error());
      } else {
        ++job->skipped;
      }
    }
    job->cursor = letter.ended_seq;
  }
  if (exhausted) {
    job->state = JobState::done;
    job->cursor = job->ceiling;
    job->ended = tx.now();
  }
  if (auto done = store_progress(tx, *job); !done) return fail(std::move(done.error()));
  return job;
}

Result<ReplayJob> cancel_job(Transaction& tx, model::JobId id) {
  auto job = find_job(tx.db(), id);
  if (!job || job->state != JobState::running) return job;
  job->state = JobState::cancelled;
  job->ended = tx.now();
  if (auto done = store_progress(tx, *job); !done) return fail(std::move(done.error()));
  return job;
}

Result<std::vector<ReplayJob>> list_jobs(Connection& db) {
  auto query = db.query(GRAPNEL_SQLITE_JOB_SELECT "ORDER BY j.created_ms DESC LIMIT ?1");
  query.bind(kJobsListedMax);
  std::vector<ReplayJob> jobs;
  for (;;) {
    const auto row = query.next();
    if (!row) return fail(row.error());
    if (!*row) return jobs;
    jobs.push_back(read_job(query));
  }
}

}  // namespace grapnel::sqlite
