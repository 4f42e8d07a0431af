#include "surface/api/strict_json.h"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include "surface/api/limits.h"

namespace grapnel::api {
namespace {

std::string mistake_of(std::string_view text) {
  const auto value = parse_strict_json(text);
  return value ? "" : value.error().message();
}

TEST(StrictJson, NamesAFieldThatIsGivenTwice) {
  EXPECT_EQ(mistake_of(R"({"a":1,"b":{"x":1,"x":2}})"), "field 'x' is given twice");
  EXPECT_EQ(mistake_of(R"({"ab":1,"\u0061b":2})"), "field 'ab' is given twice");
}

TEST(StrictJson, TheSameNameInTwoObjectsIsNoDuplicate) {
  EXPECT_EQ(mistake_of(R"([{"a":1},{"a":1},{"b":{"a":2},"a":3}])"), "");
}

TEST(StrictJson, RefusesWhatIsNotExactlyOneDocument) {
  for (const auto* text : {"", "{", "{} {}", "{}x", "{'a':1}", "{\"a\":1,}", "// c\n{}", "NaN",
                           "1e400", "\"\xff\"", "\xef\xbb\xbf{}"}) {
    EXPECT_NE(mistake_of(text), "") << text;
  }
}

TEST(StrictJson, RefusesDepthAndSizeBeyondTheBounds) {
  EXPECT_EQ(mistake_of(std::string(kJsonDepthMax, '[') + std::string(kJsonDepthMax, ']')), "");
  EXPECT_NE(mistake_of(std::string(kJsonDepthMax + 1, '[') + std::string(kJsonDepthMax + 1, ']')),
            "");
  EXPECT_NE(mistake_of(std::string(kJsonBytesMax + 1, ' ')), "");
}

TEST(StrictJson, NeverRepeatsAValue) {
  EXPECT_EQ(mistake_of(R"({"signing_secret":"hunter2" x})").find("hunter2"), std::string::npos);
}

TEST(StrictJson, GivesTheValueAsItIs) {
  const std::string text = R"({"a":[1,-2,3.5,true,null,"x\ny"],"b":{}})";
  const auto value = parse_strict_json(" " + text + "\n");
  ASSERT_TRUE(value);
  EXPECT_EQ(*value, boost::json::parse(text));
}

}  // namespace
}  // namespace grapnel::api
