#include "surface/api/target.h"

#include <gtest/gtest.h>

namespace grapnel::api {
namespace {

TEST(Target, BrokenEscapesAndControlCharactersDecodeToNothing) {
  for (const auto* text : {"%", "%4", "%zz", "%0a", "%00", "a\nb"}) {
    EXPECT_FALSE(percent_decode(text)) << text;
  }
}

TEST(Target, EscapesDecodeToTheirBytes) {
  EXPECT_EQ(percent_decode("a%20b%2Fc%c3%a4"), "a b/c\xc3\xa4");
  EXPECT_EQ(percent_encode("a b/\xc3\xa4~"), "a%20b%2F%C3%A4~");
}

TEST(Target, AbsoluteFormLosesItsAuthority) {
  EXPECT_EQ(split_target("http://h:1/api/x?y=1").path, "/api/x");
  EXPECT_EQ(split_target("http://h:1/api/x?y=1").query, "y=1");
  EXPECT_EQ(split_target("HTTPS://h").path, "/");
}

TEST(Target, OtherFormsHaveNoPath) {
  EXPECT_EQ(split_target("*").path, "");
  EXPECT_EQ(split_target("host:443").path, "");
  EXPECT_EQ(split_target("").path, "");
}

TEST(Query, ANameGivenTwiceIsRefused) {
  EXPECT_FALSE(Query::parse("a=1&a=2"));
  EXPECT_FALSE(Query::parse("a=%"));
}

TEST(Query, MoreParametersThanTheBoundAreRefused) {
  std::string text;
  for (int i = 0; i < 33; ++i) text += "&p" + std::to_string(i) + "=1";
  EXPECT_FALSE(Query::parse(text));
}

TEST(Query, ValuesAreDecodedAndAbsentOnesAreNotThere) {
  const auto query = Query::parse("a=x+y%2B&b=&c");
  ASSERT_TRUE(query);
  EXPECT_EQ(query->find("a"), "x y+");
  EXPECT_EQ(query->find("b"), "");
  EXPECT_EQ(query->find("c"), "");
  EXPECT_EQ(query->find("d"), std::nullopt);
}

TEST(Query, NamesTheFirstUnknownParameter) {
  const auto query = Query::parse("limit=1&lim=2");
  ASSERT_TRUE(query);
  EXPECT_EQ(query->first_not_in("limit cursor"), "lim");
  EXPECT_EQ(query->first_not_in("lim limit"), std::nullopt);
  EXPECT_EQ(query->first_not_in(""), "limit");
}

TEST(Query, WithReplacesOneParameterAndKeepsTheOthers) {
  const auto query = Query::parse("a=x%20y&cursor=old");
  ASSERT_TRUE(query);
  EXPECT_EQ(query->with("cursor", "n&w"), "a=x%20y&cursor=n%26w");
}

}  // namespace
}  // namespace grapnel::api
