#include "pipeline/cloudevents.h"

#include <gtest/gtest.h>

namespace grapnel::pipeline {
namespace {

constexpr std::string_view kOne = R"({"specversion":"1.0","id":"1","source":"/a","type":"t"})";

TEST(CloudEvents, ABatchIsSplitByteForByte) {
  const std::string odd =
      R"({ "specversion":"1.0","id":"2","source":"/a","type":"t", "data":"],{\"\\" })";
  const auto split = split_batch(" [ " + std::string(kOne) + " ,\n" + odd + "]\n");
  ASSERT_TRUE(split) << split.error();
  EXPECT_EQ(*split, (std::vector<std::string>{std::string(kOne), odd}));
  EXPECT_EQ(split_batch("[]")->size(), 0U);
}

TEST(CloudEvents, WhatIsNoBatchIsRefusedWithASentence) {
  for (const std::string body : {"", "{}", "[", "[1,]", "[1]", R"([{"id":"1"}])", "[[]]"}) {
    EXPECT_FALSE(split_batch(body)) << body;
  }
  std::string large = "[";
  for (int i = 0; i < 1'001; ++i) large += (i == 0 ? "" : ",") + std::string(kOne);
  EXPECT_FALSE(split_batch(large + "]"));
}

TEST(CloudEvents, RequiredAttributesAreNamed) {
  EXPECT_EQ(missing_attribute(kOne), "");
  EXPECT_NE(missing_attribute(R"({"specversion":"0.3","id":"1","source":"/a","type":"t"})"), "");
  EXPECT_NE(missing_attribute(R"({"specversion":"1.0","id":"","source":"/a","type":"t"})"), "");
  EXPECT_EQ(missing_attribute(model::HeaderList{
                {"ce-id", "1"}, {"Ce-Source", "/a"}, {"ce-specversion", "1.0"}, {"ce-type", "t"}}),
            "");
  EXPECT_NE(missing_attribute(model::HeaderList{{"ce-id", "1"}}), "");
}

TEST(CloudEvents, ModesAreToldByTheContentType) {
  EXPECT_TRUE(is_batch({{"content-type", "application/cloudevents-batch+json; charset=utf-8"}}));
  EXPECT_TRUE(is_structured({{"content-type", "application/cloudevents+json"}}));
  EXPECT_FALSE(is_batch({{"content-type", "application/json"}}));
}

}  // namespace
}  // namespace grapnel::pipeline
