// Bounds of the js room: of a call, of the worker's process, and of the pool. The worker is
// compiled with them too.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/units.h"
#include "model/limits.h"

namespace grapnel::js {

// --- one call

/// A call that took this much processor time makes its script a suspect: five hundred times what a
/// transform of 1 KiB needs. Regular workers interrupt it there; the suspects' worker lets it have
/// all of kScriptTimeMax.
inline constexpr std::chrono::milliseconds kSlowCall{100};
static_assert(kSlowCall < model::kScriptTimeMax);
/// The watchdog looks this often while a call runs: how late an interrupt may come.
inline constexpr std::chrono::milliseconds kWatchdogTick{5};
/// After its time a worker may take so long to say so before it is killed. Interrupts come at once;
/// what is waited for is a busy machine, or a step of the engine that cannot be interrupted.
inline constexpr std::chrono::milliseconds kKillGrace{300};
/// Event of a call without its body: 100 headers in 32 KiB and 1,000 actions with a name and a URL
/// are below 3 MiB as JSON.
inline constexpr std::uint64_t kCallEventBytesMax = 8_MiB;
inline constexpr std::uint64_t kCallBytesMax = model::kBodyBytesMax + kCallEventBytesMax;
/// What a failure says, in one line.
inline constexpr std::size_t kMessageBytesMax = 1_KiB;
/// One value that console.log is given: the console takes 8 KiB in all.
inline constexpr std::size_t kConsoleValuesMax = 64;
/// Name of a script in messages: "source:transform" with the longest names.
inline constexpr std::size_t kScriptNameBytesMax = 512;

// --- one batch

/// Calls of one batch: 91 µs for one message, 3.7 µs for each of 32.
inline constexpr std::size_t kBatchCallsMax = 32;
/// Bytes of a batch, unless its first call alone is larger.
inline constexpr std::size_t kBatchBytesMax = 256_KiB;
/// A worker gives a batch back after this long: together with one slow call it is what another
/// script may have to wait for.
inline constexpr std::chrono::milliseconds kBatchTime{50};
/// Answers leave the worker at the latest after this long, or when they are this large.
inline constexpr std::chrono::milliseconds kAnswerDelayMax{5};
inline constexpr std::size_t kAnswerBatchBytesMax = 64_KiB;
/// Frames: kind and numbers before the texts, and texts with their lengths.
inline constexpr std::size_t kFrameHeadBytes = 5;
inline constexpr std::size_t kFrameSlackBytes = 4_KiB;
inline constexpr std::size_t kCallFrameBytesMax =
    kCallBytesMax + model::kScriptBytesMax + kFrameSlackBytes;
inline constexpr std::size_t kAnswerFrameBytesMax =
    model::kScriptResultBytesMax + model::kConsoleBytesMax + kMessageBytesMax + kFrameSlackBytes;
static_assert(kBatchBytesMax <= kCallFrameBytesMax);
/// One read from a worker.
inline constexpr std::size_t kReadBytes = 64_KiB;

// --- the worker's process

/// Script versions that a worker keeps compiled, each in a realm of its own: 10 ms to make and half
/// a MiB to keep.
inline constexpr std::uint32_t kRealmsMax = 64;
inline constexpr std::uint64_t kRealmBytes = 512_KiB;
/// The engine's heap: that of scripts, and their realms.
inline constexpr std::uint64_t kHeapBytesMax =
    model::kScriptHeapBytesMax + kRealmsMax * kRealmBytes;
/// Address space beyond what the engine takes to start: its heap, as much again for what it does
/// not count (array buffers, texts being read and written), and the largest call.
inline constexpr std::uint64_t kWorkerSpaceBytes = 2 * kHeapBytesMax + 2 * kCallFrameBytesMax;
/// Stack of the engine, and of its helper thread, each within what its thread has.
inline constexpr std::size_t kMainStackBytes = 8_MiB;
inline constexpr std::size_t kStackQuotaBytes = 1_MiB;
static_assert(4 * kStackQuotaBytes <= kMainStackBytes);
inline constexpr std::size_t kHelperStackBytes = 2_MiB;
inline constexpr std::size_t kHelperQuotaBytes = 1_MiB;
static_assert(kHelperQuotaBytes < kHelperStackBytes);
/// Memory that one batch may leave behind before the worker collects it.
inline constexpr std::size_t kGarbageBytesMax = 48_MiB;
/// Room for the handler of a crash.
inline constexpr std::size_t kSignalStackBytes = 64_KiB;
/// Asked for when a worker crashed, to see whether memory was short.
inline constexpr std::size_t kShortageProbeBytes = 16_MiB;
/// Text of what the kernel refused.
inline constexpr std::size_t kRefusalBytesMax = 256;

// --- the pool

/// Workers for well-behaved scripts: the program is measured on two cores.
inline constexpr int kWorkersDefault = 2;
inline constexpr int kWorkersMax = 64;
/// A script holds at most this fraction of the waiting room that others left (kScriptCallsMax).
inline constexpr std::size_t kShareDivisor = 2;
/// Calls of one suspect that wait, and of all: at half a second each the last of them waits two
/// minutes.
inline constexpr std::size_t kSuspectCallsMax = 64;
inline constexpr std::size_t kSuspectCallsTotalMax = 256;
static_assert(kSuspectCallsMax <= kSuspectCallsTotalMax);
static_assert(kSuspectCallsTotalMax <= model::kScriptCallsMax);
/// How long a script stays a suspect after its last offence, and after a worker died for a reason
/// that may not be its own.
inline constexpr std::chrono::milliseconds kSuspectTime{60'000};
inline constexpr std::chrono::milliseconds kBystanderTime{1'000};
/// So many quick calls in a row end it early: the machine was slow, not the script.
inline constexpr int kSuspectPardonCalls = 32;
inline constexpr std::chrono::milliseconds kQuickCall{20};
static_assert(kQuickCall < kSlowCall);
/// A call whose worker was killed from outside runs again, so often.
inline constexpr int kDeathsMax = 3;
/// Scripts that are remembered; about 200 bytes each.
inline constexpr std::size_t kScriptsKnownMax = 10'000;
/// Time to start: 40 ms on an idle machine.
inline constexpr std::chrono::milliseconds kStartTimeout{15'000};
/// Wait after a start that failed; doubles from the first to the last.
inline constexpr std::chrono::milliseconds kStartRetryMin{100};
inline constexpr std::chrono::milliseconds kStartRetryMax{30'000};
/// Workers end after resting so long.
inline constexpr std::chrono::milliseconds kIdleTime{300'000};
/// How late a worker that overstays may be noticed.
inline constexpr std::chrono::milliseconds kOverdueTick{20};
/// Descriptors that are closed one by one where the kernel has no close_range.
inline constexpr int kDescriptorsMax = 65'536;

}  // namespace grapnel::js
