#include "base/utf8.h"

#include <gtest/gtest.h>

namespace grapnel {
namespace {

TEST(Utf8, InvalidBytesBecomeReplacementCharacters) {
  EXPECT_EQ(valid_utf8("a\xff z"), "a\xef\xbf\xbd z");
  EXPECT_EQ(valid_utf8("\xc0\xaf"), "\xef\xbf\xbd\xef\xbf\xbd");                  // overlong
  EXPECT_EQ(valid_utf8("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");  // surrogate
  EXPECT_EQ(valid_utf8("\xf4\x90\x80\x80").size(), 12U);                          // above U+10FFFF
  EXPECT_EQ(valid_utf8("\xf5\x80\x80\x80").size(), 12U);
  EXPECT_EQ(valid_utf8("\xe2\x82"), "\xef\xbf\xbd\xef\xbf\xbd");  // cut short
  EXPECT_EQ(valid_utf8("\xc3"), "\xef\xbf\xbd");
}

TEST(Utf8, ValidTextIsKept) {
  for (const std::string_view text : {"", "plain", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
                                      "\xed\x9f\xbf\xee\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_EQ(valid_utf8(text), text);
  }
}

TEST(Utf8, CutsBetweenCharactersOnly) {
  EXPECT_EQ(cut_utf8("abc", 3), "abc");
  EXPECT_EQ(cut_utf8("abcd", 3), "abc");
  EXPECT_EQ(cut_utf8("a\xe2\x82\xac", 3), "a");
  EXPECT_LE(cut_utf8("\x80\x80\x80\x80\x80\x80\x80\x80", 6).size(), 6U);
}

}  // namespace
}  // namespace grapnel
