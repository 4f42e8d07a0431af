#include "base/clock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace grapnel {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

/// A machine whose two clocks are set by hand.
class HandClock final : public Clock {
 public:
  Time wall() const override { return wall_at; }
  Monotonic monotonic() const override { return monotonic_at; }

  Time wall_at{seconds{1'700'000'000}};
  Monotonic monotonic_at{seconds{50}};
};

TEST(StoreClock, AdvancesByMonotonicTimeOnly) {
  HandClock machine;
  const StoreClock clock(machine, Time{});
  machine.monotonic_at += seconds{5};
  EXPECT_EQ(clock.now(), Time{seconds{1'700'000'005}});
}

TEST(StoreClock, JumpOfTheWallClockChangesNothingButTheOffset) {
  HandClock machine;
  const StoreClock clock(machine, Time{});
  machine.wall_at -= hours{3};
  EXPECT_EQ(clock.now(), Time{seconds{1'700'000'000}});
  EXPECT_EQ(clock.wall_offset(), -hours{3});
  machine.wall_at += hours{5};
  EXPECT_EQ(clock.now(), Time{seconds{1'700'000'000}});
  EXPECT_EQ(clock.wall_offset(), hours{2});
}

TEST(StoreClock, NeverStartsBeforeTheNewestTimeOfTheStore) {
  HandClock machine;
  const Time newest = machine.wall_at + hours{1};
  const StoreClock clock(machine, newest);
  EXPECT_EQ(clock.now(), newest);
  machine.monotonic_at += seconds{1};
  EXPECT_EQ(clock.now(), newest + seconds{1});
}

TEST(SystemClock, MonotonicNeverGoesBack) {
  const SystemClock clock;
  Monotonic before = clock.monotonic();
  for (int i = 0; i < 1000; ++i) {
    const Monotonic now = clock.monotonic();
    ASSERT_GE(now, before);
    before = now;
  }
}

TEST(Rfc3339, MalformedTextIsRefused) {
  for (const std::string_view text :
       {"", "2026", "2026-01-02", "2026-01-02T03:04:05", "2026-13-02T03:04:05Z",
        "2026-02-29T03:04:05Z", "2026-01-02T24:04:05Z", "2026-01-02T03:60:05Z",
        "2026-01-02T03:04:61Z", "2026-01-02T03:04:05.Z", "2026-01-02T03:04:05.1234567890Z",
        "2026-01-02T03:04:05+24:00", "2026-01-02T03:04:05+01:60", "2026-01-02T03:04:05+0100",
        "2026-01-02T03:04:05Zx", "2026-01-02T03:04:-5Z", "+026-01-02T03:04:05Z"}) {
    const auto time = parse_rfc3339(text);
    ASSERT_FALSE(time) << text;
    EXPECT_EQ(time.error().code, errc::malformed) << text;
    EXPECT_THAT(time.error().message(), testing::HasSubstr("RFC 3339"));
  }
}

TEST(Rfc3339, LongTextIsCutInTheError) {
  const auto time = parse_rfc3339(std::string(100'000, 'x'));
  ASSERT_FALSE(time);
  EXPECT_LT(time.error().context.size(), 200U);
}

TEST(Rfc3339, OffsetsAreTurnedIntoUtc) {
  const Time expected{seconds{1'767'323'045}};  // date -u -d 2026-01-02T03:04:05Z +%s
  EXPECT_EQ(parse_rfc3339("2026-01-02T03:04:05Z"), expected);
  EXPECT_EQ(parse_rfc3339("2026-01-02t03:04:05z"), expected);
  EXPECT_EQ(parse_rfc3339("2026-01-02 04:34:05+01:30"), expected);
  EXPECT_EQ(parse_rfc3339("2026-01-01T22:04:05-05:00"), expected);
}

TEST(Rfc3339, DecimalsAreCutToMilliseconds) {
  const Time second{seconds{1'767'323'045}};
  EXPECT_EQ(parse_rfc3339("2026-01-02T03:04:05.5Z"), second + Millis{500});
  EXPECT_EQ(parse_rfc3339("2026-01-02T03:04:05.04Z"), second + Millis{40});
  EXPECT_EQ(parse_rfc3339("2026-01-02T03:04:05.123999999Z"), second + Millis{123});
}

TEST(Rfc3339, LeapSecondIsTheNextMinute) {
  EXPECT_EQ(parse_rfc3339("2016-12-31T23:59:60Z"), parse_rfc3339("2017-01-01T00:00:00Z"));
}

TEST(Rfc3339, WrittenTimesReadBack) {
  EXPECT_EQ(to_rfc3339(Time{}), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(to_rfc3339(Time{Millis{1'767'323'045'678}}), "2026-01-02T03:04:05.678Z");
  for (const std::int64_t millis : {-1LL, 0LL, 951'782'400'000LL, 4'102'444'799'999LL}) {
    const Time time{Millis{millis}};
    EXPECT_EQ(parse_rfc3339(to_rfc3339(time)), time) << millis;
  }
}

}  // namespace
}  // namespace grapnel
