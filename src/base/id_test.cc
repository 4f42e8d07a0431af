#include "base/id.h"

#include <gtest/gtest.h>

#include <set>
#include <unordered_set>

namespace grapnel {
namespace {

struct ThingTag {
  static constexpr std::string_view kPrefix = "thg_";
};
using ThingId = Id<ThingTag>;

class FixedClock final : public Clock {
 public:
  Time wall() const override { return wall_at; }
  Monotonic monotonic() const override { return {}; }
  Time wall_at{Millis{1'700'000'000'000}};
};

ThingId make_one(Time at, std::uint64_t seed) {
  FixedClock machine;
  machine.wall_at = at;
  const StoreClock clock(machine, Time{});
  SeededRandom random(seed);
  return IdSource(clock, random).make<ThingId>();
}

TEST(Id, TextThatIsNoIdIsRefused) {
  const std::string good = make_one(Time{Millis{1}}, 1).str();
  std::string foreign = good;
  foreign[0] = 'x';
  std::string overflowing = good;
  overflowing[4] = '8';  // the first character holds three bits
  std::string letter_u = good;
  letter_u.back() = 'U';  // not in Crockford's alphabet
  std::string dotted = good;
  dotted.back() = '.';
  for (const std::string& text :
       {std::string{}, std::string{"thg_"}, good.substr(0, 29), good + "0", foreign, overflowing,
        letter_u, dotted, good.substr(4)}) {
    const auto id = ThingId::parse(text);
    ASSERT_FALSE(id) << text;
    EXPECT_EQ(id.error().code, errc::malformed) << text;
  }
}

TEST(Id, LongTextIsCutInTheError) {
  const auto id = ThingId::parse(std::string(100'000, 'x'));
  ASSERT_FALSE(id);
  EXPECT_LT(id.error().context.size(), 200U);
}

TEST(Id, ExtremesReadBack) {
  for (const std::uint8_t byte : {std::uint8_t{0}, std::uint8_t{0x55}, std::uint8_t{0xff}}) {
    ThingId id;
    id.bytes.fill(byte);
    EXPECT_EQ(ThingId::parse(id.str()), id) << id.str();
  }
  EXPECT_EQ(ThingId{}.str(), "thg_00000000000000000000000000");
  ThingId last;
  last.bytes.fill(0xff);
  EXPECT_EQ(last.str(), "thg_7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
}

TEST(Id, EveryBitIsInTheText) {
  std::set<std::string> texts;
  for (std::size_t bit = 0; bit < 128; ++bit) {
    ThingId id;
    id.bytes[bit / 8] = static_cast<std::uint8_t>(1U << (bit % 8));
    texts.insert(id.str());
    ASSERT_EQ(ThingId::parse(id.str()), id);
  }
  EXPECT_EQ(texts.size(), 128U);
}

TEST(Id, ReadsLowerCaseAndLookalikes) {
  const auto upper = ThingId::parse("thg_01100000000000000000000000");
  ASSERT_TRUE(upper);
  EXPECT_EQ(ThingId::parse("thg_oil00000000000000000000000"), upper);
  EXPECT_EQ(ThingId::parse("thg_OIL00000000000000000000000"), upper);
}

TEST(Id, TextSortsByMillisecond) {
  EXPECT_LT(make_one(Time{Millis{1'700'000'000'000}}, 1).str(),
            make_one(Time{Millis{1'700'000'000'001}}, 2).str());
  EXPECT_LT(make_one(Time{Millis{1'700'000'000'255}}, 3).str(),
            make_one(Time{Millis{1'700'000'000'256}}, 4).str());
}

TEST(Id, OneMillisecondGivesManyDistinctIds) {
  const FixedClock machine;
  const StoreClock clock(machine, Time{});
  SeededRandom random(7);
  IdSource source(clock, random);
  std::unordered_set<ThingId> ids;
  for (int i = 0; i < 10'000; ++i) ids.insert(source.make<ThingId>());
  EXPECT_EQ(ids.size(), 10'000U);
}

TEST(Id, EmptyMeansAllZero) {
  EXPECT_TRUE(ThingId{}.empty());
  EXPECT_FALSE(make_one(Time{Millis{1}}, 1).empty());
}

}  // namespace
}  // namespace grapnel
