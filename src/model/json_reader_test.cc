#include "model/json_reader.h"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include "model/errors.h"
#include "model/limits.h"

namespace grapnel::model {
namespace {

std::string mistakes_of(std::string_view json, const std::function<void(ObjectReader&)>& read) {
  const auto value = boost::json::parse(json);
  Mistakes mistakes;
  ObjectReader fields(value, "", mistakes);
  read(fields);
  return mistakes.any() ? mistakes.error().error().context : "";
}

TEST(ObjectReader, UnknownFieldsAreNamedWithTheNearestKnownOne) {
  const auto read = [](ObjectReader& fields) {
    fields.text("target_url", 1, 100);
    fields.boolean("is_active");
    fields.finish({"id"});
  };
  EXPECT_EQ(mistakes_of(R"({"target_urll":"x"})", read),
            "unknown field 'target_urll' (did you mean 'target_url'?)");
  EXPECT_EQ(mistakes_of(R"({"colour":"x"})", read), "unknown field 'colour'");
  EXPECT_EQ(mistakes_of(R"({"id":"x"})", read), "id: is set by Grapnel and cannot be given");
  EXPECT_EQ(mistakes_of(R"({"target_url":"x","is_active":true})", read), "");
}

TEST(ObjectReader, EachMistakeIsALineThatSaysWhatWasGiven) {
  EXPECT_EQ(mistakes_of(R"({"a":1,"b":"x","c":[],"d":null,"e":"2d","f":"1TB"})",
                        [](ObjectReader& fields) {
                          fields.text("a", 1, 10);
                          fields.integer("b", 1, 5);
                          fields.boolean("c");
                          fields.number("d", 0, 1);
                          fields.duration("e", Millis{1}, Millis{1000});
                          fields.size("f", 1, 1_MiB);
                        }),
            "a: expected a text, given 1\n"
            "b: expected a whole number from 1 to 5, given \"x\"\n"
            "c: expected true or false, given a list\n"
            "d: expected a number from 0 to 1, given null\n"
            "e: expected a duration from 1ms to 1s such as \"15s\" or \"1h30m\", given \"2d\"\n"
            "f: expected a size from 1 to 1MiB such as \"64KiB\", given \"1TB\"");
}

TEST(ObjectReader, SomethingElseThanAnObjectIsOneMistake) {
  EXPECT_EQ(mistakes_of("[1]", [](ObjectReader& fields) { fields.finish(); }),
            "expected an object, given a list");
}

TEST(ObjectReader, LongValuesAreCutInTheSentence) {
  const std::string json = R"({"a":")" + std::string(5'000, 'x') + R"("})";
  const std::string line = mistakes_of(json, [](ObjectReader& fields) { fields.boolean("a"); });
  EXPECT_LT(line.size(), 150u);
}

TEST(ObjectReader, ASecretIsNotRepeated) {
  const std::string line = mistakes_of(R"({"secret":12345})", [](ObjectReader& fields) {
    fields.text("secret", 1, 10, Echo::kind);
  });
  EXPECT_EQ(line, "secret: expected a text, given a number");
}

TEST(Mistakes, OneAnswerNamesABoundedNumber) {
  Mistakes mistakes;
  for (int i = 0; i < 1'000; ++i) mistakes.add("a", "b");
  const std::string context = mistakes.error().error().context;
  EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(context, '\n')), kMistakesMax - 1);
}

TEST(Url, WhatCannotBeATargetIsRefused) {
  EXPECT_TRUE(wrong_with_url("ftp://example.com/"));
  EXPECT_TRUE(wrong_with_url("https://user:pass@example.com/"));
  EXPECT_TRUE(wrong_with_url("https:///path"));
  EXPECT_TRUE(wrong_with_url("/relative"));
  EXPECT_TRUE(wrong_with_url("https://example.com/a b"));
  EXPECT_TRUE(wrong_with_url("https://example.com/#x"));
  EXPECT_TRUE(wrong_with_url("https://example.com:0/"));
  EXPECT_TRUE(wrong_with_url("https://example.com:99999999/"));
  EXPECT_TRUE(wrong_with_url("https://example.com/" + std::string(kUrlBytesMax, 'a')));
}

TEST(Url, CredentialsAreNotRepeatedInTheSentence) {
  EXPECT_EQ(wrong_with_url("https://user:hunter2@example.com/")->find("hunter2"),
            std::string::npos);
}

TEST(Url, ATargetWithPortQueryAndIpv6IsFine) {
  EXPECT_FALSE(wrong_with_url("http://127.0.0.1:8080/hook?a=b"));
  EXPECT_FALSE(wrong_with_url("https://[::1]:8443/"));
  EXPECT_FALSE(wrong_with_url("HTTPS://example.com"));
}

}  // namespace
}  // namespace grapnel::model
