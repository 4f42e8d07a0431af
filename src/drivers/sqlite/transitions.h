// The state changes of deliveries, with what hangs on them: counts of open work, hints, and the
// ordering key that goes on when its delivery ends. Everything that changes a delivery's state goes
// through here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "drivers/sqlite/transaction.h"
#include "model/delivery.h"

namespace grapnel::sqlite {

/// Due time of a delivery that waits for its ordering key: never.
inline constexpr Time kNever = Time::max();

/// The part of a delivery's row that decides about its state.
struct DeliveryRow {
  model::Seq seq = 0;
  model::Seq event_seq = 0;
  std::int64_t source = 0;  ///< row keys
  std::int64_t action = 0;
  model::DeliveryState state = model::DeliveryState::pending;
  int attempts = 0;
  int tries_used = 0;
  int unknown_streak = 0;
  Time due;
  model::EndReason reason = model::EndReason::none;
  int last_status = 0;
  std::string last_error;
  int run = 1;
  model::Fence fence = 0;
  model::EndReason cancel_wish = model::EndReason::none;
  bool waits = false;
  bool skipped = false;
  model::Seq stand_seq = 0;
  std::int64_t body_size = 0;
  std::optional<std::int64_t> order_key;
  bool replayed = false;
};

/// "SELECT … FROM deliveries d ", read by read_row().
#define GRAPNEL_SQLITE_ROW_SELECT                                                            \
  "SELECT d.seq, d.event_seq, d.source, d.action, d.state, d.attempts, d.tries_used, "       \
  "d.unknown_streak, d.due_ms, d.reason, d.last_status, d.last_error, d.run, d.fence, "      \
  "d.cancel_wish, d.waits, d.skipped, d.stand_seq, d.body_size, d.order_key, d.replayed_by " \
  "FROM deliveries d "
DeliveryRow read_row(Query& row);
Result<std::optional<DeliveryRow>> find_row(Connection& db, model::Seq seq);
Result<std::optional<DeliveryRow>> find_row(Connection& db, model::DeliveryId id);

/// Whether the delivery is of its source's transform, and so decides about its event's fan-out.
bool is_transform(const Transaction& tx, const DeliveryRow& row);

/// Stores the row with a new state, its tallies (attempts, tries, streak, last error and status) as
/// they are in `row`. Into an open state: `due` says when, and the commit hints at it. Into a
/// terminal one: it takes an ended_seq and its ordering key goes on. `row` holds the stored values
/// afterwards.
Result<> change_to_open(Transaction& tx, DeliveryRow& row, model::DeliveryState state, Time due);
Result<> change_to_ended(Transaction& tx, DeliveryRow& row, model::DeliveryState state,
                         model::EndReason reason);
/// pending, retrying -> cancelled; running: the wish is stored. `row` is not terminal.
Result<> cancel_open(Transaction& tx, DeliveryRow& row, model::EndReason reason);

}  // namespace grapnel::sqlite
