#include "pipeline/json_body.h"

#include <gtest/gtest.h>

#include "pipeline/limits.h"

namespace grapnel::pipeline {
namespace {

std::optional<std::string> at(std::string_view body, std::string_view pointer) {
  return JsonBody(body).scalar(pointer);
}

TEST(JsonBody, WhatIsNotJsonHasNoValues) {
  for (const char* body : {"", " ", "{", "[1,2", R"({"a":1)", R"({"a":1}x)", R"({a:1})", "nul",
                           R"({"a":01})", "{\"a\":\"\xff\"}", R"(["\ud800"])"}) {
    EXPECT_FALSE(JsonBody(body).valid()) << body;
    EXPECT_FALSE(at(body, "/a")) << body;
    EXPECT_FALSE(is_json(body)) << body;
  }
}

TEST(JsonBody, NoSuchPlaceNullsAndContainersHaveNoValue) {
  const std::string body = R"({"a":{"b":[1,{"c":null}]},"e":""})";
  for (const char* pointer : {"", "/", "a", "/x", "/a", "/a/b", "/a/b/2", "/a/b/-", "/a/b/1/c",
                              "/a/b/01", "/e/x", "/a/b/99999999999999999999", "/~", "/~2"}) {
    EXPECT_FALSE(at(body, pointer)) << pointer;
  }
}

TEST(JsonBody, ScalarsAreTheTextThatJsonWrites) {
  const std::string body =
      R"({"s":"a\"\u00e9","i":-7,"u":18446744073709551615,"d":1.5,"t":true,"f":false,"e":""})";
  EXPECT_EQ(at(body, "/s"), "a\"é");
  EXPECT_EQ(at(body, "/i"), "-7");
  EXPECT_EQ(at(body, "/u"), "18446744073709551615");
  EXPECT_EQ(at(body, "/d"), "1.5");
  EXPECT_EQ(at(body, "/t"), "true");
  EXPECT_EQ(at(body, "/f"), "false");
  EXPECT_EQ(at(body, "/e"), "");
}

TEST(JsonBody, PointersAreRfc6901) {
  const std::string body = R"({"a/b":1,"m~n":2,"":3,"l":[10,[20]]})";
  EXPECT_EQ(at(body, "/a~1b"), "1");
  EXPECT_EQ(at(body, "/m~0n"), "2");
  EXPECT_EQ(at(body, "/l/0"), "10");
  EXPECT_EQ(at(body, "/l/1/0"), "20");
}

TEST(JsonBody, NumbersBeyond64BitsAreJsonAndKeepAllTheirDigits) {
  const std::string body =
      R"({ "id" : 123456789012345678901234567890 , "small":-0.5e-3,"s":"x","t":true,"n":null})";
  EXPECT_TRUE(is_json(body));
  EXPECT_TRUE(JsonBody(body).valid());
  EXPECT_EQ(at(body, "/id"), "123456789012345678901234567890");
  EXPECT_EQ(at(body, "/small"), "-0.5e-3");
  EXPECT_EQ(at(body, "/s"), "x");
  EXPECT_EQ(at(body, "/t"), "true");
  EXPECT_FALSE(at(body, "/n"));
  EXPECT_FALSE(at(body, "/x"));
  EXPECT_TRUE(is_json("123456789012345678901234567890"));
  EXPECT_TRUE(is_json("[1e400]"));
  EXPECT_FALSE(is_json("[123456789012345678901234567890"));
  EXPECT_FALSE(is_json("[123456789012345678901234567890]]"));
}

TEST(JsonBody, SeveralPointersAreAnsweredFromOneBodyInAnyOrder) {
  for (const char* number : {"1", "123456789012345678901234567890"}) {
    const std::string text = R"({"a":"x","b":)" + std::string(number) + "}";
    const JsonBody body(text);
    EXPECT_EQ(body.scalar("/b"), number);
    EXPECT_EQ(body.scalar("/a"), "x");
    EXPECT_EQ(body.scalar("/b"), number);
  }
}

TEST(JsonBody, ValuesAboveTheirBoundAreAbsent) {
  const auto body = [](std::size_t size) { return "[\"" + std::string(size, 'x') + "\"]"; };
  EXPECT_TRUE(at(body(kPointerValueBytesMax), "/0"));
  EXPECT_FALSE(at(body(kPointerValueBytesMax + 1), "/0"));
}

TEST(JsonBody, NestingBeyondTheBoundIsRefusedAndNotFollowed) {
  EXPECT_TRUE(is_json(std::string(kJsonDepthMax - 1, '[') + std::string(kJsonDepthMax - 1, ']')));
  EXPECT_FALSE(is_json(std::string(100'000, '[')));
  EXPECT_FALSE(is_json(std::string(100'000, '[') + "1e999" + std::string(100'000, ']')));
}

TEST(JsonBody, ScalarsAloneAreJsonButHoldNoPlaces) {
  for (const char* body : {"1", "\"x\"", "true", "null", " 1.5 "}) {
    EXPECT_TRUE(is_json(body)) << body;
    EXPECT_FALSE(JsonBody(body).valid()) << body;
  }
}

}  // namespace
}  // namespace grapnel::pipeline
