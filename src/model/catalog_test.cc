#include "model/catalog.h"

#include <gtest/gtest.h>

#include <limits>

#include "model/errors.h"

namespace grapnel::model {
namespace {

TEST(Cursor, TextThatNoListGaveIsRefused) {
  for (const std::string_view text :
       {"", "e", "e1", "e1-", "e-1", "-1-1", "e1-2-3", "eg-1", "e1-g", "e1- 2", "e1-0x2",
        "e10000000000000000-1", "e1-10000000000000000"}) {
    const auto cursor = Cursor::parse(text);
    ASSERT_FALSE(cursor) << text;
    EXPECT_EQ(cursor.error().code, errc::malformed) << text;
  }
}

TEST(Cursor, WrittenTextReadsBack) {
  for (const Seq seq : {Seq{0}, Seq{1}, Seq{10'000'000}, std::numeric_limits<Seq>::max()}) {
    const Cursor written{.generation = 3, .list = 'd', .seq = seq};
    const auto read = Cursor::parse(written.str());
    ASSERT_TRUE(read) << written.str();
    EXPECT_EQ(read->generation, 3);
    EXPECT_EQ(read->list, 'd');
    EXPECT_EQ(read->seq, seq);
  }
}

TEST(Cursor, TextIsSafeInAUrl) {
  const std::string text = Cursor{.generation = -1, .list = 'x', .seq = 255}.str();
  EXPECT_EQ(text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-"), std::string::npos)
      << text;
}

}  // namespace
}  // namespace grapnel::model
