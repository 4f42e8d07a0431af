// Bounds of the http room. Time-outs are defaults that the options of Server and Client may change.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/units.h"
#include "model/limits.h"

namespace grapnel::http {

// --- what peers may send us

/// A peer must finish its request head in this time: browsers need milliseconds, satellites a
/// second.
inline constexpr std::chrono::milliseconds kHeadTimeout{10'000};
/// Time for a body of any size, and the rate that earns more time: 32 MiB may take 30 s + 512 s.
inline constexpr std::chrono::milliseconds kBodyTimeout{30'000};
inline constexpr std::uint64_t kBodyBytesPerSecondMin = 64_KiB;
/// Connections wait this long for their next request; as nginx, and above the 60 s of cloud
/// balancers.
inline constexpr std::chrono::milliseconds kIdleTimeout{75'000};
/// Time to take an answer, and as for bodies more for long ones.
inline constexpr std::chrono::milliseconds kWriteTimeout{30'000};
/// After an answer that left a body unread the rest is thrown away for so long and so far, because
/// closing at once resets the connection and the peer may lose the answer.
inline constexpr std::chrono::milliseconds kLingerTimeout{5'000};
inline constexpr std::uint64_t kLingerBytesMax = model::kBodyBytesMax;
/// Open connections of one server: 10,000 with 4 KiB of buffer each are 40 MiB.
inline constexpr std::size_t kConnectionsMax = 10'000;
/// Bytes of request bodies held at a time by one server: eight of the largest, or 1,024 of 256 KiB.
inline constexpr std::uint64_t kBodyBytesInFlightMax = 256_MiB;
static_assert(kBodyBytesInFlightMax >= 4 * model::kBodyBytesMax);
/// One payer holds at most this fraction of what the others left: however many sources are flooded,
/// the next one still has room, and the part of the first takes four of the largest bodies.
inline constexpr std::uint64_t kPayerShareDivisor = 2;
static_assert(kBodyBytesInFlightMax / kPayerShareDivisor >= 4 * model::kBodyBytesMax);
/// Empty lines before a request line (RFC 9112 section 2.2: at least one).
inline constexpr std::size_t kEmptyLinesMax = 4;
/// One chunk-size line with its extensions, and all trailer fields; we use neither.
inline constexpr std::size_t kChunkLineBytesMax = 1_KiB;
inline constexpr std::size_t kTrailerBytesMax = 8_KiB;
/// A chunk size of more hexadecimal digits does not fit 60 bits.
inline constexpr int kChunkSizeDigitsMax = 15;

// --- buffers

/// First size of a connection's read buffer: the median webhook head is 1 KiB, with its body 3 KiB.
inline constexpr std::size_t kReadBufferBytes = 4_KiB;
/// Bodies are paid for in steps that double from here, so that a declared length alone costs no
/// memory.
inline constexpr std::size_t kBodyStepBytes = 4_KiB;
/// From here on a body is a large one. It gets all its room at once, because growing on would copy
/// it on the loop: at most thirty-two times the bytes that it has paid for, in address space alone
/// until they come.
inline constexpr std::size_t kLargeBodyBytesMin = 1_MiB;
static_assert(model::kBodyBytesMax <= 32 * kLargeBodyBytesMin);
/// One read of a body: about 120 µs of the loop, so that others are served in between.
inline constexpr std::size_t kBodyReadBytes = 256_KiB;
/// One read of a large body in chunks; the decoder copies out of it.
inline constexpr std::size_t kChunksReadBytes = 32_KiB;
static_assert(kChunksReadBytes <= model::kHeaderBytesMax);
/// Large bodies, from all connections: an eighth of a loop that reads 2 GiB a second, and as much
/// as a line of 2 Gbit/s brings.
inline constexpr std::uint64_t kLargeBodyBytesPerSecond = 256_MiB;
/// Bodies of answers up to this are copied behind the head: one buffer, one TLS record.
inline constexpr std::size_t kGatherBytesMin = 16_KiB;
/// Bytes thrown away at a time while lingering.
inline constexpr std::size_t kLingerStepBytes = 16_KiB;

// --- housekeeping

/// How late a time-out may strike. A scan of 10,000 deadlines costs about 100 us.
inline constexpr std::chrono::milliseconds kTickMax{100};
inline constexpr std::chrono::milliseconds kTickMin{2};
/// Certificate files are looked at this often.
inline constexpr std::chrono::milliseconds kTlsCheckInterval{3'000};
/// Wait after accept failed for want of descriptors.
inline constexpr std::chrono::milliseconds kAcceptRetry{50};
/// Connections that the kernel has accepted for a listener.
inline constexpr int kListenBacklog = 4'096;
/// Addresses of one X-Forwarded-For that are looked at, from the right; chains have under ten.
inline constexpr std::size_t kForwardedHopsMax = 32;

// --- outgoing calls

/// Head of an answer, and its fields: what the strictest proxies let through.
inline constexpr std::size_t kAnswerHeadBytesMax = 64_KiB;
inline constexpr std::size_t kAnswerHeadersMax = 256;
/// Interim answers (1xx) before the real one.
inline constexpr int kInterimAnswersMax = 16;
/// Calls at a time, each a descriptor and about 20 KiB. All attempts that the dispatcher makes at
/// once (20,000; app asserts that they fit) and 2,000 calls that people ask for (trying an action)
/// have room, so that it is the dispatcher's bound which is reached, where deliveries wait and no
/// attempt is lost; this one holds whoever forgets a bound of its own.
inline constexpr std::size_t kCallsMax = 22'000;
static_assert(kCallsMax >= static_cast<std::size_t>(model::kMaxInFlightMax));
/// Kept connections, of one endpoint and in total: a descriptor and about 8 KiB each, 70 KiB with
/// TLS. Ten actions of one endpoint have 160 in flight by default, 640 at 64 each; what a burst
/// does not find kept it opens anew, which costs as much again as the delivery. Beyond the total
/// the one that has rested longest makes room.
inline constexpr std::size_t kIdlePerEndpointMax = 1'024;
inline constexpr std::size_t kIdleMax = 2'048;
static_assert(kIdlePerEndpointMax <= kIdleMax);
static_assert(kIdlePerEndpointMax >= 10 * model::kMaxInFlightDefault);
/// Shorter than the 60 s of common servers, so that we close first.
inline constexpr std::chrono::milliseconds kPoolIdleTimeout{30'000};
/// Addresses of one name that a call tries.
inline constexpr std::size_t kConnectAddressesMax = 4;
/// Prepared CA bundles kept for new connections; one costs about 1 MiB.
inline constexpr std::size_t kTrustStoresMax = 64;

// --- names

inline constexpr std::size_t kHostBytesMax = 253;  ///< RFC 1035 section 2.3.4, without the last dot
inline constexpr std::size_t kLabelBytesMax = 63;  ///< RFC 1035 section 2.3.4
inline constexpr std::size_t kAddressTextMax =
    45;  ///< longest text of an address: INET6_ADDRSTRLEN - 1
/// Names looked up at a time, and callers that wait for them.
inline constexpr std::size_t kLookupsMax = 256;
inline constexpr std::size_t kLookupWaitersMax = kCallsMax;
/// Kept answers: a name costs about 200 bytes.
inline constexpr std::size_t kNamesCachedMax = 4'096;
inline constexpr std::size_t kAddressesPerNameMax = 16;
inline constexpr std::chrono::seconds kNameTtlMin{1};
inline constexpr std::chrono::seconds kNameTtlMax{60};
/// A name that does not exist, and one whose servers failed.
inline constexpr std::chrono::seconds kNameAbsentTtl{5};
inline constexpr std::chrono::seconds kNameFailedTtl{1};
/// One question to one name server, and rounds over all of them.
inline constexpr std::chrono::milliseconds kNameServerTimeout{2'000};
inline constexpr int kNameServerTries = 2;

}  // namespace grapnel::http
