// From what an attempt met to what becomes of its delivery: the retry policy, as pure functions.
#pragma once

#include <optional>

#include "base/random.h"
#include "model/action.h"
#include "model/delivery_book.h"
#include "pipeline/script_result.h"

namespace grapnel::pipeline {

/// One attempt, made; and what it used.
struct AttemptReport {
  model::Attempt attempt;
  /// Of the answer, whatever its status; of an attempt that was not made, until the next
  std::optional<Millis> retry_after;
  model::Revision target_revision = 0;  ///< of the action that the attempt was made with
  bool body_damaged = false;            ///< the stored body cannot be sent
  std::optional<Made> made = {};        ///< of a transform that succeeded
};

/// Whether a failure may pass by itself: connection, DNS and TLS errors, time-outs, 408, 429 and
/// 5xx.
bool is_transient(const model::Attempt& attempt);

/// How the lease ends after this attempt. `current` is the action as it is now: a 410 of its
/// current target is the end whatever the policy, one of a former target an ordinary failure.
model::Settlement settle(const model::Lease& lease, const model::Action& current,
                         AttemptReport report, Time now, Random& random);

}  // namespace grapnel::pipeline
