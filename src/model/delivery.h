// A delivery: one event for one action. An attempt: one try of it.
//
//   pending --lease--> running --confirmed--> delivered
//      ^                 | | \--no tries left or final--> dead
//      |                 | \--failed, tries left--> retrying --due--> running
//      \--cut off--------/         (docs/SEMANTICS.md has the whole table)
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "model/headers.h"
#include "model/ids.h"

namespace grapnel::model {

/// Terminal: delivered, dead, cancelled; nothing leaves them. The numbers are stored.
enum class DeliveryState : std::uint8_t {
  pending = 0,
  running = 1,
  retrying = 2,
  delivered = 3,
  dead = 4,
  cancelled = 5,
};
constexpr bool is_terminal(DeliveryState state) { return state >= DeliveryState::delivered; }

/// Why a delivery died or was cancelled. The numbers are stored.
enum class EndReason : std::uint8_t {
  none = 0,
  retries_exhausted = 1,   ///< the last try of its policy failed
  final_failure = 2,       ///< the policy says that this failure is final
  endpoint_gone = 3,       ///< the action's health is gone (410)
  egress_refused = 4,      ///< the egress guard refuses the target's address
  backlog_full = 5,        ///< born dead: the action's backlog bound was reached
  body_damaged = 6,        ///< the stored body does not match its checksum
  by_person = 7,           ///< cancelled by hand
  definition_deleted = 8,  ///< its source or action is being deleted
  bad_configuration = 9,   ///< the request could not be built (a key that does not open, a bad URL)
};

enum class AttemptResult : std::uint8_t {
  succeeded = 0,
  failed = 1,
  unknown = 2,      ///< the process died, or the lease expired, before an outcome was durable
  handed_back = 3,  ///< cut off by a shutdown; counts nothing
};

/// Which step of an attempt failed. The numbers are stored; the texts are metric labels.
enum class AttemptStep : std::uint8_t {
  none = 0,
  prepare = 1,  ///< building the request: bad target, unreadable key, damaged body
  egress = 2,   ///< the address is not allowed
  dns = 3,
  connect = 4,
  tls = 5,
  send = 6,
  response = 7,  ///< reading the answer: reset, malformed, too slow
  timeout = 8,   ///< the action's time-out, whichever step it struck in
  status = 9,    ///< an answer other than 2xx
  script = 10,   ///< a script failed, or gave what cannot be used
};

struct AttemptTimings {
  std::int32_t dns_us = -1;  ///< -1: the step was not taken (a kept connection)
  std::int32_t connect_us = -1;
  std::int32_t tls_us = -1;
  std::int32_t first_byte_us = -1;  ///< from the request's last byte to the answer's first
  std::int32_t total_us = 0;
};

/// One try, as recorded. The constant part of the request (method, URL, the action's headers) is
/// the action's at `action_revision`; here is only what differs per attempt.
struct Attempt {
  AttemptId id;
  int number = 0;  ///< from 1 within the delivery
  Time started;
  AttemptTimings timings;
  AttemptResult result = AttemptResult::succeeded;
  AttemptStep step = AttemptStep::none;
  Revision action_revision = 0;
  HeaderList request_headers;  ///< as sent, secrets cut
  int response_status = 0;     ///< 0: no answer
  HeaderList response_headers;
  std::string response_excerpt;  ///< at most kResponseExcerptBytesMax
  std::string console;           ///< what a script wrote to its console
  std::string error;             ///< one line that says which step failed; "" on success
};

struct Delivery {
  Seq seq = 0;
  DeliveryId id;
  Seq event_seq = 0;
  EventId event;
  std::string event_type;
  SourceId source;
  ActionId action;
  DeliveryState state = DeliveryState::pending;
  int attempts = 0;        ///< made so far, unknown ones included
  int tries_used = 0;      ///< failures that count against the retry policy
  int unknown_streak = 0;  ///< unknown attempts in a row
  Time created;
  Time due;  ///< of pending and retrying
  std::optional<Time> ended;
  Seq ended_seq = 0;
  EndReason reason = EndReason::none;
  std::string last_error;
  int last_status = 0;
  int run = 1;
  std::optional<DeliveryId> replay_of;
  std::optional<DeliveryId> replayed_by;
  bool cancel_wished = false;
  bool waits_for_order = false;  ///< an earlier delivery of its ordering key is not terminal
  bool skipped = false;          ///< dead, and a person let its ordering key go on
  std::uint64_t body_size = 0;   ///< of its event
};

}  // namespace grapnel::model
