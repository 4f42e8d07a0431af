#include "model/json_text.h"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

namespace grapnel::model {
namespace {

TEST(JsonText, NumbersAreAsPeopleWriteThem) {
  for (const char* text :
       {"5", "0", "-7", "1.5", "0.125", "18446744073709551615", "1e+300", "1e-07"}) {
    EXPECT_EQ(json_text(boost::json::parse(text)), text);
  }
  EXPECT_EQ(json_text(5.0), "5");
  EXPECT_EQ(json_text(12.34), "12.34");
}

TEST(JsonText, EverythingElseIsCompactJson) {
  for (const char* text : {"{}", "[]", "null", "true", R"("a\"\\\n\u0001é")",
                           R"({"a":[1,{"b":[]},[{}]],"c\"d":{"e":null},"f":"g"})"}) {
    EXPECT_EQ(json_text(boost::json::parse(text)), text);
  }
}

}  // namespace
}  // namespace grapnel::model
