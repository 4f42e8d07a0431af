#include "base/units.h"

#include <gtest/gtest.h>

namespace grapnel {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(Duration, MalformedTextIsRefused) {
  for (const std::string_view text : {"", "5", "s", "5 s", "-5s", "+5s", "0.5s", "5x", "5S", "1m1h",
                                      "1h1h", "1h 30m", "5s ", "0x5s", "1e3s"}) {
    const auto duration = parse_duration(text);
    ASSERT_FALSE(duration) << text;
    EXPECT_EQ(duration.error().code, errc::malformed) << text;
  }
  EXPECT_FALSE(parse_duration(std::string(100'000, '1')));
}

TEST(Duration, MoreThanTenYearsIsOutOfRange) {
  for (const std::string_view text : {"3651d", "3650d1ms", "9223372036854775807d"}) {
    const auto duration = parse_duration(text);
    ASSERT_FALSE(duration) << text;
    EXPECT_EQ(duration.error().code, errc::out_of_range) << text;
  }
  EXPECT_EQ(parse_duration("3650d"), days{3650});
}

TEST(Duration, SumsReadLargestFirst) {
  EXPECT_EQ(parse_duration("250ms"), Millis{250});
  EXPECT_EQ(parse_duration("5m"), minutes{5});
  EXPECT_EQ(parse_duration("1h30m"), minutes{90});
  EXPECT_EQ(parse_duration("1d2h3m4s5ms"),
            days{1} + hours{2} + minutes{3} + seconds{4} + Millis{5});
  EXPECT_EQ(parse_duration("0s"), Millis{0});
}

TEST(Duration, WrittenTextReadsBack) {
  for (const std::int64_t millis : {0LL, 1LL, 999LL, 90'000LL, 86'400'000LL, 90'061'001LL}) {
    EXPECT_EQ(parse_duration(format_duration(Millis{millis})), Millis{millis}) << millis;
  }
  EXPECT_EQ(format_duration(seconds{90}), "1m30s");
  EXPECT_EQ(format_duration(days{30}), "30d");
  EXPECT_EQ(format_duration(-seconds{90}), "-1m30s");
}

TEST(Size, MalformedTextIsRefused) {
  for (const std::string_view text : {"", "KiB", "-1", "+1", "1 KiB", "1kib", "1.5MiB", "1PiB"}) {
    const auto size = parse_size(text);
    ASSERT_FALSE(size) << text;
    EXPECT_EQ(size.error().code, errc::malformed) << text;
  }
}

TEST(Size, MoreThanSixtyFourBitsIsRefused) {
  const auto size = parse_size("18446744073709551615KiB");
  ASSERT_FALSE(size);
  EXPECT_EQ(size.error().code, errc::out_of_range);
  EXPECT_FALSE(parse_size("18446744073709551616"));
  EXPECT_EQ(parse_size("18446744073709551615"), UINT64_MAX);
}

TEST(Size, BinaryAndDecimalUnitsDiffer) {
  EXPECT_EQ(parse_size("512"), 512U);
  EXPECT_EQ(parse_size("512B"), 512U);
  EXPECT_EQ(parse_size("64KiB"), 64_KiB);
  EXPECT_EQ(parse_size("1M"), 1_MiB);
  EXPECT_EQ(parse_size("1MB"), 1'000'000U);
  EXPECT_EQ(parse_size("20GiB"), 20_GiB);
  EXPECT_EQ(parse_size("2TiB"), 2048_GiB);
}

TEST(Size, WrittenTextReadsBack) {
  for (const std::uint64_t bytes : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1000}, 1_KiB,
                                    1_MiB + 1, 20_GiB, UINT64_MAX}) {
    EXPECT_EQ(parse_size(format_size(bytes)), bytes);
  }
  EXPECT_EQ(format_size(1536), "1536");
  EXPECT_EQ(format_size(256_KiB), "256KiB");
}

}  // namespace
}  // namespace grapnel
