#include "drivers/sqlite/rows.h"

#include "drivers/sqlite/codec.h"

namespace grapnel::sqlite {

model::Event read_event(Query& row) {
  model::Event event;
  event.seq = row.integer(0);
  event.id = row.id<model::EventId>(1);
  event.source = row.id<model::SourceId>(2);
  event.type = row.text(3);
  event.method = row.text(4);
  event.target = row.text(5);
  event.remote = row.text(6);
  event.headers = decode_headers(row.blob(7));
  event.body_size = static_cast<std::uint64_t>(row.integer(8));
  row.copy_bytes(9, event.body_sha256);
  event.received = row.time(10);
  event.idempotency_place = row.text(11);
  event.idempotency_key = row.text(12);
  if (!row.null(13)) event.ordering_key = row.string(13);
  event.verification = row.text(14);
  event.traceparent = row.text(15);
  event.fanout = static_cast<model::FanoutState>(row.integer(16));
  event.run = row.number(17);
  event.parent = row.maybe_id<model::EventId>(18);
  return event;
}

model::Delivery read_delivery(Query& row) {
  model::Delivery delivery;
  delivery.seq = row.integer(0);
  delivery.id = row.id<model::DeliveryId>(1);
  delivery.event_seq = row.integer(2);
  delivery.event = row.id<model::EventId>(3);
  delivery.event_type = row.text(4);
  delivery.source = row.id<model::SourceId>(5);
  delivery.action = row.id<model::ActionId>(6);
  delivery.state = static_cast<model::DeliveryState>(row.integer(7));
  delivery.attempts = row.number(8);
  delivery.tries_used = row.number(9);
  delivery.unknown_streak = row.number(10);
  delivery.created = row.time(11);
  delivery.due = row.time(12);
  delivery.ended = row.maybe_time(13);
  delivery.ended_seq = row.integer(14);
  delivery.reason = static_cast<model::EndReason>(row.integer(15));
  delivery.last_error = row.text(16);
  delivery.last_status = row.number(17);
  delivery.run = row.number(18);
  delivery.replay_of = row.maybe_id<model::DeliveryId>(19);
  delivery.replayed_by = row.maybe_id<model::DeliveryId>(20);
  delivery.cancel_wished = row.flag(21);
  delivery.waits_for_order = row.flag(22);
  if (delivery.waits_for_order) delivery.due = delivery.created;  // stored as never
  delivery.skipped = row.flag(23);
  delivery.body_size = static_cast<std::uint64_t>(row.integer(24));
  return delivery;
}

model::Attempt read_attempt(Query& row) {
  model::Attempt attempt;
  attempt.number = static_cast<int>(row.integer(0) & ((1 << kAttemptNumberBits) - 1));
  attempt.id = row.id<model::AttemptId>(1);
  attempt.started = row.time(2);
  attempt.result = static_cast<model::AttemptResult>(row.integer(3));
  attempt.step = static_cast<model::AttemptStep>(row.integer(4));
  attempt.action_revision = row.integer(5);
  attempt.response_status = row.number(6);
  attempt.timings.dns_us = row.number(7);
  attempt.timings.connect_us = row.number(8);
  attempt.timings.tls_us = row.number(9);
  attempt.timings.first_byte_us = row.number(10);
  attempt.timings.total_us = row.number(11);
  attempt.error = row.text(12);
  attempt.request_headers = decode_headers(row.blob(13));
  attempt.response_headers = decode_headers(row.blob(14));
  attempt.response_excerpt = row.blob(15);
  attempt.console = row.text(16);
  return attempt;
}

model::ReplayJob read_job(Query& row) {
  model::ReplayJob job;
  job.id = row.id<model::JobId>(0);
  job.state = static_cast<model::JobState>(row.integer(1));
  job.filter.source = row.maybe_id<model::SourceId>(2);
  job.filter.action = row.maybe_id<model::ActionId>(3);
  if (!row.null(4)) job.filter.reason = static_cast<model::EndReason>(row.integer(4));
  job.filter.ended_from = row.maybe_time(5);
  job.filter.ended_to = row.maybe_time(6);
  job.per_second = row.real(7);
  job.ceiling = row.integer(8);
  job.cursor = row.integer(9);
  job.matched = row.integer(10);
  job.replayed = row.integer(11);
  job.skipped = row.integer(12);
  job.created = row.time(13);
  job.ended = row.maybe_time(14);
  return job;
}

}  // namespace grapnel::sqlite
