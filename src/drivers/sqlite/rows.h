// Rows as the domain's structs: the column lists and who reads them. Queries append their own
// WHERE.
#pragma once

#include <string_view>

#include "drivers/sqlite/limits.h"
#include "drivers/sqlite/statement.h"
#include "model/delivery.h"
#include "model/delivery_book.h"
#include "model/event.h"

namespace grapnel::sqlite {

/// "SELECT … FROM events e ", without bodies.
#define GRAPNEL_SQLITE_EVENT_SELECT                                                          \
  "SELECT e.seq, e.id, (SELECT id FROM sources WHERE pk = e.source), e.type, e.method, "     \
  "e.target, e.remote, e.headers, e.body_size, e.body_sha256, e.received_ms, e.idem_place, " \
  "e.idem_key, e.ordering_key, e.verification, e.traceparent, e.fanout, e.run, "             \
  "(SELECT s.parent FROM splits s WHERE s.event_seq = e.seq) FROM events e "
model::Event read_event(Query& row);

/// "SELECT … FROM deliveries d CROSS JOIN events e ON … " (CROSS: deliveries is always the outer
/// table).
#define GRAPNEL_SQLITE_DELIVERY_SELECT                                                           \
  "SELECT d.seq, d.id, d.event_seq, e.id, coalesce((SELECT r.type FROM results r WHERE r.key = " \
  "(d.event_seq << 16) | d.run), e.type), (SELECT id FROM sources WHERE pk = d.source), "        \
  "(SELECT id FROM actions WHERE pk = d.action), d.state, d.attempts, d.tries_used, "            \
  "d.unknown_streak, d.created_ms, d.due_ms, d.ended_ms, d.ended_seq, d.reason, d.last_error, "  \
  "d.last_status, d.run, d.replay_of, d.replayed_by, d.cancel_wish, d.waits, d.skipped, "        \
  "d.body_size "                                                                                 \
  "FROM deliveries d CROSS JOIN events e ON e.seq = d.event_seq "
model::Delivery read_delivery(Query& row);

/// "SELECT … FROM attempts a ".
#define GRAPNEL_SQLITE_ATTEMPT_SELECT                                                           \
  "SELECT a.key, a.id, a.started_ms, a.result, a.step, a.action_revision, a.status, a.dns_us, " \
  "a.connect_us, a.tls_us, a.first_byte_us, a.total_us, a.error, a.request_headers, "           \
  "a.response_headers, a.excerpt, a.console FROM attempts a "
model::Attempt read_attempt(Query& row);
/// attempts.key of the delivery's attempt; number 0 is below its first, next delivery's 0 above its
/// last.
constexpr std::int64_t attempt_key(model::Seq delivery, int number) {
  constexpr int kNumberMax = (1 << kAttemptNumberBits) - 1;
  return (delivery << kAttemptNumberBits) | (number < kNumberMax ? number : kNumberMax);
}

/// results.key of a run of an event; run 0 is below its first, the next event's run 0 above its
/// last.
constexpr std::int64_t result_key(model::Seq event, int run) {
  return (event << kRunBits) | (run < kRunMax ? run : kRunMax);
}

/// "SELECT … FROM jobs j ".
#define GRAPNEL_SQLITE_JOB_SELECT                                                               \
  "SELECT j.id, j.state, j.filter_source, j.filter_action, j.filter_reason, j.filter_from_ms, " \
  "j.filter_to_ms, j.per_second, j.ceiling, j.cursor, j.matched, j.replayed, j.skipped, "       \
  "j.created_ms, j.ended_ms FROM jobs j "
model::ReplayJob read_job(Query& row);

}  // namespace grapnel::sqlite
