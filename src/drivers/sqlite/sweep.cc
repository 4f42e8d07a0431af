#include "drivers/sqlite/sweep.h"

#include <algorithm>
#include <string>
#include <vector>

#include "drivers/sqlite/limits.h"
#include "drivers/sqlite/results.h"
#include "drivers/sqlite/rows.h"
#include "model/event.h"

namespace grapnel::sqlite {
namespace {

using model::DeliveryState;
using model::FanoutState;
using model::Seq;

struct OldEvent {
  Seq seq = 0;
  Time received;
  Time fanned_out;
  FanoutState fanout = FanoutState::done;
  std::string body_file;
};

/// What the deliveries of one event say about it.
struct Verdict {
  bool open = false;
  bool dead = false;  ///< a dead letter that was not replayed
  Time ended;         ///< the latest end
  std::vector<Seq> deliveries;
};

bool is_open(FanoutState state) { return state < FanoutState::done; }

Result<std::vector<OldEvent>> events_from(Connection& db, Seq from) {
  std::vector<OldEvent> out;
  auto rows = db.query(
      "SELECT seq, received_ms, fanout, body_file, fanout_ended_ms FROM events WHERE seq >= ?1 "
      "ORDER BY seq LIMIT ?2");
  rows.bind(from, kStepRows);
  for (;;) {
    const auto row = rows.next();
    if (!row) return fail(row.error());
    if (!*row) return out;
    out.push_back({.seq = rows.integer(0),
                   .received = rows.time(1),
                   .fanned_out = rows.maybe_time(4).value_or(rows.time(1)),
                   .fanout = static_cast<FanoutState>(rows.integer(2)),
                   .body_file = rows.string(3)});
  }
}

Result<std::vector<model::ReplayJob>> running_jobs(Connection& db) {
  std::vector<model::ReplayJob> out;
  auto rows = db.query(GRAPNEL_SQLITE_JOB_SELECT "WHERE j.state = 0");
  for (;;) {
    const auto row = rows.next();
    if (!row) return fail(row.error());
    if (!*row) return out;
    out.push_back(read_job(rows));
  }
}

struct DeadLetter {
  std::int64_t source = 0;
  std::int64_t action = 0;
  model::EndReason reason = model::EndReason::none;
  Time ended;
  Seq ended_seq = 0;
};

bool covers(const Transaction& tx, const model::ReplayJob& job, const DeadLetter& dead) {
  const model::DeadFilter& filter = job.filter;
  return dead.ended_seq > job.cursor && dead.ended_seq <= job.ceiling &&
         (!filter.source || tx.source_key(*filter.source) == dead.source) &&
         (!filter.action || tx.action_key(*filter.action) == dead.action) &&
         (!filter.reason || *filter.reason == dead.reason) &&
         (!filter.ended_from || dead.ended >= *filter.ended_from) &&
         (!filter.ended_to || dead.ended < *filter.ended_to);
}

bool blocks(const Transaction& tx, std::int64_t action) {
  const auto definition = tx.action(action);
  return definition && !definition->deleting && definition->on_dead == model::OnDead::block;
}

Result<Verdict> judge(Transaction& tx, const OldEvent& event,
                      const std::vector<model::ReplayJob>& jobs) {
  Verdict verdict{.open = is_open(event.fanout),
                  .dead = event.fanout == FanoutState::dead,
                  .ended = event.fanned_out,
                  .deliveries = {}};
  auto rows = tx.db().query(
      "SELECT seq, state, ended_ms, ended_seq, reason, source, action, order_key IS NOT NULL, "
      "replayed_by IS NOT NULL FROM deliveries INDEXED BY deliveries_event WHERE event_seq = ?1");
  rows.bind(event.seq);
  for (;;) {
    const auto row = rows.next();
    if (!row) return fail(row.error());
    if (!*row) return verdict;
    const auto state = static_cast<DeliveryState>(rows.integer(1));
    verdict.deliveries.push_back(rows.integer(0));
    verdict.ended = std::max(verdict.ended, rows.time(2));
    if (!is_terminal(state)) verdict.open = true;
    if (verdict.open || state != DeliveryState::dead) continue;
    if (rows.flag(7) && blocks(tx, rows.integer(6))) verdict.open = true;
    if (rows.flag(8)) continue;  // replayed: its replay speaks for it
    verdict.dead = true;
    const DeadLetter dead{.source = rows.integer(5),
                          .action = rows.integer(6),
                          .reason = static_cast<model::EndReason>(rows.integer(4)),
                          .ended = rows.time(2),
                          .ended_seq = rows.integer(3)};
    const auto covered = [&](const model::ReplayJob& job) { return covers(tx, job, dead); };
    if (std::ranges::any_of(jobs, covered)) verdict.open = true;
  }
}

/// Answers how many rows went.
Result<std::int64_t> remove_event(Transaction& tx, const OldEvent& event,
                                  const std::vector<Seq>& deliveries) {
  std::int64_t rows = 1 + static_cast<std::int64_t>(deliveries.size());
  for (const Seq delivery : deliveries) {
    auto attempts = tx.db().query("DELETE FROM attempts WHERE key >= ?1 AND key < ?2");
    auto done = attempts.bind(attempt_key(delivery, 0), attempt_key(delivery + 1, 0)).run();
    if (!done) return fail(done.error());
    rows += tx.db().changes();
    auto row = tx.db().query("DELETE FROM deliveries WHERE seq = ?1");
    if (done = row.bind(delivery).run(); !done) return fail(done.error());
  }
  auto row = tx.db().query("DELETE FROM events WHERE seq = ?1");
  if (auto done = row.bind(event.seq).run(); !done) return fail(done.error());
  if (auto done = remove_results(tx, event.seq); !done) return fail(done.error());
  if (!event.body_file.empty()) tx.unlink_after_commit(event.body_file);
  return rows;
}

}  // namespace

Result<SweepStep> sweep_step(Transaction& tx, const model::RetentionPolicy& policy, Seq from) {
  const auto events = events_from(tx.db(), from);
  if (!events) return fail(events.error());
  const auto jobs = running_jobs(tx.db());
  if (!jobs) return fail(jobs.error());
  SweepStep step;
  std::int64_t rows = 0;
  for (const OldEvent& event : *events) {
    if (event.received + std::min(policy.finished, policy.dead) > tx.now()) return step;
    const auto verdict = judge(tx, event, *jobs);
    if (!verdict) return fail(verdict.error());
    rows += 1 + static_cast<std::int64_t>(verdict->deliveries.size());
    const Millis period = verdict->dead ? policy.dead : policy.finished;
    if (!verdict->open && verdict->ended + period <= tx.now()) {
      const auto removed = remove_event(tx, event, verdict->deliveries);
      if (!removed) return fail(removed.error());
      rows += *removed;
      ++step.events;
    }
    if (rows >= kStepRows) {
      step.next = event.seq + 1;
      return step;
    }
  }
  if (static_cast<int>(events->size()) == kStepRows) step.next = events->back().seq + 1;
  return step;
}

Result<> sweep_definitions(Transaction& tx, const model::RetentionPolicy& policy) {
  auto jobs = tx.db().query("DELETE FROM jobs WHERE state <> 0 AND ended_ms <= ?1");
  if (auto done = jobs.bind(tx.now() - policy.dead).run(); !done) return done;
  auto history = tx.db().query(
      "DELETE FROM action_revisions WHERE action IN (SELECT pk FROM actions WHERE definition IS "
      "NULL "
      "AND NOT EXISTS (SELECT 1 FROM deliveries WHERE action = actions.pk))");
  return history.run();
}

}  // namespace grapnel::sqlite
