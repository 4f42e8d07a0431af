// Bounds of the simulation: small, so that runs reach them.
#pragma once

#include "model/upkeep.h"
#include "pipeline/dispatch.h"

namespace grapnel::sim {

/// Of the whole process: below what the actions together may have in flight.
inline constexpr pipeline::AttemptBounds kBounds{.attempts_max = 12, .bytes_max = 1 << 20};
/// Short enough that a run sees events go, longer than their retries take.
inline constexpr model::RetentionPolicy kRetention{.finished = Millis{90'000},
                                                   .dead = Millis{240'000}};
/// Open work of the one action whose backlog fills.
inline constexpr std::int64_t kSmallBacklog = 6;
/// Held events of the one source that may hold few.
inline constexpr std::int64_t kSmallHeld = 12;
/// Beyond the time that an attempt waits for its event: its last back-off.
inline constexpr Millis kReadSlack{5'000};
/// Operations of one run: with what they bring about some 550 steps.
inline constexpr int kOperations = 70;
/// Turns of five seconds of the peace at the end: more than any retry needs.
inline constexpr int kPeaceTurns = 400;
/// Of a store that works, before what is gone or deleting must have ended: maintenance looks every
/// half minute, and a sweep may go before it.
inline constexpr Millis kCalm{45'000};
/// How long a planted bug sleeps before it looks again.
inline constexpr Millis kNap{1'000};
/// Wake-ups that a stop may take: more than all timers of a run.
inline constexpr int kStopTurns = 10'000;

}  // namespace grapnel::sim
