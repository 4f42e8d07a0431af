#include "drivers/sqlite/births.h"

#include "drivers/sqlite/codec.h"
#include "drivers/sqlite/order.h"
#include "drivers/sqlite/transitions.h"

namespace grapnel::sqlite {

using model::Birth;
using model::DeliveryState;

Result<model::BornDelivery> bear(Transaction& tx, const EventPart& event,
                                 const model::DeliveryPlan& plan, const model::Action& action,
                                 const std::optional<Original>& original) {
  model::BornDelivery born{.id = plan.id, .seq = tx.next_seq()};
  const std::int64_t action_key = tx.action_key(action.id);
  const model::Seq stand = original ? original->stand_seq : born.seq;
  std::optional<std::int64_t> order_key;
  if (event.ordering_key) {
    order_key = order_hash(action_key, *event.ordering_key);
    if (plan.birth != Birth::dead) {
      const auto waits = must_wait(tx, *order_key, stand, action.on_dead);
      if (!waits) return fail(waits.error());
      born.waits_for_order = *waits;
    }
  }
  DeliveryState state = DeliveryState::pending;
  if (plan.birth == Birth::dead) state = DeliveryState::dead;
  if (plan.birth == Birth::leased && !born.waits_for_order) {
    state = DeliveryState::running;
    born.fence = tx.next_fence();
  }
  const Time due = born.waits_for_order ? kNever : tx.now();
  std::optional<Time> ended;
  model::Seq ended_seq = 0;
  std::optional<model::DeliveryId> replay_of;
  if (original) replay_of = original->id;
  if (state == DeliveryState::dead) {
    ended = tx.now();
    ended_seq = tx.next_seq();
  } else {
    tx.count_open(action_key, state, +1, event.body_size);
    if (state == DeliveryState::pending && !born.waits_for_order) tx.hint(action_key, due);
  }
  auto insert = tx.db().query(
      "INSERT INTO deliveries(seq, id, event_seq, source, action, state, created_ms, due_ms, "
      "ended_ms,"
      " ended_seq, reason, run, fence, waits, stand_seq, body_size, order_key, replay_of)"
      " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)");
  auto done =
      insert
          .bind(born.seq, born.id, event.seq, event.source, action_key, static_cast<int>(state),
                tx.now(), due, ended, ended_seq, static_cast<int>(plan.reason), event.run,
                born.fence, static_cast<int>(born.waits_for_order), stand, event.body_size,
                order_key, replay_of)
          .run();
  if (!done) return fail(std::move(done.error()));
  return born;
}

}  // namespace grapnel::sqlite
