#include "drivers/sqlite/fanout.h"

#include "drivers/sqlite/append.h"
#include "drivers/sqlite/births.h"
#include "drivers/sqlite/limits.h"
#include "drivers/sqlite/order.h"
#include "drivers/sqlite/results.h"
#include "model/errors.h"
#include "model/transform.h"

namespace grapnel::sqlite {
namespace {

using model::Admission;
using model::Appended;
using model::FanoutState;

/// An event that is stored already.
struct StoredEvent {
  EventPart part;
  std::optional<std::string> ordering_key;
  model::EventId id;
  FanoutState state = FanoutState::done;
};

Result<StoredEvent> find_event(Transaction& tx, model::Seq seq) {
  auto query = tx.db().query(
      "SELECT id, source, fanout, run, body_size, ordering_key FROM events WHERE seq = ?1");
  const auto row = query.bind(seq).next();
  if (!row) return fail(row.error());
  if (!*row) return fail(model::errc::not_found, "the event no longer exists");
  StoredEvent event;
  event.id = query.id<model::EventId>(0);
  event.part = {.seq = seq,
                .source = query.integer(1),
                .run = query.number(3),
                .body_size = query.integer(4),
                .ordering_key = std::nullopt};
  event.state = static_cast<FanoutState>(query.integer(2));
  if (!query.null(5)) event.ordering_key = query.string(5);
  return event;
}

/// The source of that row; null when it is removed.
model::SourcePtr source_of(const Transaction& tx, std::int64_t row_key) {
  const auto at = tx.keys().source_ids.find(row_key);
  return at == tx.keys().source_ids.end() ? nullptr : tx.registry().find_source(at->second);
}

Result<> set_state(Transaction& tx, const EventPart& event, FanoutState state) {
  auto update =
      tx.db().query("UPDATE events SET fanout = ?2, run = ?3, fanout_ended_ms = ?4 WHERE seq = ?1");
  return update.bind(event.seq, static_cast<int>(state), event.run, tx.now()).run();
}

/// The dead transform of a run that is done again: it leaves the dead letters, and what replaces it
/// stands in its place.
Result<std::optional<Original>> replace_dead_transform(Transaction& tx, const EventPart& event,
                                                       model::SourceId source,
                                                       const model::FanoutPlan& plan) {
  auto query = tx.db().query(GRAPNEL_SQLITE_ROW_SELECT
                             "INDEXED BY deliveries_event WHERE d.event_seq = ?1 AND d.action = ?2 "
                             "AND d.state = 4 AND d.replayed_by IS NULL");
  const auto row = query.bind(event.seq, tx.action_key(model::transform_of(source))).next();
  if (!row) return fail(row.error());
  if (!*row || plan.deliveries.empty()) return std::optional<Original>{};
  const DeliveryRow dead = read_row(query);
  auto id = tx.db().query("SELECT id FROM deliveries WHERE seq = ?1");
  const auto id_row = id.bind(dead.seq).next();
  if (!id_row) return fail(id_row.error());
  const Original original{.id = id.id<model::DeliveryId>(0), .stand_seq = dead.stand_seq};
  auto update = tx.db().query("UPDATE deliveries SET replayed_by = ?2 WHERE seq = ?1");
  if (auto done = update.bind(dead.seq, plan.deliveries.front().id).run(); !done) {
    return fail(std::move(done.error()));
  }
  if (plan.state != FanoutState::waiting && dead.order_key) {  // nothing will stand in its place
    auto done = unblock(tx.db(), *dead.order_key, dead.stand_seq);
    if (done) done = free_next(tx, *dead.order_key, dead.action);
    if (!done) return fail(std::move(done.error()));
  }
  return std::optional(original);
}

Result<Appended> bear_split(Transaction& tx, const model::EventDraft& draft,
                            const DeliveryRow& transform, model::EventId parent,
                            const model::SourceEntry& source) {
  const model::Event& event = draft.event;
  Appended appended{.event = event.id, .seq = tx.next_seq()};
  const EventPart part{.seq = appended.seq,
                       .source = transform.source,
                       .body_size = static_cast<std::int64_t>(event.body_size),
                       .ordering_key = event.ordering_key};
  const model::Transformed headers{.type = {},
                                   .body = {},
                                   .body_file = {},
                                   .set_headers = event.set_headers,
                                   .removed_headers = event.removed_headers};
  auto done = insert_event(tx, draft, part, draft.plan.state);
  if (done) done = insert_split(tx, part.seq, parent);
  if (done) done = insert_result(tx, part.seq, part.run, headers);
  if (done) done = bear_all(tx, part, draft.plan, source, std::nullopt, appended);
  if (!done) return fail(std::move(done.error()));
  return appended;
}

}  // namespace

Result<Appended> fan_out_one(Transaction& tx, const model::FanoutDraft& draft) {
  auto event = find_event(tx, draft.event);
  if (!event) return fail(std::move(event.error()));
  if (event->ordering_key) event->part.ordering_key = *event->ordering_key;
  Appended appended{.event = event->id, .seq = draft.event};
  const bool first = draft.run == model::FanoutDraft::Run::first;
  const auto source = source_of(tx, event->part.source);
  appended.admission = check_plan(source, draft.plan);
  if (appended.admission == Admission::source_gone) return appended;
  if (first && event->state != FanoutState::held) {
    appended.admission = Admission::duplicate;
    return appended;
  }
  if (appended.admission == Admission::stale_plan) return appended;
  // Not released yet, or still to be released: it stays held.
  if (draft.plan.state == FanoutState::held || (!first && event->state < FanoutState::done)) {
    appended.admission = Admission::held;
    return appended;
  }
  std::optional<Original> original;
  if (!first && event->part.run >= kRunMax) {
    return fail(model::errc::too_many, "the event has run too often");
  }
  if (!first) {
    ++event->part.run;
    auto dead = replace_dead_transform(tx, event->part, source->source.id, draft.plan);
    if (!dead) return fail(std::move(dead.error()));
    original = *dead;
  }
  auto done = set_state(tx, event->part, state_of(draft.plan));
  if (!done) return fail(std::move(done.error()));
  if (first) tx.count_held(event->part.source, -1, -event->part.body_size);
  if (draft.plan.state == FanoutState::recorded) {
    appended.admission = Admission::recorded;
    return appended;
  }
  done = bear_all(tx, event->part, draft.plan, *source, original, appended);
  if (!done) return fail(std::move(done.error()));
  return appended;
}

Admission check_result(Transaction& tx, const DeliveryRow& transform,
                       const model::FanoutResult& result) {
  return check_plan(source_of(tx, transform.source), result.plan);
}

Result<std::vector<Appended>> end_transform(Transaction& tx, const DeliveryRow& transform,
                                            const model::FanoutResult& result) {
  using Kind = model::FanoutResult::Kind;
  auto event = find_event(tx, transform.event_seq);
  if (!event) return fail(std::move(event.error()));
  if (event->ordering_key) event->part.ordering_key = *event->ordering_key;
  event->part.run = transform.run;
  const auto source = source_of(tx, transform.source);
  std::vector<Appended> born;
  auto done = set_state(tx, event->part,
                        result.kind == Kind::dropped ? FanoutState::dropped : FanoutState::done);
  if (!done) return fail(std::move(done.error()));
  if (result.kind == Kind::event) {
    if (result.transformed) {
      done = insert_result(tx, transform.event_seq, transform.run, *result.transformed);
      if (result.transformed->body) {
        event->part.body_size = static_cast<std::int64_t>(result.transformed->body_size);
      }
    }
    Appended own{.event = event->id, .seq = transform.event_seq};
    if (done) done = bear_all(tx, event->part, result.plan, *source, std::nullopt, own);
    if (!done) return fail(std::move(done.error()));
    born.push_back(std::move(own));
  }
  for (const auto& split : result.splits) {
    auto made = bear_split(tx, split, transform, event->id, *source);
    if (!made) return fail(std::move(made.error()));
    born.push_back(std::move(*made));
  }
  return born;
}

Result<int> begin_run(Transaction& tx, model::Seq seq) {
  auto event = find_event(tx, seq);
  if (!event) return fail(std::move(event.error()));
  if (event->state < FanoutState::done) return fail(model::errc::not_terminal);
  if (event->part.run >= kRunMax) return fail(model::errc::too_many, "the event has run too often");
  ++event->part.run;
  auto done = set_state(tx, event->part, FanoutState::waiting);
  if (!done) return fail(std::move(done.error()));
  return event->part.run;
}

}  // namespace grapnel::sqlite
