#include "pipeline/retry_after.h"

#include <gtest/gtest.h>

#include "model/limits.h"

namespace grapnel::pipeline {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

// Sun, 06 Nov 1994 08:49:37 GMT, the date of RFC 9110.
constexpr Time kNow{seconds{784'111'777}};

std::optional<Millis> parse(std::string_view text) { return parse_retry_after(text, kNow); }

TEST(RetryAfter, WhatIsNeitherSecondsNorADateIsIgnored) {
  for (const char* text : {"",
                           " ",
                           "-1",
                           "+1",
                           "1.5",
                           "1e3",
                           "0x10",
                           "soon",
                           "10 seconds",
                           "1,2",
                           "१०",
                           "Sun, 06 Nov 1994 08:49:37",
                           "Sun, 06 Nov 1994 08:49:37 UTC",
                           "Sun, 06 Nov 94 08:49:37 GMT",
                           "Sun, 06 Foo 1994 08:49:37 GMT",
                           "Sun, 32 Nov 1994 08:49:37 GMT",
                           "Sun, 30 Feb 1994 08:49:37 GMT",
                           "Sun, 06 Nov 1994 24:49:37 GMT",
                           "Sun, 06 Nov 1994 08:60:37 GMT",
                           "Sun, 06 Nov 1994 08:49:61 GMT",
                           "Sun, 06 Nov 1994 08:49:37 GMT ,",
                           "Sun, -6 Nov 1994 08:49:37 GMT",
                           "Sunday, 06-Nov-94 08:49:37 GMT",
                           "Sun Nov  6 08:49:37 1994"}) {
    EXPECT_EQ(parse(text), std::nullopt) << text;
  }
}

TEST(RetryAfter, Seconds) {
  EXPECT_EQ(parse("0"), Millis{0});
  EXPECT_EQ(parse("120"), seconds{120});
  EXPECT_EQ(parse("  007  "), seconds{7});
}

TEST(RetryAfter, IsCutToADayHoweverManyDigits) {
  EXPECT_EQ(parse("86401"), model::kRetryWaitMax);
  EXPECT_EQ(parse("9223372036854775807"), model::kRetryWaitMax);
  EXPECT_EQ(parse("99999999999999999999999999"), model::kRetryWaitMax);
  EXPECT_EQ(parse("Fri, 31 Dec 9999 23:59:59 GMT"), model::kRetryWaitMax);
}

TEST(RetryAfter, DateIsCountedFromNowAndAPastOneIsNoWait) {
  EXPECT_EQ(parse("Sun, 06 Nov 1994 08:49:37 GMT"), Millis{0});
  EXPECT_EQ(parse("Sun, 06 Nov 1994 09:49:37 GMT"), hours{1});
  EXPECT_EQ(parse("Sat, 05 Nov 1994 08:49:37 GMT"), Millis{0});
  EXPECT_EQ(parse("Thu, 01 Jan 0001 00:00:00 GMT"), Millis{0});
  EXPECT_EQ(parse("Sun, 06 Nov 1994 08:49:60 GMT"), seconds{23}) << "a leap second";
}

}  // namespace
}  // namespace grapnel::pipeline
