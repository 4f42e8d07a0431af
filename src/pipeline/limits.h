// Bounds of the pipeline room.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.h"
#include "model/limits.h"

namespace grapnel::pipeline {

/// Events between "read" and "durable". The server bounds their bytes; this bounds their number: at
/// 20 k/s it is half a second's worth, and whoever waits longer is better told to come back.
inline constexpr std::size_t kIngestWaitingMax = 10'000;
/// Appends (or settlements) given to the store at once: one is committed while the next is
/// gathered.
inline constexpr int kBatchesInFlightMax = 2;
/// Items of one batch: a commit of 1,024 events of 1 KiB takes about 30 ms.
inline constexpr std::size_t kBatchItemsMax = 1'024;
/// How often a plan is made anew because the definitions changed under it, before 503.
inline constexpr int kPlanTriesMax = 20;
/// Bodies above this are parsed and hashed off the loop: 256 KiB take about 0.3 ms.
inline constexpr std::size_t kInlineWorkBytesMax = model::kBodyInlineBytesMax;
/// The same for signatures of key pairs, which read the body once each (2 ms a MiB, and up to 25 of
/// them with five keys): 1.5 ms at most.
inline constexpr std::size_t kInlineAsymmetricBytesMax = 32ULL << 10;
static_assert(kInlineAsymmetricBytesMax <= kInlineWorkBytesMax);
/// Of those what is parsed and hashed between two rests: about 0.15 ms.
inline constexpr std::size_t kWorkPieceBytes = 64ULL << 10;
static_assert(kWorkPieceBytes <= kInlineWorkBytesMax);
/// Nesting of a JSON body: simdjson's own bound; no provider sends more than 20.
inline constexpr std::size_t kJsonDepthMax = 1'024;
/// Bytes that Boost.JSON 1.81 gets at a time where a text goes on: it copies what follows a
/// character that was cut in two into a buffer of 4,096 bytes, behind up to four bytes of that
/// character, and does not look whether all of it fits (boostorg/json issue 876).
inline constexpr std::size_t kJsonFeedBytesMax = 4'000;
/// A value read from a body by a pointer (event type, keys).
inline constexpr std::size_t kPointerValueBytesMax = 4'096;

/// Deliveries of one action that are leased ahead of its attempts. At 256 a fast endpoint (2 ms) is
/// kept busy by one lease call a 30 ms; after a crash so many get one unknown attempt.
inline constexpr std::size_t kReadyAheadMax = 256;
/// Bodies of what is leased ahead: of one action, and of all together.
inline constexpr std::uint64_t kReadyBytesMax = 8ULL << 20;
inline constexpr std::uint64_t kReadyBytesTotalMax = 64ULL << 20;
static_assert(kReadyBytesMax <= kReadyBytesTotalMax);
/// Finished attempts of one action whose outcome is not durable yet; beyond it no attempt starts.
/// One batch: what a commit settles.
inline constexpr int kSettlingMax = static_cast<int>(kBatchItemsMax);
/// Attempts at once in the whole process: each holds a socket and about 20 KiB.
inline constexpr int kAttemptsMax = 20'000;
/// Bodies of attempts in flight: eight of the largest.
inline constexpr std::uint64_t kAttemptBytesMax = 256ULL << 20;
static_assert(kAttemptBytesMax >= 2 * model::kBodyBytesMax, "a large body never blocks all others");
/// Wishes of one lease call.
inline constexpr std::size_t kLeaseWishesMax = 1'000;
/// Deliveries of one lease call: their events are read in one go.
inline constexpr int kLeaseCountMax = 1'024;

/// Waits between tries of a store that cannot commit.
inline constexpr Millis kStoreRetryMin{50};
inline constexpr Millis kStoreRetryMax{2'000};
/// How long an attempt waits for an event that the store cannot read; then its delivery goes back
/// for a while, so that one damaged place on a disk does not keep a slot of its action.
inline constexpr Millis kEventReadWaitMax{30'000};
inline constexpr Millis kUnreadableRest{60'000};
/// How long a script waits that could not be run for want of room, or of a sandbox, which tries to
/// start again within half a minute.
inline constexpr Millis kScriptBusyRest{1'000};
inline constexpr Millis kNoSandboxRest{60'000};
/// How long a transform waits whose event some action has no room for, whose result found no file,
/// or whose plan was stale kPlanTriesMax times.
inline constexpr Millis kNoRoomRest{1'000};
/// What a stop has beyond its deadline for the store to take what the deadline cut off: forty
/// commits of a slow disk, and still inside the 30 s that a supervisor gives (25 s of drain).
inline constexpr Millis kStopExtra{2'000};
/// Failed attempts in a row after which an action's health is `failing`.
inline constexpr int kFailingAfter = 5;

/// Held events released, and dead letters replayed, in one transaction.
inline constexpr int kReleaseStep = 200;
inline constexpr int kReplayStep = 200;
static_assert(kReleaseStep <= kLeaseCountMax);
/// A step of a bulk replay takes the deliveries of this long at its rate, so that progress is seen
/// and a cancel bites.
inline constexpr Millis kReplayStepTime{250};
/// The longest pause between two steps: the slowest rate is one delivery a day.
inline constexpr Millis kReplayPauseMax{24 * 3'600'000};
/// How often gauges are read from the store's counts.
inline constexpr Millis kGaugesEvery{5'000};
/// How often maintenance looks for work that nobody told it of.
inline constexpr Millis kUpkeepEvery{30'000};
/// Pause between two steps of a sweep, so that it takes at most a part of the writer's time.
inline constexpr Millis kUpkeepPause{5};
/// How far the wall clock may be off the store's before it is logged.
inline constexpr Millis kWallJump{5'000};

/// Actions whose opened keys are kept; beyond, all are opened anew.
inline constexpr std::size_t kKeyringMax = 20'000;
/// Sources whose opened verification is kept; beyond, all are opened anew.
inline constexpr std::size_t kEntrancesMax = 20'000;
static_assert(kEntrancesMax >= model::kSourcesMax);
/// Lines of one source and outcome that a minute begins with, one a webhook; then one in many,
/// which says how many were left out: 100 a second are logged whole, a flood is not.
inline constexpr std::uint64_t kAuditLinesFirst = 6'000;
/// What transforms made that is planned and stored at a time: one of the largest, or thousands of
/// the usual.
inline constexpr std::uint64_t kFanoutBytesMax = 64ULL << 20;
static_assert(kFanoutBytesMax >= model::kSplitBytesMax);
/// Refused requests that are kept to be looked at, of all sources, and their bytes; bodies above
/// kQuarantineBodyBytesMax are left out.
inline constexpr std::size_t kQuarantinedMax = 1'000;
inline constexpr std::size_t kQuarantineBytesMax = 32ULL << 20;
inline constexpr std::size_t kQuarantineBodyBytesMax = 256ULL << 10;
static_assert(kQuarantineBytesMax >= 8 * kQuarantineBodyBytesMax);
/// Events of one CloudEvents batch: what one commit of the store takes.
inline constexpr std::size_t kCloudEventsMax = 1'000;
static_assert(kCloudEventsMax <= kBatchItemsMax);
/// Rate limiters; beyond, those whose bucket is full are dropped before one is added.
inline constexpr std::size_t kRateLimitersMax = model::kSourcesMax;
/// What a token may lack and still be one: a second's worth of additions of doubles is off by less.
inline constexpr double kRateRounding = 1e-6;

}  // namespace grapnel::pipeline
