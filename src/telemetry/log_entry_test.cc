#include "telemetry/log_entry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "telemetry/limits.h"

namespace grapnel::telemetry {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

const Time kTime{Millis{1'767'323'045'678}};

struct NamedThing {
  std::string str() const { return "thing_1"; }
};

std::string json(std::string_view message, Fields fields) {
  return format_entry(LogFormat::json, kTime, Level::warn, message, fields);
}

std::string text(std::string_view message, Fields fields) {
  return format_entry(LogFormat::text, kTime, Level::info, message, fields);
}

TEST(LogEntry, JsonLineHasTypedFields) {
  EXPECT_EQ(json("attempt failed", {{"delivery", NamedThing{}},
                                    {"reason", "reset"},
                                    {"owner", std::string("me")},
                                    {"status", 503},
                                    {"change", std::int64_t{-7}},
                                    {"bytes", std::numeric_limits<std::uint64_t>::max()},
                                    {"seconds", 0.25},
                                    {"last", true}}),
            R"({"time":"2026-01-02T03:04:05.678Z","level":"warn","message":"attempt failed",)"
            R"("delivery":"thing_1","reason":"reset","owner":"me","status":503,"change":-7,)"
            R"("bytes":18446744073709551615,"seconds":0.25,"last":true})"
            "\n");
}

TEST(LogEntry, NumbersUnknownToJsonAreNull) {
  EXPECT_THAT(json("m", {{"x", std::numeric_limits<double>::quiet_NaN()}}),
              HasSubstr(R"("x":null)"));
  EXPECT_THAT(json("m", {{"x", -std::numeric_limits<double>::infinity()}}),
              HasSubstr(R"("x":null)"));
}

TEST(LogEntry, HostileTextCannotForgeAFieldOrALine) {
  EXPECT_THAT(json("a\",\"level\":\"x\n", {{"k\"", "\xff\n"}}),
              EndsWith(R"("message":"a\",\"level\":\"x\n","k\"":")"
                       "\xef\xbf\xbd"
                       R"(\n"})"
                       "\n"));
  EXPECT_EQ(text("m\n\x1b[2J", {{"k", "a b=\"c\"\n"}, {"e", ""}}),
            "2026-01-02T03:04:05.678Z INFO  m\\n\\u001b[2J k=\"a b=\\\"c\\\"\\n\" e=\"\"\n");
}

TEST(LogEntry, TextLeavesPlainValuesBare) {
  EXPECT_EQ(text("started", {{"listen", "0.0.0.0:8080"}, {"status", 202}}),
            "2026-01-02T03:04:05.678Z INFO  started listen=0.0.0.0:8080 status=202\n");
}

TEST(LogEntry, LongValuesAreCut) {
  const std::string line = json("m", {{"body", std::string(kLogValueBytesMax + 1, 'x')}});
  EXPECT_THAT(line, EndsWith("xxx\xe2\x80\xa6\"}\n"));
  EXPECT_LT(line.size(), kLogValueBytesMax + 200);
}

TEST(LogEntry, LevelsReadBack) {
  for (const Level level : {Level::debug, Level::info, Level::warn, Level::error, Level::off}) {
    EXPECT_EQ(parse_level(to_string(level)), level);
  }
  EXPECT_FALSE(parse_level("verbose"));
  EXPECT_FALSE(parse_level(""));
}

}  // namespace
}  // namespace grapnel::telemetry
