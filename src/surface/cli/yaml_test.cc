#include "surface/cli/yaml.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "surface/cli/errors.h"
#include "surface/cli/limits.h"
#include "surface/cli/yaml_writer.h"

namespace grapnel::cli {
namespace {

using testing::HasSubstr;

std::string error_of(std::string_view text) {
  const auto documents = parse_yaml(text, "a.yaml");
  if (documents) return "";
  EXPECT_EQ(documents.error().code, make_error_code(errc::malformed));
  return documents.error().context;
}

boost::json::value value_of(std::string_view text) {
  const auto documents = parse_yaml(text, "a.yaml");
  EXPECT_TRUE(documents) << documents.error().context;
  if (!documents || documents->size() != 1) return "not one document";
  return documents->front().value;
}

boost::json::value json(std::string_view text) { return boost::json::parse(text); }

TEST(Yaml, DuplicateKeyIsRefusedWithItsLine) {
  EXPECT_EQ(error_of("a: 1\nb: 2\na: 3\n"), "a.yaml:3: the key 'a' stands twice");
}

TEST(Yaml, AliasesThatMultiplyAreRefused) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) text += (j > 0 ? ", *a" : "*a") + std::to_string(i - 1);
    text += "]\n";
  }
  EXPECT_THAT(error_of(text), HasSubstr("more than 200000 values, aliases followed"));
}

TEST(Yaml, AliasesOfLongTextsAreRefused) {
  std::string text = "a: &a " + std::string(1'000'000, 'x') + "\nb:\n";
  for (int i = 0; i < 30; ++i) text += "- *a\n";
  EXPECT_THAT(error_of(text), HasSubstr("bytes, aliases followed"));
}

TEST(Yaml, AliasInsideItsOwnAnchorIsRefused) {
  EXPECT_EQ(error_of("a: &x\n  b: *x\n"), "a.yaml:2: *x stands inside its own anchor");
}

TEST(Yaml, AliasWithoutAnchorIsRefused) {
  EXPECT_EQ(error_of("a: *x\n"), "a.yaml:1: no anchor &x before this");
}

TEST(Yaml, AnchorOfAnotherDocumentIsUnknown) {
  EXPECT_EQ(error_of("a: &x 1\n---\nb: *x\n"), "a.yaml:3: no anchor &x before this");
}

TEST(Yaml, DeepNestingIsRefused) {
  EXPECT_THAT(error_of(std::string(1000, '[')), HasSubstr("levels deep"));
  std::string text;
  for (int i = 0; i < 200; ++i) text += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  EXPECT_THAT(error_of(text), HasSubstr("levels deep"));
}

TEST(Yaml, HugeTextIsRefusedUnread) {
  EXPECT_THAT(error_of(std::string(kYamlBytesMax + 1, ' ')), HasSubstr("at most 4194304"));
}

TEST(Yaml, ManyValuesAreRefused) {
  std::string text;
  for (std::size_t i = 0; i <= kYamlNodesMax; ++i) text += "- 1\n";
  EXPECT_THAT(error_of(text), HasSubstr("more than 200000 values"));
}

TEST(Yaml, MergeKeyIsRefused) {
  EXPECT_THAT(error_of("a: &x {b: 1}\nc:\n  <<: *x\n"), HasSubstr("a.yaml:3: merge keys"));
}

TEST(Yaml, TagsAreRefused) {
  EXPECT_THAT(error_of("a: !!python/object:os.system x\n"), HasSubstr("a.yaml:1: the tag"));
  EXPECT_THAT(error_of("a: !x [1]\n"), HasSubstr("the tag"));
  EXPECT_THAT(error_of("a: !!int 1\n"), HasSubstr("the tag"));
}

TEST(Yaml, StringTagMakesText) { EXPECT_EQ(value_of("a: !!str 123"), json(R"({"a":"123"})")); }

TEST(Yaml, KeyThatIsAListIsRefused) {
  EXPECT_THAT(error_of("? [a]\n: 1\n"), HasSubstr("a key must be a plain text"));
}

TEST(Yaml, SyntaxErrorSaysItsLine) {
  EXPECT_THAT(error_of("a: 1\nb: [1, 2\n"), HasSubstr("a.yaml:3: did not find expected"));
  EXPECT_THAT(error_of("a:\n\tb: 1\n"), HasSubstr("a.yaml:2: a character that cannot stand here"));
}

TEST(Yaml, BytesThatAreNotUtf8AreRefused) {
  EXPECT_THAT(error_of("a: \xff\xfe\n"), HasSubstr("a.yaml:1: "));
}

TEST(Yaml, NumberOutOfRangeIsRefused) {
  EXPECT_THAT(error_of("a: 99999999999999999999\n"), HasSubstr("out of range"));
  EXPECT_THAT(error_of("a: 1e999\n"), HasSubstr("out of range"));
}

TEST(Yaml, EmptyTextHasNoDocument) {
  EXPECT_TRUE(parse_yaml("", "a")->empty());
  EXPECT_TRUE(parse_yaml("# nothing\n", "a")->empty());
}

TEST(Yaml, OnlyTrueAndFalseAreBooleans) {
  EXPECT_EQ(value_of("[true, false, yes, no, on, off, y, True, FALSE]"),
            json(R"([true,false,"yes","no","on","off","y","True","FALSE"])"));
}

TEST(Yaml, NumbersAreThoseOfJson) {
  EXPECT_EQ(
      value_of("[0, -12, 1.5, 1e3, 010, 0x10, 1_000, +1, .5, 1., 12:30:00, 2026-01-02]"),
      json(R"([0,-12,1.5,1000.0,"010","0x10","1_000","+1",".5","1.","12:30:00","2026-01-02"])"));
}

TEST(Yaml, EmptyTildeAndNullAreNull) {
  EXPECT_EQ(value_of("{a: , b: ~, c: null, d: '', e: Null}"),
            json(R"({"a":null,"b":null,"c":null,"d":"","e":"Null"})"));
}

TEST(Yaml, QuotedScalarsAreText) {
  EXPECT_EQ(value_of("['1', \"true\", 'null']"), json(R"(["1","true","null"])"));
}

TEST(Yaml, AliasRepeatsItsAnchor) {
  EXPECT_EQ(value_of("a: &x {b: [1, 2]}\nc: *x\n"), json(R"({"a":{"b":[1,2]},"c":{"b":[1,2]}})"));
}

TEST(Yaml, DocumentsAreReadOneByOne) {
  const auto documents = parse_yaml("a: 1\n---\nb: 2\n", "a.yaml");
  ASSERT_TRUE(documents);
  ASSERT_EQ(documents->size(), 2u);
  EXPECT_EQ((*documents)[1].value, json(R"({"b":2})"));
  EXPECT_EQ((*documents)[1].lines.of("b"), 3);
}

TEST(Yaml, LinesOfPartsAreKnown) {
  const auto documents = parse_yaml("a: 1\nlist:\n  - x: 1\n    y.z: 2\n  - x: 3\n", "a.yaml");
  ASSERT_TRUE(documents);
  const Lines& lines = documents->front().lines;
  EXPECT_EQ(lines.of("a"), 1);
  EXPECT_EQ(lines.of("list"), 2);
  EXPECT_EQ(lines.of("list[0].x"), 3);
  EXPECT_EQ(lines.of("list[0].y.z"), 4);
  EXPECT_EQ(lines.of("list[1].x"), 5);
}

TEST(Yaml, MissingPartHasTheLineOfWhatWouldHoldIt) {
  const auto documents = parse_yaml("a:\n  b: 1\n  c: &x {d: 1}\ne: *x\n", "a.yaml");
  ASSERT_TRUE(documents);
  EXPECT_EQ(documents->front().lines.of("a.none.deeper"), 1);
  EXPECT_EQ(documents->front().lines.of("e.d"), 4);
}

TEST(Yaml, MistakesGetFileAndLine) {
  const auto documents = parse_yaml("a: 1\nlist:\n  - x: 1\n", "a.yaml");
  ASSERT_TRUE(documents);
  EXPECT_EQ(
      with_lines("x: is wrong: very\nis required", "a.yaml", documents->front().lines, "list[0]"),
      "a.yaml:3: list[0].x: is wrong: very\na.yaml:3: list[0]: is required");
}

TEST(YamlWriter, AmbiguousTextsAreQuoted) {
  EXPECT_EQ(
      to_yaml(json(R"({"on":"yes","a":"1e5","b":"","c":"null","d":"1:20","e":"~","f":"plain"})")),
      "\"on\": \"yes\"\na: \"1e5\"\nb: \"\"\nc: \"null\"\nd: \"1:20\"\ne: \"~\"\nf: plain\n");
}

TEST(YamlWriter, WhatLooksLikeANumberToSomeReaderIsQuoted) {
  for (const auto* text : {"1", "-1", "+1", ".5", "1_000", "0x1F", "0o17", "0b1", "010", "12:30",
                           "2026-01-02", "1e3", "NO", "Null", "-.INF", "=", "<<"}) {
    EXPECT_EQ(to_yaml(boost::json::value(text)), "\"" + std::string(text) + "\"\n");
  }
  for (const auto* text : {"30d", "1h30m", "256MiB", "evt_1", "127.0.0.0/8", "1a2b", "nope"}) {
    EXPECT_EQ(to_yaml(boost::json::value(text)), std::string(text) + "\n");
  }
}

TEST(YamlWriter, NestedValuesAreBlocks) {
  EXPECT_EQ(to_yaml(json(R"({"a":[1,{"b":true}],"c":{},"d":[],"e":null})")),
            "a:\n- 1\n- b: true\nc: {}\nd: []\ne: null\n");
}

TEST(YamlWriter, LinesAreALiteralBlock) {
  EXPECT_EQ(to_yaml(json(R"({"a":"one\ntwo\n"})")), "a: |\n  one\n  two\n");
}

TEST(YamlWriter, WhatIsWrittenReadsBackTheSame) {
  const auto value = json(
      R"({"a":" leading","b":"trailing ","c":"x: y","d":"# no","e":"\u0007bell","f":"\ttab",)"
      R"("g":"é😀","h":"a\n b\n","i":"- x","j":["",[],[[]],{"":""}],"k":1.25,"l":-7,"m":"\r\n"})");
  const std::string text = to_yaml(value);
  const auto again = parse_yaml(text, "written");
  ASSERT_TRUE(again) << again.error().context << "\n" << text;
  EXPECT_EQ(again->front().value, value) << text;
}

}  // namespace
}  // namespace grapnel::cli
