#include "drivers/sqlite/transitions.h"

#include "base/check.h"
#include "drivers/sqlite/order.h"
#include "model/transform.h"

namespace grapnel::sqlite {
namespace {

using model::DeliveryState;
using model::EndReason;

template <class Key>
Result<std::optional<DeliveryRow>> find_one(Connection& db, std::string_view sql, const Key& key) {
  auto query = db.query(sql);
  const auto row = query.bind(key).next();
  if (!row) return fail(row.error());
  if (!*row) return std::optional<DeliveryRow>{};
  return read_row(query);
}

/// What becomes of the event whose transform ended otherwise than delivered.
Result<> end_fanout(Transaction& tx, const DeliveryRow& row) {
  const auto state =
      row.state == DeliveryState::dead ? model::FanoutState::dead : model::FanoutState::cancelled;
  auto query = tx.db().query(
      "UPDATE events SET fanout = ?2, fanout_ended_ms = ?3 WHERE seq = ?1 AND run = ?4");
  return query.bind(row.event_seq, static_cast<int>(state), tx.now(), row.run).run();
}

}  // namespace

bool is_transform(const Transaction& tx, const DeliveryRow& row) {
  const auto action = tx.keys().action_ids.find(row.action);
  const auto source = tx.keys().source_ids.find(row.source);
  return action != tx.keys().action_ids.end() && source != tx.keys().source_ids.end() &&
         action->second == model::transform_of(source->second);
}

DeliveryRow read_row(Query& row) {
  DeliveryRow out;
  out.seq = row.integer(0);
  out.event_seq = row.integer(1);
  out.source = row.integer(2);
  out.action = row.integer(3);
  out.state = static_cast<DeliveryState>(row.integer(4));
  out.attempts = row.number(5);
  out.tries_used = row.number(6);
  out.unknown_streak = row.number(7);
  out.due = row.time(8);
  out.reason = static_cast<EndReason>(row.integer(9));
  out.last_status = row.number(10);
  out.last_error = row.text(11);
  out.run = row.number(12);
  out.fence = row.integer(13);
  out.cancel_wish = static_cast<EndReason>(row.integer(14));
  out.waits = row.flag(15);
  out.skipped = row.flag(16);
  out.stand_seq = row.integer(17);
  out.body_size = row.integer(18);
  if (!row.null(19)) out.order_key = row.integer(19);
  out.replayed = !row.null(20);
  return out;
}

Result<std::optional<DeliveryRow>> find_row(Connection& db, model::Seq seq) {
  return find_one(db, GRAPNEL_SQLITE_ROW_SELECT "WHERE d.seq = ?1", seq);
}

Result<std::optional<DeliveryRow>> find_row(Connection& db, model::DeliveryId id) {
  return find_one(db, GRAPNEL_SQLITE_ROW_SELECT "WHERE d.id = ?1", id);
}

Result<> change_to_open(Transaction& tx, DeliveryRow& row, DeliveryState state, Time due) {
  GRAPNEL_CHECK(!is_terminal(row.state) && !is_terminal(state), row.seq);
  tx.count_open(row.action, row.state, -1, row.body_size);
  tx.count_open(row.action, state, +1, row.body_size);
  row.state = state;
  row.due = due;
  tx.hint(row.action, due);
  auto query = tx.db().query(
      "UPDATE deliveries SET state = ?2, due_ms = ?3, attempts = ?4, tries_used = ?5,"
      " unknown_streak = ?6, last_error = ?7, last_status = ?8 WHERE seq = ?1");
  return query
      .bind(row.seq, static_cast<int>(state), due, row.attempts, row.tries_used, row.unknown_streak,
            row.last_error, row.last_status)
      .run();
}

Result<> change_to_ended(Transaction& tx, DeliveryRow& row, DeliveryState state, EndReason reason) {
  GRAPNEL_CHECK(!is_terminal(row.state) && is_terminal(state), row.seq);
  tx.count_open(row.action, row.state, -1, row.body_size);
  const auto key = row.order_key;
  const bool waited = row.waits;
  row.state = state;
  row.reason = reason;
  row.waits = false;
  if (state != DeliveryState::dead) row.order_key.reset();
  if (row.due == kNever) row.due = tx.now();
  auto query = tx.db().query(
      "UPDATE deliveries SET state = ?2, reason = ?3, ended_ms = ?4, ended_seq = ?5, attempts = ?6,"
      " tries_used = ?7, unknown_streak = ?8, last_error = ?9, last_status = ?10, order_key = ?11,"
      " due_ms = ?12, waits = 0 WHERE seq = ?1");
  auto done = query
                  .bind(row.seq, static_cast<int>(state), static_cast<int>(reason), tx.now(),
                        tx.next_seq(), row.attempts, row.tries_used, row.unknown_streak,
                        row.last_error, row.last_status, row.order_key, row.due)
                  .run();
  if (done && state != DeliveryState::delivered && is_transform(tx, row)) {
    done = end_fanout(tx, row);
  }
  if (!done || !key) return done;
  if (state == DeliveryState::delivered && row.stand_seq != row.seq) {
    done = unblock(tx.db(), *key, row.stand_seq);
  }
  if (done && !waited) done = free_next(tx, *key, row.action);
  return done;
}

Result<> cancel_open(Transaction& tx, DeliveryRow& row, EndReason reason) {
  if (row.state != DeliveryState::running) {
    return change_to_ended(tx, row, DeliveryState::cancelled, reason);
  }
  if (row.cancel_wish != EndReason::none) return {};
  row.cancel_wish = reason;
  auto query = tx.db().query("UPDATE deliveries SET cancel_wish = ?2 WHERE seq = ?1");
  return query.bind(row.seq, static_cast<int>(reason)).run();
}

}  // namespace grapnel::sqlite
