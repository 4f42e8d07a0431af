// What holds for a body that is read at once, for one that comes in pieces, and for both alike.
#include "pipeline/json_body.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "pipeline/limits.h"

namespace grapnel::pipeline {
namespace {

std::optional<std::string> found(const BodyValues& values, std::string_view pointer) {
  const auto at = std::ranges::find(values, pointer, &BodyValues::value_type::first);
  if (at == values.end()) return std::nullopt;
  return at->second;
}

/// The values of a body that comes in pieces of so many bytes.
std::optional<BodyValues> scan(std::string_view body, const std::vector<std::string>& pointers,
                               std::size_t piece) {
  JsonScan scan(pointers);
  for (std::size_t at = 0; at < body.size(); at += piece) scan.add(body.substr(at, piece));
  return scan.finish();
}

constexpr std::size_t kPieces[]{1, 2, 7, 64UL << 10, 1UL << 20};

/// The same, however it is read.
std::optional<std::string> at(std::string_view body, const std::string& pointer) {
  const std::vector<std::string> pointers{pointer};
  const auto value = found(read_values(body, pointers), pointer);
  for (const std::size_t piece : kPieces) {
    const auto scanned = scan(body, pointers, piece).value_or(BodyValues{});
    EXPECT_EQ(found(scanned, pointer), value) << body.substr(0, 100) << " in pieces of " << piece;
  }
  return value;
}

bool json(std::string_view body) {
  const bool whole = is_json(body);
  for (const std::size_t piece : kPieces) {
    EXPECT_EQ(scan(body, {}, piece).has_value(), whole) << body.substr(0, 100);
  }
  return whole;
}

TEST(JsonBody, WhatIsNotJsonHasNoValues) {
  for (const char* body :
       {"", " ", "{", "[1,2", R"({"a":1)", R"({"a":1}x)", R"({"a":1} {})", R"({a:1})", "nul",
        R"({"a":01})", "{\"a\":\"\xff\"}", R"({"a":1,"b":["\ud800"]})", R"({"a":1,})"}) {
    EXPECT_FALSE(at(body, "/a")) << body;
    EXPECT_FALSE(json(body)) << body;
  }
}

TEST(JsonBody, NoSuchPlaceNullsAndContainersHaveNoValue) {
  const std::string body = R"({"a":{"b":[1,{"c":null}]},"e":""})";
  for (const char* pointer :
       {"", "/", "a", "/x", "/a", "/a/b", "/a/b/2", "/a/b/-", "/a/b/1/c", "/a/b/01", "/a/b/-0",
        "/a/b/+0", "/e/x", "/a/b/99999999999999999999", "/~", "/~2"}) {
    EXPECT_FALSE(at(body, pointer)) << pointer;
  }
}

TEST(JsonBody, ScalarsAreTheTextThatJsonWrites) {
  const std::string body = R"({"s":"a\"\u00e9","i":-7,"u":18446744073709551615,"d":1.50,"z":-0,)"
                           R"("t":true,"f":false,"e":""})";
  EXPECT_EQ(at(body, "/s"), "a\"é");
  EXPECT_EQ(at(body, "/i"), "-7");
  EXPECT_EQ(at(body, "/u"), "18446744073709551615");
  EXPECT_EQ(at(body, "/d"), "1.50");
  EXPECT_EQ(at(body, "/z"), "-0");
  EXPECT_EQ(at(body, "/t"), "true");
  EXPECT_EQ(at(body, "/f"), "false");
  EXPECT_EQ(at(body, "/e"), "");
}

TEST(JsonBody, PointersAreRfc6901) {
  const std::string body = R"({"a/b":1,"m~n":2,"":3,"l":[10,[20],{"x":30}],"x":40})";
  EXPECT_EQ(at(body, "/a~1b"), "1");
  EXPECT_EQ(at(body, "/m~0n"), "2");
  EXPECT_EQ(at(body, "/"), "3");
  EXPECT_EQ(at(body, "/l/0"), "10");
  EXPECT_EQ(at(body, "/l/1/0"), "20");
  EXPECT_EQ(at(body, "/l/2/x"), "30");
  EXPECT_EQ(at(body, "/x"), "40");
}

TEST(JsonBody, ANameInsideAnotherPlaceIsNotMistakenForIt) {
  const std::string body =
      R"({"a":{"type":"inner","b":{"type":1}},"list":[{"type":2}],"type":"outer"})";
  EXPECT_EQ(at(body, "/type"), "outer");
  EXPECT_EQ(at(body, "/a/type"), "inner");
  EXPECT_EQ(at(body, "/a/b/type"), "1");
  EXPECT_EQ(at(body, "/list/0/type"), "2");
  EXPECT_FALSE(at(body, "/b/type"));
}

TEST(JsonBody, OfARepeatedNameTheFirstCounts) {
  EXPECT_EQ(at(R"({"id":"first","id":"second"})", "/id"), "first");
  EXPECT_FALSE(at(R"({"id":null,"id":"second"})", "/id"));
  EXPECT_FALSE(at(R"({"a":{"x":1},"a":{"id":2}})", "/a/id"));
}

TEST(JsonBody, NumbersBeyond64BitsAreJsonAndKeepAllTheirDigits) {
  const std::string body =
      R"({ "id" : 123456789012345678901234567890 , "small":-0.5e-3,"s":"x","t":true,"n":null})";
  EXPECT_TRUE(json(body));
  EXPECT_EQ(at(body, "/id"), "123456789012345678901234567890");
  EXPECT_EQ(at(body, "/small"), "-0.5e-3");
  EXPECT_EQ(at(body, "/s"), "x");
  EXPECT_EQ(at(body, "/t"), "true");
  EXPECT_FALSE(at(body, "/n"));
  EXPECT_FALSE(at(body, "/x"));
  EXPECT_TRUE(json("123456789012345678901234567890"));
  EXPECT_TRUE(json("[1e400]"));
  EXPECT_FALSE(json("[123456789012345678901234567890"));
  EXPECT_FALSE(json("[123456789012345678901234567890]]"));
}

TEST(JsonBody, SeveralPointersAreAnsweredFromOneBodyInAnyOrder) {
  const std::vector<std::string> pointers{"/b", "/none", "/a", "/b/c"};
  for (const char* number : {"1", "1.5", "123456789012345678901234567890"}) {
    const auto values = read_values(R"({"a":"x","b":)" + std::string(number) + "}", pointers);
    EXPECT_EQ(values.size(), 2U);
    EXPECT_EQ(found(values, "/b"), number);
    EXPECT_EQ(found(values, "/a"), "x");
  }
}

TEST(JsonBody, ValuesAboveTheirBoundAreAbsent) {
  const auto body = [](std::size_t size) { return "[\"" + std::string(size, 'x') + "\"]"; };
  EXPECT_TRUE(at(body(kPointerValueBytesMax), "/0"));
  EXPECT_FALSE(at(body(kPointerValueBytesMax + 1), "/0"));
  const std::string name(kPointerValueBytesMax, 'n');
  EXPECT_EQ(at("{\"" + name + "n\":1,\"" + name + "\":2}", "/" + name), "2");
}

TEST(JsonBody, NestingBeyondTheBoundIsRefusedAndNotFollowed) {
  const auto nested = [](std::size_t depth, const std::string& innermost) {
    return std::string(depth, '[') + innermost + std::string(depth, ']');
  };
  for (const char* innermost : {"1", "null", "\"x\"", "123456789012345678901234567890"}) {
    EXPECT_TRUE(json(nested(kJsonDepthMax - 1, innermost))) << innermost;
    EXPECT_FALSE(json(nested(kJsonDepthMax, innermost))) << innermost;
  }
  for (const char* empty : {"[]", "{}"}) {
    EXPECT_TRUE(json(nested(kJsonDepthMax - 1, empty))) << empty;
    EXPECT_FALSE(json(nested(kJsonDepthMax, empty))) << empty;
  }
  EXPECT_FALSE(json(nested(kJsonDepthMax - 1, R"({"a":1})")));
  EXPECT_FALSE(json(std::string(100'000, '[')));
  EXPECT_FALSE(json(std::string(100'000, '[') + "1e999" + std::string(100'000, ']')));
}

// Boost.JSON 1.81 writes beyond a buffer when a long tail follows a character that was cut in two.
TEST(JsonBody, CharactersCutInTwoBeforeALongTailDoNoHarm) {
  constexpr std::size_t kPiece = 64UL << 10;
  for (const std::string cut :
       {"é", "€", "😀", R"(\u00e9)", R"(\u20ac)", R"(\ud83d\ude00)", R"(\n)"}) {
    for (std::size_t before = 1; before < cut.size(); ++before) {
      const std::string head = R"({"a":")";
      const std::string body = head + std::string(kPiece - head.size() - before, 'x') + cut +
                               std::string(300'000, 'y') + R"(","b":"found"})";
      const auto values = scan(body, {"/b"}, kPiece);
      ASSERT_TRUE(values) << cut << " after " << before;
      EXPECT_EQ(found(*values, "/b"), "found") << cut << " after " << before;
    }
  }
}

TEST(JsonBody, ScalarsAloneAreJsonButHoldNoPlaces) {
  for (const char* body : {"1", "\"x\"", "true", "null", " 1.5 "}) {
    EXPECT_TRUE(json(body)) << body;
    EXPECT_FALSE(at(body, "")) << body;
  }
}

TEST(JsonBody, AByteOrderMarkIsNoJson) {  // RFC 8259, section 8.1: nobody may send one
  EXPECT_FALSE(json("\xef\xbb\xbf{\"a\":1}"));
}

}  // namespace
}  // namespace grapnel::pipeline
