// Bounds of the embedded store.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/clock.h"
#include "base/units.h"
#include "model/limits.h"

namespace grapnel::sqlite {

/// File of a data directory whose lock its process holds.
inline constexpr std::string_view kLockFile = "lock";

/// The write-ahead log: past this the writer makes room itself. Large enough that the checkpointer
/// keeps ahead of 15 k events/s for seconds, small enough that recovery after a crash reads it in
/// about one second.
inline constexpr std::uint64_t kWalBytesMax = 256_MiB;
/// Writes of the log are gathered until there are so many bytes. SQLite's own VFS takes fewer than
/// 128 KiB in one call (seekAndWriteFd in os_unix.c masks the length).
inline constexpr std::size_t kWalGatherBytes = 96_KiB;
/// What a body's file or a copy puts before the log's next sync in the disk's queue: about 0.25 ms
/// of a disk that writes 500 MiB/s.
inline constexpr std::size_t kWriteBackBytes = 128_KiB;
/// The log grew by this much: a PASSIVE checkpoint is worth its two syncs.
inline constexpr std::uint64_t kCheckpointEveryBytes = 8_MiB;
static_assert(kCheckpointEveryBytes * 4 <= kWalBytesMax, "several checkpoints before the bound");
/// The bound of the log could not be held (a reader did not end in time): tried again after so much
/// more.
inline constexpr std::uint64_t kRoomRetryBytes = 16_MiB;
/// Waits of the writer for readers at the bound before it interrupts them, and after that in all.
inline constexpr Millis kReaderGrace{20};
inline constexpr Millis kRestartWaitMax{500};
/// How long a connection waits for another one's lock in the ordinary course (recovery,
/// checkpoint).
inline constexpr Millis kBusyWaitMax{2'000};

/// Commands waiting for the writer: at 15 k/s this is a second's work, and bodies in flight are
/// bounded to the same order by the server.
inline constexpr std::size_t kQueuedCommandsMax = 16'384;
inline constexpr std::size_t kQueuedBytesMax = 256_MiB;
/// One transaction: long enough to share a sync, short enough (about 50 ms) not to delay the first
/// in it.
inline constexpr std::size_t kTransactionCommandsMax = 1'024;
inline constexpr std::size_t kTransactionBytesMax = 8_MiB;
static_assert(kTransactionCommandsMax <= kQueuedCommandsMax &&
              kTransactionBytesMax <= kQueuedBytesMax);
/// What a command costs in the queue beside the bytes it carries.
inline constexpr std::size_t kCommandBytes = 512;

/// While the store cannot commit it is probed after this wait, doubled up to the longest one.
inline constexpr Millis kProbeWaitMin{50};
inline constexpr Millis kProbeWaitMax{2'000};
/// The longest that one step (a transaction, a checkpoint, a piece of a body) may take before the
/// store says that its disk hangs: a checkpoint of the whole log takes 2.6 s at 100 MiB/s, and
/// GitHub waits 10 s for an answer.
inline constexpr Millis kStallMax{5'000};
static_assert(kStallMax > kBusyWaitMax + kReaderGrace + kRestartWaitMax);
/// A probe writes this much, so that a disk with a few free pages does not flap.
inline constexpr std::size_t kProbeBytes = 64_KiB;

/// Threads for reads, each with a connection of its own: pages and lists beside the writer.
inline constexpr std::size_t kReaders = 4;
/// Threads that write large bodies: one waits for the disk while the other gives it work.
inline constexpr std::size_t kBodyWriters = 2;
/// Threads whose waits for the disk are watched: the writer and those.
inline constexpr std::size_t kWatchedThreads = 1 + kBodyWriters;
/// A read that was interrupted for the bound of the log is made again so often.
inline constexpr int kReadTries = 3;
/// Virtual machine steps between two looks at the interrupt mark: about 100 µs.
inline constexpr int kInterruptCheckSteps = 10'000;

/// Page caches. The writer's holds the inner pages of every index of a store of 10 M events.
inline constexpr std::size_t kWriterCacheBytes = 16_MiB;
inline constexpr std::size_t kReaderCacheBytes = 2_MiB;
/// Prepared statements a connection keeps; there are fewer than 150 distinct texts.
inline constexpr std::size_t kStatementsMax = 256;

/// Rows of one transaction in recovery and in other bounded steps: about 20 ms.
inline constexpr int kStepRows = 1'000;
/// Bulk replays that run at once: each is looked at in every round.
inline constexpr int kRunningJobsMax = 100;
/// Jobs that are listed, newest first.
inline constexpr int kJobsListedMax = 1'000;

/// An attempt's key is (delivery << bits) | number: 65,535 attempts of one delivery, 2^47
/// deliveries.
inline constexpr int kAttemptNumberBits = 16;
/// A result's key is (event << bits) | run, in the same way.
inline constexpr int kRunBits = 16;
/// Runs of one event: what the key holds.
inline constexpr int kRunMax = (1 << kRunBits) - 1;
/// A fence is (epoch << bits) | counter: 10^12 leases in one process.
inline constexpr int kFenceCounterBits = 40;

/// Seeks and row reads of one list page, at 2 to 4 µs each: a page that finds little ends early
/// with a cursor.
inline constexpr int kPageSeeksMax = 10'000;
/// Open deliveries that a list filtered by an open state holds in memory: about 5 ms and 400 KB.
/// Beyond, each row on the way is looked at.
inline constexpr int kOpenListedMax = 50'000;
/// Entries counted in one read, so that no snapshot is held for long: about 5 ms.
inline constexpr int kCountSliceRows = 50'000;
/// Attempts of one delivery that are listed: the longest schedule has 51, the rest are unknown
/// ones.
inline constexpr int kAttemptsListedMax = 1'000;
/// Former states of an action that are kept for showing what its attempts sent.
inline constexpr int kActionRevisionsKept = 100;

/// Pages that a backup copies between two commits: 1 MiB, about 1 ms of the writer's time.
inline constexpr int kBackupStepPages = 256;
/// Bytes read at once while a file is copied or checked.
inline constexpr std::size_t kCopyBytes = kWriteBackBytes;
/// A backup's manifest: 2 M body files at about 120 bytes each.
inline constexpr std::size_t kManifestBytesMax = 256_MiB;
/// What a restore adds, so that nothing given out after the backup was made is ever given out
/// again: 2^32 numbers are three days at 15 k/s, 2^63 holds two thousand million restores.
inline constexpr std::int64_t kSeqLeap = std::int64_t{1} << 32;
inline constexpr std::int64_t kRevisionLeap = std::int64_t{1} << 32;
/// Process starts since the backup; a fence holds 2^(63 - kFenceCounterBits) of them.
inline constexpr std::int64_t kEpochLeap = 1'024;
static_assert(kEpochLeap < (std::int64_t{1} << (63 - kFenceCounterBits)) / 1'000,
              "a thousand restores");

}  // namespace grapnel::sqlite
