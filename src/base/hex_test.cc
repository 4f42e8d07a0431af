#include "base/hex.h"

#include <gtest/gtest.h>

namespace grapnel {
namespace {

TEST(Hex, WhatIsNoDigitHasNoValue) {
  for (const char c : {'g', 'G', ' ', '/', ':', '@', '`', '\0'}) EXPECT_EQ(hex_value(c), -1) << c;
  EXPECT_EQ(hex_value('0'), 0);
  EXPECT_EQ(hex_value('a'), 10);
  EXPECT_EQ(hex_value('F'), 15);
}

TEST(Hex, BrokenPercentEscapesStandForNothing) {
  for (const char* text : {"", "%", "%2", "%2g", "%g2", "2F", "x%2F"}) {
    EXPECT_FALSE(percent_escape(text)) << text;
  }
  EXPECT_EQ(percent_escape("%2f"), '/');
  EXPECT_EQ(percent_escape("%FFx"), '\xff');
}

TEST(Hex, FormTextIsDecodedAndWhatIsNoEscapeStays) {
  EXPECT_EQ(form_decode("a+b%2Bc%zz%"), "a b+c%zz%");
  EXPECT_EQ(form_decode(""), "");
}

}  // namespace
}  // namespace grapnel
