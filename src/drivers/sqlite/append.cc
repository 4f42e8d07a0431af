#include "drivers/sqlite/append.h"

#include <fmt/format.h>

#include <algorithm>

#include "drivers/sqlite/births.h"
#include "drivers/sqlite/codec.h"
#include "model/errors.h"

namespace grapnel::sqlite {
namespace {

using model::Admission;
using model::Appended;
using model::FanoutState;

/// The first event of that key, while its window lasts.
Result<std::optional<Appended>> find_first(Transaction& tx, const model::Event& event,
                                           const IdBytes& hash) {
  auto query = tx.db().query(
      "SELECT event_seq, event_id, received_ms, body FROM idempotency WHERE hash = ?1");
  const auto row = query.bind(Blob::of(hash)).next();
  if (!row) return fail(row.error());
  if (!*row || event.received - query.time(2) >= model::kIdempotencyWindow) {
    return std::optional<Appended>{};
  }
  return Appended{.admission = Admission::duplicate,
                  .event = query.id<model::EventId>(1),
                  .seq = query.integer(0),
                  .other_body = query.integer(3) != short_checksum(event.body_sha256)};
}

Result<> claim_key(Transaction& tx, const model::Event& event, model::Seq seq,
                   const IdBytes& hash) {
  // A key whose window has ended may still be there.
  auto query = tx.db().query(
      "INSERT OR REPLACE INTO idempotency(event_seq, hash, event_id, received_ms, body)"
      " VALUES(?1, ?2, ?3, ?4, ?5)");
  return query
      .bind(seq, Blob::of(hash), event.id, event.received, short_checksum(event.body_sha256))
      .run();
}

Result<> insert_event(Transaction& tx, const model::EventDraft& draft, const EventPart& part,
                      FanoutState state) {
  const model::Event& event = draft.event;
  std::optional<Blob> body;
  std::optional<std::string_view> body_file;
  if (draft.body_file.empty()) {
    body = Blob{event.body};
  } else {
    body_file = draft.body_file;
  }
  const std::string headers = encode_headers(event.headers);
  auto query = tx.db().query(
      "INSERT INTO events(seq, id, source, type, received_ms, fanout, run, body_size, body_sha256, "
      "method,"
      " target, remote, verification, traceparent, idem_place, idem_key, ordering_key, body_file, "
      "headers,"
      " body) VALUES(?1, ?2, ?3, ?4, ?5, ?6, 1, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, "
      "?17, ?18,"
      " ?19)");
  return query
      .bind(part.seq, event.id, part.source, event.type, event.received, static_cast<int>(state),
            part.body_size, Blob::of(event.body_sha256), event.method, event.target, event.remote,
            event.verification, event.traceparent, event.idempotency_place, event.idempotency_key,
            part.ordering_key, body_file, Blob{headers}, body)
      .run();
}

/// Deliveries of a plan. The plan is of the newest definitions, so its actions exist.
Result<> bear_all(Transaction& tx, const EventPart& event, const model::FanoutPlan& plan,
                  const model::SourceEntry& source, Appended& appended) {
  appended.deliveries.reserve(plan.deliveries.size());
  for (const auto& delivery : plan.deliveries) {
    const auto at = std::ranges::find_if(source.actions, [&](const model::ActionPtr& action) {
      return action->id == delivery.action;
    });
    if (at == source.actions.end()) {
      return fail(model::errc::not_found,
                  fmt::format("the action {} is not one of its source", delivery.action.str()));
    }
    auto born = bear(tx, event, delivery, **at, std::nullopt);
    if (!born) return fail(std::move(born.error()));
    appended.deliveries.push_back(*born);
  }
  return {};
}

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

/// Why a plan of this source cannot be followed; accepted when it can.
Admission check_plan(const model::SourcePtr& source, const model::FanoutPlan& plan) {
  if (!source || source->source.deleting) return Admission::source_gone;
  if (plan.revision < source->source.revision) return Admission::stale_plan;
  return Admission::accepted;
}

}  // namespace

Result<Appended> append_one(Transaction& tx, const model::EventDraft& draft) {
  const model::Event& event = draft.event;
  Appended appended{.event = event.id};
  const auto source = tx.registry().find_source(event.source);
  appended.admission = check_plan(source, draft.plan);
  if (appended.admission == Admission::source_gone) return appended;
  std::optional<IdBytes> hash;
  if (!event.idempotency_key.empty()) {
    hash = idempotency_hash(event.source, event.idempotency_place, event.idempotency_key);
    auto first = find_first(tx, event, *hash);
    if (!first) return fail(std::move(first.error()));
    if (*first) {
      // Nothing names the file of the second copy.
      if (!draft.body_file.empty()) tx.unlink_after_commit(draft.body_file);
      return std::move(**first);
    }
  }
  if (appended.admission == Admission::stale_plan) return appended;

  EventPart part{.seq = tx.next_seq(),
                 .source = tx.source_key(event.source),
                 .body_size = static_cast<std::int64_t>(event.body_size),
                 .ordering_key = event.ordering_key};
  FanoutState state = draft.plan.state;
  // What is held goes first: a new event joins its end.
  if (state == FanoutState::done && tx.held(part.source).count > 0) state = FanoutState::held;
  appended.seq = part.seq;
  tx.note_received(event.received);
  if (auto done = insert_event(tx, draft, part, state); !done) return fail(std::move(done.error()));
  if (hash) {
    if (auto done = claim_key(tx, event, part.seq, *hash); !done)
      return fail(std::move(done.error()));
  }
  if (state == FanoutState::held) {
    tx.count_held(part.source, 1, part.body_size);
    appended.admission = Admission::held;
  } else if (state == FanoutState::recorded) {
    appended.admission = Admission::recorded;
  } else if (auto done = bear_all(tx, part, draft.plan, *source, appended); !done) {
    return fail(std::move(done.error()));
  }
  return appended;
}

Result<Appended> fan_out_one(Transaction& tx, const model::FanoutDraft& draft) {
  auto event = find_event(tx, draft.event);
  if (!event) return fail(std::move(event.error()));
  if (event->ordering_key) event->part.ordering_key = *event->ordering_key;
  Appended appended{.event = event->id, .seq = draft.event};
  const bool first = draft.run == model::FanoutDraft::Run::first;
  const auto source_id = tx.keys().source_ids.find(event->part.source);
  const auto source = source_id == tx.keys().source_ids.end()
                          ? nullptr
                          : tx.registry().find_source(source_id->second);
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
  if (!first) ++event->part.run;
  auto update =
      tx.db().query("UPDATE events SET fanout = ?2, run = ?3, fanout_ended_ms = ?4 WHERE seq = ?1");
  auto done =
      update.bind(draft.event, static_cast<int>(draft.plan.state), event->part.run, tx.now()).run();
  if (!done) return fail(std::move(done.error()));
  if (first) tx.count_held(event->part.source, -1, -event->part.body_size);
  if (draft.plan.state == FanoutState::recorded) {
    appended.admission = Admission::recorded;
    return appended;
  }
  done = bear_all(tx, event->part, draft.plan, *source, appended);
  if (!done) return fail(std::move(done.error()));
  return appended;
}

}  // namespace grapnel::sqlite
