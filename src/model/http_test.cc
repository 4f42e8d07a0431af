#include "model/http.h"

#include <gtest/gtest.h>

namespace grapnel::model {
namespace {

TEST(JsonType, OtherTypesAreNotTakenForJson) {
  for (const char* type : {"", "+json", "text/plain", "application/jsonp", "text/json; x",
                           "application/x-www-form-urlencoded", "json"}) {
    EXPECT_FALSE(is_json_type(type)) << type;
  }
}

TEST(JsonType, ParametersAndCaseDoNotMatter) {
  for (const char* type : {"application/json", "Application/JSON ; charset=utf-8",
                           "application/cloudevents+json", "application/problem+JSON;x=y"}) {
    EXPECT_TRUE(is_json_type(type)) << type;
  }
}

TEST(StatusName, UnknownStatusHasNone) {
  EXPECT_EQ(status_name(599), "");
  EXPECT_EQ(status_name(413), "Content Too Large");
}

}  // namespace
}  // namespace grapnel::model
