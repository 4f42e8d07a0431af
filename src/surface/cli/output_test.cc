#include "surface/cli/output.h"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include <array>
#include <chrono>

#include "surface/cli/scripted_terminal.h"

namespace grapnel::cli {
namespace {

using namespace std::chrono_literals;

constexpr std::array kColumns{
    Column{"NAME", "name"},
    Column{"STATE", "state|other", Cell::state},
    Column{"SIZE", "deep.size", Cell::size},
    Column{"AGE", "at", Cell::age},
    Column{"EXTRA", "extra", Cell::text, true},
};

std::string printed(Format format, std::string_view rows) {
  ScriptedTerminal terminal;
  const auto environment = terminal.environment();
  const Output output(environment, format);
  output.rows(boost::json::parse(rows).as_array(), kColumns, "nothing here");
  return terminal.out + terminal.err;
}

constexpr std::string_view kRows =
    R"([{"name":"éa","state":"dead","deep":{"size":1300},"at":"2025-12-31T23:00:00Z",)"
    R"("extra":[1,"b"]},)"
    R"({"name":"a name that is much longer than any column of a table should be",)"
    R"("state":null,"other":"done","at":"2026-01-01T02:00:00Z"},{}])";

TEST(Output, TableAlignsCutsAndLeavesWideColumnsOut) {
  EXPECT_EQ(printed(Format::table, kRows),
            "NAME                                               STATE   SIZE      AGE\n"
            "éa                                                 dead    1.3 KiB   60m\n"
            "a name that is much longer than any column of a…   done    -         in 2h\n"
            "-                                                  -       -         -\n");
}

TEST(Output, WideTableShowsAll) {
  EXPECT_EQ(printed(Format::wide, R"([{"name":"a","state":"ok","extra":[1,"b"]}])"),
            "NAME   STATE   SIZE   AGE   EXTRA\n"
            "a      ok      -      -     1, b\n");
}

TEST(Output, EmptyTableIsARemark) {
  EXPECT_EQ(printed(Format::table, "[]"), "nothing here\n");
  EXPECT_EQ(printed(Format::json, "[]"), "[]\n");
  EXPECT_EQ(printed(Format::yaml, "[]"), "[]\n");
}

TEST(Output, JsonKeepsOrderAndReadableNumbers) {
  EXPECT_EQ(printed(Format::json, R"([{"z":1.5,"a":{"b":[]},"c":"\u0007"}])"),
            "[\n  {\n    \"z\": 1.5,\n    \"a\": {\n      \"b\": []\n    },\n"
            "    \"c\": \"\\u0007\"\n  }\n]\n");
}

TEST(Output, YamlIsBlockStyle) {
  EXPECT_EQ(printed(Format::yaml, R"([{"a":"1","b":true}])"), "- a: \"1\"\n  b: true\n");
}

TEST(Output, AgesAreShort) {
  const Time now = doubles::kManualStart;
  EXPECT_EQ(age_of(now, now), "0s");
  EXPECT_EQ(age_of(now - 119s, now), "119s");
  EXPECT_EQ(age_of(now - 120s, now), "2m");
  EXPECT_EQ(age_of(now - 3h, now), "3h");
  EXPECT_EQ(age_of(now - 72h, now), "3d");
  EXPECT_EQ(age_of(now + 150s, now), "in 2m");
  EXPECT_EQ(time_with_age("2025-12-31T23:59:00Z", now), "2025-12-31T23:59:00Z (60s ago)");
  EXPECT_EQ(time_with_age("soon", now), "soon");
}

TEST(Output, SizesAreReadable) {
  EXPECT_EQ(readable_size(0), "0 B");
  EXPECT_EQ(readable_size(1023), "1023 B");
  EXPECT_EQ(readable_size(1024), "1.0 KiB");
  EXPECT_EQ(readable_size(32u << 20), "32.0 MiB");
  EXPECT_EQ(readable_size(std::uint64_t{3} << 40), "3072.0 GiB");
}

TEST(Output, ControlCharactersAreVisible) {
  EXPECT_EQ(to_pretty_json("a\x7f\xc2\x9b"
                           "2J\xc2\xa0"),
            "\"a\\u007f\\u009b2J\xc2\xa0\"\n");
  EXPECT_EQ(printable("a\x1b[2J\r\n\x7f"), "a\\x1b[2J\\x0d\\n\\x7f");
  EXPECT_EQ(printable("a\n\tb\r", LineEnds::keep), "a\n\tb\\x0d");
  EXPECT_EQ(printable("\xc2\x9b"), "\\x9b");
  EXPECT_EQ(printable("a\xE2\x80\xAE"
                      "b\xE2\x81\xA6\xE2\x80\x8F"),
            "a\\xe2\\x80\\xaeb\\xe2\\x81\\xa6\\xe2\\x80\\x8f");
  EXPECT_EQ(printable("\xE2\x80\xA6"), "\xE2\x80\xA6");
  EXPECT_EQ(printable("\xff"), "\xEF\xBF\xBD");
  EXPECT_EQ(printable("Zoë 😀"), "Zoë 😀");
}

}  // namespace
}  // namespace grapnel::cli
