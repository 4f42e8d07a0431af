#include "drivers/sqlite/settle.h"

#include <algorithm>

#include "drivers/sqlite/codec.h"
#include "drivers/sqlite/fanout.h"
#include "drivers/sqlite/registry.h"
#include "drivers/sqlite/rows.h"

namespace grapnel::sqlite {
namespace {

using model::DeliveryState;
using model::EndReason;
using model::Health;
using Kind = model::Settlement::Kind;

/// Whether the report changes what is known of the action.
bool is_news(const model::Action& action, const model::HealthReport& report) {
  switch (report.health) {
    case Health::ok: return action.health == Health::failing;
    case Health::failing: return action.health == Health::ok;
    case Health::gone:
      return action.health != Health::gone && report.target_revision == action.target_revision;
    case Health::resting: return action.health == Health::ok || action.health == Health::failing;
  }
  return false;
}

Result<> note_health(Transaction& tx, std::int64_t action_key, const model::HealthReport& report) {
  const auto action = tx.action(action_key);
  if (!action || action->deleting || !is_news(*action, report)) return {};
  model::Action changed = *action;
  changed.health = report.health;
  changed.health_reason = report.reason;
  changed.health_since = tx.now();
  return apply_changes(
      tx, {model::PutAction{.action = std::move(changed), .expected = action->revision}});
}

/// What the attempt adds to the delivery's tallies.
void tally(DeliveryRow& row, const model::Settlement& settlement) {
  if (settlement.attempt && settlement.attempt->result != model::AttemptResult::handed_back) {
    row.last_error = settlement.attempt->error;
    row.last_status = settlement.attempt->response_status;
  }
  switch (settlement.kind) {
    case Kind::delivered: row.unknown_streak = 0; break;
    case Kind::retry:
    case Kind::dead:
      ++row.tries_used;
      row.unknown_streak = 0;
      break;
    case Kind::unknown:
      if (!settlement.attempt) ++row.attempts;
      break;
    case Kind::hand_back: break;
  }
}

/// Nothing can come of a transform whose source is being deleted.
Result<model::Settled> end_with_source(Transaction& tx, DeliveryRow& row) {
  auto done =
      change_to_ended(tx, row, DeliveryState::cancelled, model::EndReason::definition_deleted);
  if (!done) return fail(std::move(done.error()));
  return model::Settled{.state = row.state};
}

Result<> end_lease(Transaction& tx, DeliveryRow& row, const model::Settlement& settlement) {
  switch (settlement.kind) {
    case Kind::delivered:
      return change_to_ended(tx, row, DeliveryState::delivered, EndReason::none);
    case Kind::dead:
      if (row.cancel_wish != EndReason::none) break;
      return change_to_ended(tx, row, DeliveryState::dead, settlement.reason);
    case Kind::retry: return give_back(tx, row, DeliveryState::retrying, settlement.due);
    case Kind::hand_back:
      return give_back(tx, row, DeliveryState::pending, std::max(settlement.due, tx.now()));
    case Kind::unknown: return give_back_unknown(tx, row);
  }
  return change_to_ended(tx, row, DeliveryState::cancelled, row.cancel_wish);
}

}  // namespace

Result<> give_back(Transaction& tx, DeliveryRow& row, DeliveryState state, Time due) {
  if (row.cancel_wish != EndReason::none) {
    return change_to_ended(tx, row, DeliveryState::cancelled, row.cancel_wish);
  }
  const auto action = tx.action(row.action);
  if (!action)
    return change_to_ended(tx, row, DeliveryState::cancelled, EndReason::definition_deleted);
  if (action->health == Health::gone) {
    return change_to_ended(tx, row, DeliveryState::dead, EndReason::endpoint_gone);
  }
  return change_to_open(tx, row, state, due);
}

Result<> give_back_unknown(Transaction& tx, DeliveryRow& row) {
  const auto action = tx.action(row.action);
  ++row.unknown_streak;
  if (row.unknown_streak <= model::kUnknownStreakMax || !action) {
    return give_back(tx, row, DeliveryState::pending, tx.now());
  }
  ++row.tries_used;
  if (row.tries_used < action->retry.tries()) {
    return give_back(tx, row, DeliveryState::retrying,
                     tx.now() + action->retry.wait_after(row.tries_used));
  }
  if (row.cancel_wish != EndReason::none) {
    return change_to_ended(tx, row, DeliveryState::cancelled, row.cancel_wish);
  }
  return change_to_ended(tx, row, DeliveryState::dead, EndReason::retries_exhausted);
}

Result<> record_attempt(Transaction& tx, DeliveryRow& row, const model::Attempt& attempt) {
  const std::string request_headers = encode_headers(attempt.request_headers);
  const std::string response_headers = encode_headers(attempt.response_headers);
  ++row.attempts;
  auto query = tx.db().query(
      "INSERT OR REPLACE INTO attempts(key, id, started_ms, result, step, action_revision, status, "
      "dns_us,"
      " connect_us, tls_us, first_byte_us, total_us, error, request_headers, response_headers, "
      "excerpt, console)"
      " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)");
  std::optional<std::string_view> console;
  if (!attempt.console.empty()) console = attempt.console;
  return query
      .bind(attempt_key(row.seq, row.attempts), attempt.id, attempt.started,
            static_cast<int>(attempt.result), static_cast<int>(attempt.step),
            attempt.action_revision, attempt.response_status, attempt.timings.dns_us,
            attempt.timings.connect_us, attempt.timings.tls_us, attempt.timings.first_byte_us,
            attempt.timings.total_us, attempt.error, Blob{request_headers}, Blob{response_headers},
            Blob{attempt.response_excerpt}, console)
      .run();
}

Result<model::Settled> settle_one(Transaction& tx, const model::Settlement& settlement) {
  auto row = find_row(tx.db(), settlement.delivery);
  if (!row) return fail(std::move(row.error()));
  if (!*row) return model::Settled{.stale = true, .state = DeliveryState::cancelled};
  DeliveryRow& delivery = **row;
  if (delivery.state != DeliveryState::running || delivery.fence != settlement.fence) {
    return model::Settled{.stale = true, .state = delivery.state};
  }
  const bool ends_fanout = settlement.kind == Kind::delivered && settlement.fanout;
  if (ends_fanout) {
    const auto admission = check_result(tx, delivery, *settlement.fanout);
    if (admission == model::Admission::stale_plan) {
      return model::Settled{.state = delivery.state, .stale_plan = true};
    }
    if (admission == model::Admission::source_gone) return end_with_source(tx, delivery);
  }
  Result<> done;
  if (settlement.health) done = note_health(tx, delivery.action, *settlement.health);
  if (done && settlement.attempt) done = record_attempt(tx, delivery, *settlement.attempt);
  if (done) {
    tally(delivery, settlement);
    done = end_lease(tx, delivery, settlement);
  }
  if (!done) return fail(std::move(done.error()));
  model::Settled settled{.stale = false, .state = delivery.state};
  if (ends_fanout) {
    auto born = end_transform(tx, delivery, *settlement.fanout);
    if (!born) return fail(std::move(born.error()));
    settled.born = std::move(*born);
  }
  return settled;
}

}  // namespace grapnel::sqlite
