// Bounds of the telemetry room.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.h"
#include "base/units.h"

namespace grapnel::telemetry {

/// Series of one metric family. Above it the first label becomes "_other", so that a thousand
/// sources cost a scrape of some MiB (2,000 series of 14 buckets are 28,000 lines) and not more.
inline constexpr std::size_t kLabelValuesMax = 2'000;
/// Room for series whose first label is "_other": the values of the remaining labels are few.
inline constexpr std::size_t kOtherSeriesMax = 100;
/// Longest label value; names of sources and actions end at 200 bytes.
inline constexpr std::size_t kLabelValueBytesMax = 200;
/// Bounds of one histogram; more cost memory and scrape time without telling more.
inline constexpr std::size_t kBucketsMax = 32;

/// Log lines that wait for a slow reader of stderr: a second at 4,000 lines/s, about 2 MiB. The
/// oldest are dropped and counted.
inline constexpr std::size_t kLogQueueMax = 4'096;
/// One string in a log line; longer ones are cut.
inline constexpr std::size_t kLogValueBytesMax = 4_KiB;

/// Kinds that a sampler tells apart; beyond, all share one.
inline constexpr std::size_t kSamplerKindsMax = 1'000;
/// Lines of one kind a minute that pass, and which of the rest still do.
inline constexpr std::uint64_t kSamplerFirst = 10;
inline constexpr std::uint64_t kSamplerThereafter = 100;
inline constexpr Millis kSamplerWindow{60'000};

static_assert(kOtherSeriesMax < kLabelValuesMax);
static_assert(kSamplerFirst > 0 && kSamplerThereafter > 0);

}  // namespace grapnel::telemetry
