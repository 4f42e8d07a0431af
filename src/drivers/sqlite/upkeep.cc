#include "drivers/sqlite/upkeep.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "drivers/sqlite/backup.h"
#include "drivers/sqlite/limits.h"
#include "drivers/sqlite/registry.h"
#include "drivers/sqlite/sweep.h"
#include "drivers/sqlite/transitions.h"
#include "model/errors.h"

namespace grapnel::sqlite {
namespace {

using model::DeliveryState;
using model::EndReason;
using model::Seq;
using model::StepResult;

constexpr std::string_view kPendingOf =
    "SELECT seq FROM deliveries INDEXED BY deliveries_open WHERE action = ?1 AND state = 0 LIMIT "
    "?2";
constexpr std::string_view kRetryingOf =
    "SELECT seq FROM deliveries INDEXED BY deliveries_open WHERE action = ?1 AND state = 2 LIMIT "
    "?2";
constexpr std::string_view kRunningOf =
    "SELECT seq FROM deliveries INDEXED BY deliveries_open WHERE action = ?1 AND state = 1 "
    "AND cancel_wish = 0 LIMIT ?2";
constexpr std::string_view kOpenOf =
    "SELECT count(*) FROM (SELECT 1 FROM deliveries INDEXED BY deliveries_open WHERE action = ?1 "
    "AND (state = 0 OR state = 1 OR state = 2) LIMIT 1)";
constexpr std::string_view kHeldOf =
    "SELECT seq, body_size FROM events INDEXED BY events_held WHERE source = ?1 AND fanout = 0 "
    "ORDER BY seq LIMIT ?2";

Result<std::vector<Seq>> numbers(Connection& db, std::string_view sql, std::int64_t key,
                                 int limit) {
  std::vector<Seq> out;
  auto rows = db.query(sql);
  rows.bind(key, limit);
  for (;;) {
    const auto row = rows.next();
    if (!row) return fail(row.error());
    if (!*row) return out;
    out.push_back(rows.integer(0));
  }
}

/// Ends deliveries of the query's answer with `end`; `left` falls by as many.
template <class End>
Result<> end_each(Transaction& tx, std::string_view sql, std::int64_t action, int& left,
                  const End& end) {
  const auto found = numbers(tx.db(), sql, action, left);
  if (!found) return fail(found.error());
  for (const Seq seq : *found) {
    auto row = find_row(tx.db(), seq);
    if (!row) return fail(row.error());
    if (!*row || is_terminal((*row)->state)) continue;
    if (auto done = end(**row); !done) return done;
  }
  left -= static_cast<int>(found->size());
  return {};
}

Result<StepResult> bury_step(Transaction& tx, model::ActionId id) {
  const auto action = tx.registry().find_action(id);
  if (!action || action->health != model::Health::gone) return StepResult::done;
  const auto end = [&tx](DeliveryRow& row) {
    return change_to_ended(tx, row, DeliveryState::dead, EndReason::endpoint_gone);
  };
  int left = kStepRows;
  for (const auto sql : {kPendingOf, kRetryingOf}) {
    if (left == 0) break;
    if (auto done = end_each(tx, sql, tx.action_key(id), left, end); !done)
      return fail(done.error());
  }
  return left == 0 ? StepResult::more : StepResult::done;
}

/// What is held becomes `state`.
Result<> end_held(Transaction& tx, std::int64_t source, model::FanoutState state, int& left) {
  struct Held {
    Seq seq;
    std::int64_t bytes;
  };
  std::vector<Held> found;
  auto rows = tx.db().query(kHeldOf);
  rows.bind(source, left);
  for (;;) {
    const auto row = rows.next();
    if (!row) return fail(row.error());
    if (!*row) break;
    found.push_back({rows.integer(0), rows.integer(1)});
  }
  for (const Held& event : found) {
    auto update =
        tx.db().query("UPDATE events SET fanout = ?2, fanout_ended_ms = ?3 WHERE seq = ?1");
    auto done = update.bind(event.seq, static_cast<int>(state), tx.now()).run();
    if (!done) return done;
    tx.count_held(source, -1, -event.bytes);
  }
  left -= static_cast<int>(found.size());
  return {};
}

/// Cancels open work of a deleting action. True when nothing of it is open any more.
Result<bool> cancel_work(Transaction& tx, std::int64_t action, int& left) {
  const auto end = [&tx](DeliveryRow& row) {
    return cancel_open(tx, row, EndReason::definition_deleted);
  };
  for (const auto sql : {kPendingOf, kRetryingOf, kRunningOf}) {
    if (left == 0) return false;
    if (auto done = end_each(tx, sql, action, left, end); !done) return fail(done.error());
  }
  auto open = tx.db().query(kOpenOf);
  const auto row = open.bind(action).next();
  if (!row) return fail(row.error());
  return open.integer(0) == 0;
}

struct Deleting {
  std::vector<model::ActionId> actions;
  std::vector<model::SourceId> sources;
};

Deleting deleting_in(const model::RegistrySnapshot& registry) {
  Deleting out;
  for (const auto& [id, entry] : registry.sources) {
    if (entry->source.deleting) out.sources.push_back(id);
    for (const auto& action : entry->actions) {
      if (action->deleting || entry->source.deleting) out.actions.push_back(action->id);
    }
  }
  return out;
}

Result<StepResult> deletion_step(Transaction& tx) {
  const Deleting deleting = deleting_in(tx.registry());
  Deleting ended;
  int left = kStepRows;
  for (const auto& id : deleting.actions) {
    const auto clean = cancel_work(tx, tx.action_key(id), left);
    if (!clean) return fail(clean.error());
    if (*clean) ended.actions.push_back(id);
  }
  for (const auto& id : deleting.sources) {
    if (left == 0) break;
    auto done = end_held(tx, tx.source_key(id), model::FanoutState::cancelled, left);
    if (!done) return fail(done.error());
    const auto& actions = tx.registry().find_source(id)->actions;
    const bool clean = std::ranges::all_of(actions, [&](const model::ActionPtr& action) {
      return std::ranges::find(ended.actions, action->id) != ended.actions.end();
    });
    if (left > 0 && clean) ended.sources.push_back(id);
  }
  if (!ended.actions.empty() || !ended.sources.empty()) {
    auto done = remove_definitions(tx, ended.actions, ended.sources);
    if (!done) return fail(done.error());
  }
  return left == 0 ? StepResult::more : StepResult::done;
}

Result<StepResult> key_step(Transaction& tx) {
  const Time live = tx.now() - model::kIdempotencyWindow;
  auto oldest = tx.db().query(
      "DELETE FROM idempotency WHERE received_ms <= ?1 AND event_seq IN"
      " (SELECT event_seq FROM idempotency ORDER BY event_seq LIMIT ?2)");
  if (auto done = oldest.bind(live, kStepRows).run(); !done) return fail(done.error());
  return tx.db().changes() > 0 ? StepResult::more : StepResult::done;
}

Result<StepResult> record_step(Transaction& tx, model::SourceId id) {
  const auto entry = tx.registry().find_source(id);
  if (!entry || entry->source.mode != model::SourceMode::record) return StepResult::done;
  int left = kStepRows;
  auto done = end_held(tx, tx.source_key(id), model::FanoutState::recorded, left);
  if (!done) return fail(done.error());
  return left == 0 ? StepResult::more : StepResult::done;
}

}  // namespace

async::Task<Result<StepResult>> Upkeep::bury(model::ActionId action) {
  co_return co_await writer_.write(0, [action](Transaction& tx) { return bury_step(tx, action); });
}

async::Task<Result<StepResult>> Upkeep::finish_deletions() {
  const auto snapshot = writer_.registry();
  const Deleting deleting = deleting_in(*snapshot);
  if (deleting.actions.empty() && deleting.sources.empty()) co_return StepResult::done;
  co_return co_await writer_.write(0, [](Transaction& tx) { return deletion_step(tx); });
}

async::Task<Result<model::Swept>> Upkeep::sweep(model::RetentionPolicy policy) {
  const Seq from = sweep_from_;
  const auto step = co_await writer_.write(0, [policy, from](Transaction& tx) -> Result<SweepStep> {
    auto swept = sweep_step(tx, policy, from);
    if (!swept || swept->next) return swept;
    if (auto done = sweep_definitions(tx, policy); !done) return fail(done.error());
    return swept;
  });
  if (!step) co_return fail(step.error());
  sweep_from_ = step->next.value_or(0);
  co_return model::Swept{.events = step->events,
                         .step = step->next ? StepResult::more : StepResult::done};
}

async::Task<Result<StepResult>> Upkeep::drop_old_keys() {
  co_return co_await writer_.write(0, [](Transaction& tx) { return key_step(tx); });
}

async::Task<Result<StepResult>> Upkeep::record_held(model::SourceId source) {
  co_return co_await writer_.write(0,
                                   [source](Transaction& tx) { return record_step(tx, source); });
}

async::Task<Result<>> Upkeep::backup(std::string folder) {
  if (backing_up_) co_return fail(model::errc::conflict, "another backup is being made");
  if (auto fine = check_backup_folder(folder, data_dir_); !fine) co_return fine;
  backing_up_ = true;
  auto done = co_await make_backup(writer_, readers_, bodies_, unended_, std::move(folder));
  backing_up_ = false;
  co_return done;
}

}  // namespace grapnel::sqlite
