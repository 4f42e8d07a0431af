#include "drivers/sqlite/append.h"

#include <fmt/format.h>

#include <algorithm>

#include "drivers/sqlite/codec.h"
#include "model/errors.h"
#include "model/transform.h"

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

}  // namespace

Admission check_plan(const model::SourcePtr& source, const model::FanoutPlan& plan) {
  if (!source || source->source.deleting) return Admission::source_gone;
  if (plan.revision < source->source.revision) return Admission::stale_plan;
  return Admission::accepted;
}

FanoutState state_of(const model::FanoutPlan& plan) {
  const bool is_stillborn =
      plan.state == FanoutState::waiting && plan.deliveries.front().birth == model::Birth::dead;
  return is_stillborn ? FanoutState::dead : plan.state;
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

Result<> bear_all(Transaction& tx, const EventPart& event, const model::FanoutPlan& plan,
                  const model::SourceEntry& source, const std::optional<Original>& original,
                  Appended& appended) {
  appended.deliveries.reserve(plan.deliveries.size());
  for (const auto& delivery : plan.deliveries) {
    const auto at = std::ranges::find_if(source.actions, [&](const model::ActionPtr& action) {
      return action->id == delivery.action;
    });
    if (at == source.actions.end()) {
      return fail(model::errc::not_found,
                  fmt::format("the action {} is not one of its source", delivery.action.str()));
    }
    const bool again = original && model::is_transform(**at);
    auto born = bear(tx, event, delivery, **at, again ? original : std::nullopt);
    if (!born) return fail(std::move(born.error()));
    appended.deliveries.push_back(*born);
  }
  return {};
}

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
  FanoutState state = state_of(draft.plan);
  // What is held goes first: a new event joins its end.
  if (state != FanoutState::recorded && tx.held(part.source).count > 0) state = FanoutState::held;
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
  } else if (auto done = bear_all(tx, part, draft.plan, *source, std::nullopt, appended); !done) {
    return fail(std::move(done.error()));
  }
  return appended;
}

}  // namespace grapnel::sqlite
